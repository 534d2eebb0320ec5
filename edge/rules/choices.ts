import type { Decision } from '../../protocol/decision.js';
import type { FrameResult } from '../../protocol/result.js';

/** Cameras whose choice is remembered. */
const MOST = 2000;

/** What a device changed to, and why, where it said so. */
export type ChoiceChange = Pick<FrameResult, 'partition' | 'rate'> & Partial<Pick<Decision, 'reason' | 'why'>>;

/** Where each camera's network was cut last. */
export class Choices {
  readonly #last = new Map<string, string>();

  /** @param decision the newest of the device, where known @returns what is to be kept, if this is not as the last one */
  changed(
    camera: string,
    { partition, rate, frame }: FrameResult,
    decision: Decision | undefined,
  ): ChoiceChange | undefined {
    const choice = `${partition}/${rate}`;
    if (this.#last.get(camera) === choice) return undefined;
    this.#last.delete(camera);
    this.#last.set(camera, choice);
    if (this.#last.size > MOST) this.#last.delete(this.#last.keys().next().value as string);
    // A decision is of this choice only if it says the same, and is not of a later frame.
    const same = decision && decision.partition === partition && decision.rate === rate && decision.frame <= frame;
    return { partition, rate, ...(same && { reason: decision.reason, why: decision.why }) };
  }

  forget(camera: string): void {
    this.#last.delete(camera);
  }
}
