import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { DeepcodError, ExitCode } from '../../../platform/errors.js';

/** Where a program is, as the shell would find it. */
export function findProgram(name: string): string | undefined {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    if (folder === '') continue;
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {}
  }
  return undefined;
}

/** @param remedy how it is installed @throws DeepcodError `camera_program_missing` */
export function needProgram(name: string, remedy: string): string {
  const path = findProgram(name);
  if (path) return path;
  throw new DeepcodError('camera_program_missing', `${name} is not installed`, remedy, ExitCode.camera);
}
