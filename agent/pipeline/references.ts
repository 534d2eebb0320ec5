import { codeChecksum, REFERENCE_WINDOW } from '../../protocol/reference.js';

/** A frame that the edge is known to have: others can be predicted from it. */
export interface Reference {
  readonly frame: number;
  readonly symbols: Uint8Array;
  readonly checksum: number;
}

/** A coded frame that was sent. */
export interface SentCode {
  frame: number;
  partition: number;
  rate: number;
  symbols: Uint8Array;
}

interface Kept extends SentCode {
  /** It was the so many-th coded frame. */
  ordinal: number;
  key: boolean;
}

/** Longest pause after references were missing again and again, frames. */
const LONGEST_PAUSE = 64;

/**
 * Which frame the next one may be predicted from: the last one that an edge has answered. Keeps the symbols of frames on
 * their way and of one answered frame. A loss, another partition or rate, another edge or one that the broker chooses, and the
 * key interval each make the next frame a key frame.
 */
export class References {
  readonly #onTheWay = new Map<number, Kept>();
  #answered: (Kept & { worker: string; checksum?: number }) | undefined;
  #ordinal = 0;
  #keyAt = Number.NEGATIVE_INFINITY;
  /** Key frames to send before the next prediction, and after the next missing reference. */
  #pause = 0;
  #nextPause = 1;

  /**
   * @param keyIntervalMs a key frame at least so often; 0: every frame is one
   */
  constructor(readonly keyIntervalMs: number) {}

  /** Frames whose symbols are kept. */
  get size(): number {
    return this.#onTheWay.size + (this.#answered ? 1 : 0);
  }

  /**
   * The reference for the next frame.
   * @param edge who will get it; undefined: the broker chooses
   * @param now performance.now()
   * @returns undefined: it must stand alone
   */
  choose(frame: number, partition: number, rate: number, edge: string | undefined, now: number): Reference | undefined {
    const last = this.#answered;
    if (last === undefined || this.#pause > 0 || now - this.#keyAt >= this.keyIntervalMs) return undefined;
    if (last.partition !== partition || last.rate !== rate || last.worker !== edge) return undefined;
    if (this.#ordinal - last.ordinal >= REFERENCE_WINDOW || frame - last.frame > 0xffff) return undefined;
    // Only now: frames that none refers to need no checksum.
    last.checksum ??= codeChecksum(last.symbols);
    return { frame: last.frame, symbols: last.symbols, checksum: last.checksum };
  }

  /** A coded frame goes out; the same number again replaces the one before. @param now performance.now() */
  sent(code: SentCode, key: boolean, now: number): void {
    this.#onTheWay.set(code.frame, { ...code, key, ordinal: ++this.#ordinal });
    if (!key) return;
    this.#keyAt = now;
    if (this.#pause > 0) this.#pause--;
  }

  /** An edge answered a frame: it has decoded it. */
  answered(frame: number, worker: string): void {
    const code = this.#onTheWay.get(frame);
    this.#onTheWay.delete(frame);
    if (code && !code.key) this.#nextPause = 1;
    if (code === undefined || (this.#answered && this.#answered.frame > frame)) return;
    this.#answered = { ...code, worker };
  }

  /** A frame came to nothing, and its edge may have forgotten everything. */
  lost(frame: number): void {
    this.#onTheWay.delete(frame);
    this.#answered = undefined;
  }

  /** A frame was not worked on, by an edge that has what it had. */
  skipped(frame: number): void {
    this.#onTheWay.delete(frame);
  }

  /** An edge has not the reference of a frame: key frames, twice as many each time in a row. */
  missing(): void {
    this.#answered = undefined;
    this.#pause = this.#nextPause;
    this.#nextPause = Math.min(LONGEST_PAUSE, 2 * this.#nextPause);
  }

  /** The edge does not read predicted frames at all. */
  giveUp(): void {
    this.#answered = undefined;
    this.#pause = Number.POSITIVE_INFINITY;
  }
}
