/**
 * Loaded before a program (`--import`): the process dies in the place of its DEEPCOD_CUT-th change of a file, as in a power
 * cut. A write that is cut brings half of its bytes.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

let left = Number(process.env.DEEPCOD_CUT);
const die = () => process.kill(process.pid, 'SIGKILL');
const calls = fs as unknown as Record<string, (...args: unknown[]) => unknown>;
for (const name of ['mkdirSync', 'openSync', 'fsyncSync', 'renameSync', 'writeSync']) {
  const real = calls[name];
  calls[name] = (...args) => {
    if (--left > 0) return real(...args);
    if (name === 'writeSync') {
      const [handle, bytes] = args as [number, Buffer];
      real(handle, bytes, 0, bytes.length >> 1);
    }
    return die();
  };
}
syncBuiltinESMExports();
