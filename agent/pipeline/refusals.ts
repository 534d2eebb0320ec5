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

/** How often the same refusal is said again, ms. */
const AGAIN_MS = 60_000;

/** Says why an edge refuses frames, once per reason and minute, not once per frame. */
export class Refusals {
  readonly #said = new Map<string, number>();

  constructor(readonly log: Log) {}

  /** @returns whether the next frame will be refused as well */
  note({ worker, error }: FrameFailure, now = performance.now()): boolean {
    const key = `${worker} ${error.code}`;
    if (now - (this.#said.get(key) ?? Number.NEGATIVE_INFINITY) >= AGAIN_MS) {
      this.#said.set(key, now);
      if (this.#said.size > 64) this.#said.delete(this.#said.keys().next().value as string);
      this.log.error(`edge ${worker} refuses frames: ${error.message}`, { code: error.code, hint: error.hint });
    }
    return lasting.has(error.code);
  }

  /** A frame was answered: what comes next is news again. */
  clear(): void {
    this.#said.clear();
  }
}
