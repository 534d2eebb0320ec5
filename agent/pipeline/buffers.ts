import type { InputSpec } from '../../protocol/letterbox.js';
import { type Colours, pictureBytes } from './colours.js';

/** Buffers of one size that are used again and again, so that a frame allocates nothing of the picture's size. */
export class BufferPool {
  readonly #free: Uint8Array[] = [];

  /** @param bytes size of each @param most how many are kept */
  constructor(
    readonly bytes: number,
    readonly most = 8,
  ) {}

  /** A buffer with unspecified content. */
  take(): Uint8Array {
    return this.#free.pop() ?? new Uint8Array(this.bytes);
  }

  /** Gives a buffer back; one that was transferred away (length 0) or of another size is left to the collector. */
  give(buffer: Uint8Array): void {
    if (buffer.length === this.bytes && this.#free.length < this.most) this.#free.push(buffer);
  }
}

/** Buffers for letterboxed pictures; most agents ever need one kind. @param most how many of each kind are kept */
export function pictureBuffers(input: Pick<InputSpec, 'width' | 'height'>, most?: number): Record<Colours, BufferPool> {
  return {
    rgb: new BufferPool(pictureBytes(input, 'rgb'), most),
    yuv: new BufferPool(pictureBytes(input, 'yuv'), most),
  };
}
