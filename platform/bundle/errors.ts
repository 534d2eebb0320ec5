import { DeepcodError, ExitCode } from '../errors.js';

/** @param code `bundle_missing`, `bundle_json`, `bundle_format`, `bundle_invalid`, `bundle_file`, `bundle_hash`, `bundle_path` */
export function bundleError(code: string, message: string, hint: string): DeepcodError {
  return new DeepcodError(code, message, hint, ExitCode.bundle);
}

/** What helps against every kind of damage. */
export const fetchAgain = 'Copy the whole bundle folder again from where it came from; a part of it is not enough.';
