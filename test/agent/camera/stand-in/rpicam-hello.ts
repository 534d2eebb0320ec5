/** Stands in for rpicam-hello --list-cameras: prints the listing that the behaviour file names. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../../../platform/root.js';
import { behaviour, die, sleepMs } from './behaviour.js';

if (process.argv.slice(2).join(' ') !== '--list-cameras') die('ERROR: *** only --list-cameras here ***');
const { list = 'imx708-v3-pi5', listMs = 0 } = behaviour();
sleepMs(listMs);
process.stdout.write(readFileSync(join(packageRoot(), 'test/fixtures/cameras', `${list}.txt`), 'utf8'));
