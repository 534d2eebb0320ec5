import { readFileSync } from 'node:fs';
import type { Bundle } from '../../platform/bundle.js';
import { DeepcodError, ExitCode } from '../../platform/errors.js';
import { Coding, encodeFrame, PARTITION_RAW } from '../../protocol/frame.js';
import { openCoder, type SymbolCoder } from '../huffman/index.js';

/** What the header says about the picture. */
export interface FrameInfo {
  frame: number;
  sourceWidth: number;
  sourceHeight: number;
}

/** From symbols or pixels to a frame message. One coder per partition point, one workspace for all. */
export class FrameEncoder {
  readonly #coders: SymbolCoder[];
  readonly #workspace: Uint8Array;

  /** @param session random number of this start @throws DeepcodError `bundle_entropy` */
  constructor(
    readonly bundle: Bundle,
    readonly session: number,
  ) {
    this.#coders = bundle.manifest.partitions.map(({ entropy, code }) => {
      const path = bundle.file(entropy);
      try {
        return openCoder(JSON.parse(readFileSync(path, 'utf8')), code);
      } catch (error) {
        throw new DeepcodError(
          'bundle_entropy',
          `${path}: entropy tables cannot be used: ${(error as Error).message}`,
          'Export the bundle again with the toolkit that belongs to this version.',
          ExitCode.bundle,
        );
      }
    });
    this.#workspace = new Uint8Array(Math.max(0, ...this.#coders.map(({ maxBytes }) => maxBytes)));
  }

  /** @param symbols HWC, of the partition's code shape @returns a new message @throws HuffmanError, FrameError */
  symbols(partition: number, rate: number, symbols: Uint8Array, info: FrameInfo): Uint8Array {
    const length = this.#coders[partition].encode(symbols, rate, this.#workspace);
    return encodeFrame(this.#header(info, Coding.intra, partition, rate), this.#workspace.subarray(0, length));
  }

  /** @param picture letterboxed input, as it is @returns a new message @throws FrameError */
  pixels(picture: Uint8Array, info: FrameInfo): Uint8Array {
    return encodeFrame(this.#header(info, Coding.raw, PARTITION_RAW, 0), picture);
  }

  #header(info: FrameInfo, coding: Coding, partition: number, rate: number) {
    return { ...info, coding, partition, rate, bundleId: this.bundle.id, session: this.session, reference: 0 };
  }
}
