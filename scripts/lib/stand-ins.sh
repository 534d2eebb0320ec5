# shellcheck shell=bash
# Sourced after prepare.sh and runtime.sh, in the repository's root: local stand-ins for the base images that deploy/ names, where no
# registry of images is reached. They are made of Debian's packages and of Node.js's own binaries, laid out as the real ones are, and
# carry a label, by which they are told apart and removed. $engine: docker or podman.
STAND_IN=deepcod.stand-in
# npm as in the real image: another version than most developers have.
NPM_VERSION=10.8.2

# Whether the engine has an image; real or not: has_image NAME
has_image() { "${engine:?}" image inspect "$1" >/dev/null 2>&1; }

# The images that Dockerfile and compose.yaml take from a registry, one a line.
base_images() {
  sed -nE 's/^FROM (--platform=[^ ]+ )?([^ ]+:[^ ]+).*/\2/p' deploy/Dockerfile
  sed -nE 's/^ +image: ([^ ]+:[^ ]+)$/\1/p' deploy/compose/compose.yaml
}

# A Debian without what containers do not need, as the "slim" images are: debian_files SUITE ARCHITECTURE PACKAGES FOLDER
# shellcheck disable=SC2016
debian_files() {
  mmdebstrap --quiet --variant=minbase --architectures="$2" --include="$3" --aptopt='Apt::Install-Recommends "false"' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/info/*' \
    --customize-hook='rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*' "$1" "$4"
}

# Makes a folder an image for this machine's processor: as_image FOLDER NAME CHANGES...
as_image() {
  local folder="$1" name="$2" change changes=()
  shift 2
  for change in "LABEL $STAND_IN=1" "$@"; do changes+=(--change "$change"); done
  tar -C "$folder" -c --numeric-owner --exclude='./dev/*' . | "$engine" import "${changes[@]}" - "$name" >/dev/null
}

# Debian slim of a suite: stand_in_debian NAME SUITE ARCHITECTURE FOLDER
stand_in_debian() {
  debian_files "$2" "$3" base-files "$4" && as_image "$4" "$1" 'CMD ["bash"]'
}

# Node.js on it, in /usr/local, with npm, and with the user "node": stand_in_node NAME SUITE ARCHITECTURE FOLDER
stand_in_node() {
  local name="$1" suite="$2" arch="$3" root="$4" cpu="${3/amd64/x64}"
  debian_files "$suite" "$arch" base-files "$root" || return 1
  tar -xzf "$(node_archive "$cpu")" -C "$root/usr/local" --strip-components=1 package/bin package/include package/share || return 1
  local npm="$root/usr/local/lib/node_modules/npm"
  mkdir -p "$npm" "$root/usr/local/etc"
  (cd "$root/tmp" && npm pack --silent "npm@$NPM_VERSION" >/dev/null) || { echo "npm pack npm@$NPM_VERSION failed"; return 1; }
  tar -xzf "$root/tmp/npm-$NPM_VERSION.tgz" -C "$npm" --strip-components=1 && rm "$root/tmp/npm-$NPM_VERSION.tgz"
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/local/bin/npm"
  ln -s ../lib/node_modules/npm/bin/npx-cli.js "$root/usr/local/bin/npx"
  # The registry's certificate may be one that this machine alone knows.
  mkdir -p "$root/etc/ssl/certs"
  cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/" && echo 'cafile=/etc/ssl/certs/ca-certificates.crt' >"$root/usr/local/etc/npmrc"
  echo 'node:x:1000:1000::/home/node:/bin/bash' >>"$root/etc/passwd"
  echo 'node:x:1000:' >>"$root/etc/group"
  install -d -o 1000 -g 1000 "$root/home/node"
  as_image "$root" "$name" 'CMD ["node"]'
}

# Debian's mosquitto, and the official image's folders and user: stand_in_mosquitto NAME SUITE ARCHITECTURE FOLDER
stand_in_mosquitto() {
  local name="$1" suite="$2" arch="$3" root="$4"
  debian_files "$suite" "$arch" base-files,mosquitto "$root" || return 1
  sed -i -E 's/^mosquitto:x:[0-9]+:[0-9]+:/mosquitto:x:1883:1883:/' "$root/etc/passwd"
  sed -i -E 's/^mosquitto:x:[0-9]+:/mosquitto:x:1883:/' "$root/etc/group"
  mkdir -p "$root"/mosquitto/{config,data,log}
  chown -R 1883:1883 "$root/mosquitto"
  printf 'listener 1883 127.0.0.1\n' >"$root/mosquitto/config/mosquitto.conf"
  # shellcheck disable=SC2016
  printf '#!/bin/sh\nset -e\n[ "$(id -u)" != 0 ] || chown -R mosquitto:mosquitto /mosquitto\nexec "$@"\n' >"$root/docker-entrypoint.sh"
  chmod 755 "$root/docker-entrypoint.sh"
  as_image "$root" "$name" 'VOLUME ["/mosquitto/data", "/mosquitto/log"]' 'ENTRYPOINT ["/docker-entrypoint.sh"]' \
    'CMD ["/usr/sbin/mosquitto", "-c", "/mosquitto/config/mosquitto.conf"]'
}

# Makes what is missing: make_stand_in NAME
make_stand_in() {
  local name="$1" arch kind work code=0
  arch="$(dpkg --print-architecture)"
  case "$name" in
    node:20-trixie-slim) kind=node ;;
    debian:trixie-slim) kind=debian ;;
    eclipse-mosquitto:*) kind=mosquitto ;;
    *) echo "$name: there is no stand-in for it"; return 1 ;;
  esac
  work="$(mktemp -d)"
  "stand_in_$kind" "docker.io/$(library "$name")" trixie "$arch" "$work/root" || code=1
  rm -rf "$work"
  return $code
}

# Images without an owner are "library/..." by their full name.
library() { case "$1" in */*) echo "$1" ;; *) echo "library/$1" ;; esac; }

# Removes them; never a real image.
remove_stand_ins() {
  local images
  mapfile -t images < <("$engine" images --quiet --filter "label=$STAND_IN=1" | sort -u)
  [ "${#images[@]}" = 0 ] || "$engine" rmi --force "${images[@]}" >/dev/null
}
