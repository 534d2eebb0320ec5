import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../../../platform/root.js';

/** Makes programs of this folder, under their own names, in a folder for PATH. */
export function installStandIns(bin: string, programs: readonly string[]): void {
  for (const name of programs) {
    const script = join(packageRoot(), 'dist/test/agent/camera/stand-in', `${name}.js`);
    writeFileSync(join(bin, name), `#!${process.execPath}\nimport(${JSON.stringify(script)});\n`);
    chmodSync(join(bin, name), 0o755);
  }
}
