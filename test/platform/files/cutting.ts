import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

type Calls = Record<string, (...args: unknown[]) => unknown>;

/** Half of what a call would write; undefined where it writes nothing. */
const half = (content: unknown): string | Uint8Array | undefined =>
  typeof content === 'string' || content instanceof Uint8Array ? content.slice(0, content.length >> 1) : undefined;

/**
 * From the `left`-th change of a file on nothing changes any more, as in a power cut. A write that is cut brings half of its
 * bytes.
 * @param die called in the place of that change and of all later ones; ends the process, or throws
 * @returns what makes files writable again
 */
export async function cutFiles(left: number, die: () => never): Promise<() => void> {
  let changes = 0;
  const undo: (() => void)[] = [];
  /** @param writes place of the content among the arguments */
  const cut = (calls: Calls, name: string, writes?: number): void => {
    const real = calls[name];
    undo.push(() => {
      calls[name] = real;
    });
    calls[name] = function (this: unknown, ...args: unknown[]) {
      const isLate = calls === late || calls === methods;
      if (++changes < left) return real.apply(this, args);
      const part = changes === left && writes !== undefined ? half(args[writes]) : undefined;
      if (part === undefined) return isLate ? new Promise(die) : die();
      // Of a handle's `write`, the place in the file comes last.
      const position = typeof args[3] === 'number' ? [0, part.length, args[3]] : [];
      const done = real.apply(this, [...args.slice(0, writes), part, ...position]);
      return done instanceof Promise ? done.then(die) : die();
    };
  };
  const sync = fs as unknown as Calls;
  const late = fs.promises as unknown as Calls;
  const handle = await fs.promises.open(process.execPath, 'r');
  const methods = Object.getPrototypeOf(handle) as Calls;
  await handle.close();
  for (const name of 'mkdirSync openSync fsyncSync fchmodSync renameSync linkSync unlinkSync'.split(' '))
    cut(sync, name);
  for (const name of ['writeSync', 'writeFileSync']) cut(sync, name, 1);
  for (const name of 'open mkdir mkdtemp rename link unlink rm truncate copyFile chmod'.split(' ')) cut(late, name);
  cut(late, 'writeFile', 1);
  for (const name of 'sync datasync truncate chmod'.split(' ')) cut(methods, name);
  for (const name of ['write', 'writeFile']) cut(methods, name, 0);
  syncBuiltinESMExports();
  return () => {
    for (const back of undo) back();
    syncBuiltinESMExports();
  };
}
