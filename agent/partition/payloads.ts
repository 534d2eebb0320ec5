import type { Choice } from './choices.js';

/** Weight of the newest frame in what pictures are like at present. */
const NEWEST = 0.2;

/**
 * How long frame messages will be. The manifest knows the mean of frames that stand alone; how rich this camera's
 * pictures are, and how much shorter frames are that hold only what changed, is learnt from what was sent and
 * expected of all (partition, rate) pairs alike. A pair not in use begins with a frame that stands alone.
 */
export class PayloadModel {
  /** Bytes of frames that stand alone, times the manifest's mean. */
  #richness = 1;
  /** Bytes of predicted frames, times those of frames that stand alone. Cameras that stand still measured 0.1 to 0.35. */
  #change = 0.35;
  #answerBytes = 600;

  /** @param predicts whether frames of a choice can hold only what changed */
  constructor(readonly predicts: (choice: Choice) => boolean) {}

  /** Bytes of an answer, lately. */
  get answer(): number {
    return this.#answerBytes;
  }

  /** Bytes of a frame that stands alone. */
  key(choice: Choice): number {
    return choice.id === 'raw' ? choice.bytes : choice.bytes * this.#richness;
  }

  /** Bytes of a frame in the long run. */
  usual(choice: Choice): number {
    return this.predicts(choice) ? this.key(choice) * this.#change : this.key(choice);
  }

  /** A frame was sent. @param bytes of the message @param key whether it stood alone */
  sent(choice: Choice, bytes: number, key: boolean): void {
    if (choice.id === 'raw' || choice.bytes === 0) return;
    if (key) this.#richness += NEWEST * (bytes / choice.bytes - this.#richness);
    else this.#change += NEWEST * (Math.min(1, bytes / this.key(choice)) - this.#change);
  }

  /** An answer came. */
  answered(bytes: number): void {
    this.#answerBytes += NEWEST * (bytes - this.#answerBytes);
  }
}
