import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { packageRoot } from '../../platform/root.js';

/**
 * Puts what the tests have for rpicam-vid and rpicam-hello where an agent finds them: processes of their own, planes of YUV, as
 * on a device.
 * @param folder for the programs @returns a variable for the agent
 */
export function standInCamera(folder: string): Record<string, string> {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  for (const name of ['rpicam-vid', 'rpicam-hello']) {
    const script = join(packageRoot(), 'dist/test/agent/camera/stand-in', `${name}.js`);
    writeFileSync(join(bin, name), `#!${process.execPath}\nimport(${JSON.stringify(script)});\n`);
    chmodSync(join(bin, name), 0o755);
  }
  return { PATH: `${bin}${delimiter}${process.env.PATH}` };
}
