import type { Bundle } from '../../platform/bundle.js';

/** How frames of one partition point of one bundle become a model's input. `raw` and `jpeg` are among them. */
export interface Route {
  /** Unique: frames with the same key can share a batch. */
  readonly key: string;
  readonly bundle: Bundle;
  /** Partition id, `raw` or `jpeg`. */
  readonly partition: string;
  /** Valid rates are 0..rates-1. */
  readonly rates: number;
  /** Absolute path of the model. */
  readonly model: string;
  /** Name of the model's uint8 input [N, ...dims]. */
  readonly input: 'symbols' | 'picture';
  readonly dims: readonly [height: number, width: number, channels: number];
  /** Bytes of one picture's input: the product of dims. */
  readonly cells: number;
  /** Shortest and longest payload that can be right. */
  readonly minBytes: number;
  readonly maxBytes: number;
  /** A payload of rate 0 to measure with: mostly even, as codes of pictures are. */
  sample(): Uint8Array;
  /** Of a picture that has to be decoded first: its pixels, letterboxed. @throws JpegError */
  decodePicture?(payload: Uint8Array, source: { sourceWidth: number; sourceHeight: number }): Promise<Uint8Array>;
  /** @throws HuffmanError for a payload that is not exactly one frame */
  decode(payload: Uint8Array, rate: number, out: Uint8Array): void;
  /** The same for symbols predicted from a reference's; absent where there are no tables for it. */
  decodeInter?(coded: Uint8Array, reference: Uint8Array, rate: number, out: Uint8Array): void;
}
