/** A whole picture, as bytes. */
export interface RawFrame {
  data: Uint8Array;
  /** Which of the reader's sizes it has. */
  size: number;
  /** performance.now() when its first byte came. */
  at: number;
}

/**
 * Cuts a stream into frames of one size. Holds one frame, whatever comes.
 *
 * Programs write a frame at a time, with a pause after each. Where the caller tells the pauses, the reader learns two things
 * from them: which of several sizes the frames have (how rows are padded depends on the hardware), and that a frame ended
 * too early: that one is left out, and the next begins where the stream goes on.
 */
export class FrameReader {
  readonly #sizes: readonly number[];
  readonly #give: (frame: RawFrame) => Uint8Array | undefined;
  #size: number;
  #settled: boolean;
  #frame: Uint8Array;
  #filled = 0;
  #at = 0;
  /** Bytes since the last pause. */
  #burst = 0;
  #broken = 0;

  /**
   * @param sizes bytes that a frame may have, the usual one first
   * @param give takes each frame, and may give back memory of a frame that nobody needs
   */
  constructor(sizes: readonly number[], give: (frame: RawFrame) => Uint8Array | undefined) {
    this.#sizes = sizes;
    this.#give = give;
    this.#size = sizes[0];
    this.#settled = sizes.length === 1;
    this.#frame = new Uint8Array(Math.max(...sizes));
  }

  /** Frames that were left out because a part of them never came. */
  get broken(): number {
    return this.#broken;
  }

  /** Whether a pause would tell something. */
  get curious(): boolean {
    return this.#filled > 0;
  }

  /** @param now performance.now() */
  push(chunk: Uint8Array, now: number): void {
    this.#burst += chunk.length;
    let from = 0;
    while (from < chunk.length) {
      if (this.#filled === 0) this.#at = now;
      // until its size is known, a frame is held back until the pause after it
      const most = this.#settled ? this.#size : this.#frame.length;
      const part = chunk.subarray(from, from + most - this.#filled);
      this.#frame.set(part, this.#filled);
      this.#filled += part.length;
      from += part.length;
      if (this.#filled === most) {
        if (this.#settled) this.#whole();
        else if (from < chunk.length) this.#settle(this.#size);
      }
    }
  }

  /** The stream paused: nothing came for a while, and nothing was on its way. */
  pause(): void {
    const burst = this.#burst;
    this.#burst = 0;
    if (this.#filled === 0) return;
    if (this.#sizes.includes(burst)) {
      this.#size = burst;
      this.#settled = true;
      if (this.#filled === burst) {
        this.#whole();
        return;
      }
      this.#frame = new Uint8Array(burst);
    }
    this.#broken++;
    this.#filled = 0;
  }

  /** No pause came: the frames are taken for `size` bytes long. */
  #settle(size: number): void {
    this.#settled = true;
    this.#size = size;
    const rest = this.#frame.slice(size, this.#filled);
    this.#filled = size;
    this.#burst -= rest.length;
    this.#whole();
    this.push(rest, this.#at);
  }

  #whole(): void {
    const data = this.#filled === this.#frame.length ? this.#frame : this.#frame.slice(0, this.#filled);
    this.#filled = 0;
    const used = this.#give({ data, size: this.#size, at: this.#at });
    this.#frame = used?.length === this.#size ? used : new Uint8Array(this.#size);
  }
}
