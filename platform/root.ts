import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Folder of package.json: where files that are not code (web page, default bundle) are found, run from dist/ or not. */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error('package.json not found above platform/: the installation is incomplete');
    folder = parent;
  }
  return folder;
}

/** Folder of the bundle that comes with the package. */
export const defaultBundle = (): string => join(packageRoot(), 'models', 'onnx', 'worksite');
