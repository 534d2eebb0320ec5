import { Seldom } from '../../platform/log/seldom.js';
import type { Log } from '../../platform/log.js';
import type { FrameFailure } from '../../protocol/result.js';

/** Refusals that the next frame will meet too: trying on makes no sense until something changes at the edge. */
const lasting = new Set([
  'unknown_bundle',
  'unknown_partition',
  'unknown_rate',
  'unsupported_version',
  'unsupported_coding',
]);

/** Says why an edge refuses frames: once per reason and minute, not once per frame. */
export class Refusals {
  readonly #seldom = new Seldom();

  constructor(readonly log: Log) {}

  /** @returns whether the next frame will be refused as well */
  note({ worker, error }: FrameFailure): boolean {
    const lasts = lasting.has(error.code);
    if (this.#seldom.now(`${worker} ${error.code}`)) {
      const level = lasts ? 'error' : 'warn';
      this.log[level](`edge ${worker} refuses frames: ${error.message}`, { code: error.code, hint: error.hint });
    }
    return lasts;
  }

  /** A frame was answered: what comes next is news again. */
  clear(): void {
    this.#seldom.clear();
  }
}
