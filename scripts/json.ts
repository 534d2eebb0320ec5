import { writeFileSync } from 'node:fs';
import { DeepcodError, ExitCode } from '../platform/errors.js';

/** Writes what a command's `--json` asks for. @throws DeepcodError `report_unwritable` (exit code 2) */
export function writeReport(file: string, report: object): void {
  try {
    writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
  } catch (error) {
    throw new DeepcodError(
      'report_unwritable',
      `--json ${file}: ${(error as Error).message}`,
      undefined,
      ExitCode.usage,
    );
  }
}
