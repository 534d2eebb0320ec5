#!/bin/sh
exec /usr/lib/deepcod/bin/node /usr/lib/deepcod/dist/scripts/deepcod.js "$@"
