import { readFile } from 'node:fs/promises';
import { DeepcodError, ExitCode } from '../../platform/errors.js';
import type { BaselineRow, Baselines } from './baselines.js';

/** What `deepcod evaluate --partition jpeg` says of one quality. */
interface Evaluated {
  partition: string;
  rate: number;
  accuracy: { ap: number; ap_relative: number };
  /** Mean and its interval, header included. */
  bytes_per_frame: [number, number, number];
  steps_ms: { encode: number; decode: number };
}

/**
 * The rows of our own agent when it sends the picture itself, as it may where `pictures: true` allows it: JPEG as measured by
 * `deepcod evaluate`, before the whole service.
 * @throws DeepcodError (exit code 2) for a file that is not such a report
 */
export async function readPictures(file: string, { uncompressed }: Baselines): Promise<BaselineRow[]> {
  try {
    const { rows } = JSON.parse(await readFile(file, 'utf8')) as { rows: Evaluated[] };
    return rows.map(({ rate, accuracy, bytes_per_frame, steps_ms }) => ({
      method: 'ours-pictures',
      partition: 'jpeg',
      setting: rate,
      kb: bytes_per_frame[0] / 1024,
      ap: accuracy.ap,
      ap_relative: accuracy.ap_relative,
      device_ms: steps_ms.encode,
      edge_ms: steps_ms.decode + uncompressed.network_ms,
    }));
  } catch (error) {
    throw new DeepcodError(
      'pictures',
      `${file}: no evaluation of JPEG files: ${(error as Error).message}`,
      'Measure them: deepcod evaluate --bundle DIR --partition jpeg --json FILE.',
      ExitCode.usage,
    );
  }
}
