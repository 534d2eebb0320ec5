import { mkdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { installStandIns } from '../../test/agent/camera/stand-in/install.js';

/**
 * Puts what the tests have for rpicam-vid and rpicam-hello where an agent finds them: processes of their own, planes of YUV, as
 * on a device.
 * @param folder for the programs @returns a variable for the agent
 */
export function standInCamera(folder: string): Record<string, string> {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  installStandIns(bin, ['rpicam-vid', 'rpicam-hello']);
  return { PATH: `${bin}${delimiter}${process.env.PATH}` };
}
