import { readFileSync } from 'node:fs';
import type { Bundle } from '../../platform/bundle.js';
import { DeepcodError, ExitCode } from '../../platform/errors.js';
import { Coding, encodeFrame, PARTITION_RAW } from '../../protocol/frame.js';
import { fitPicture } from '../../protocol/letterbox.js';
import { REFERENCE_CHECKSUM_BYTES, writePredicted } from '../../protocol/reference.js';
import { openCoder, type SymbolCoder } from '../huffman/index.js';
import type { Code } from './head.js';
import { holdSymbols } from './hold.js';
import { encodeJpeg } from './jpeg.js';
import type { Reference } from './references.js';

/** What the header says about the picture. */
export interface FrameInfo {
  frame: number;
  sourceWidth: number;
  sourceHeight: number;
}

/** A predicted frame is compared with a key frame if it is longer than this share of recent key frames. */
const WORTH_COMPARING = 0.9;
/** Weight of the newest key frame in their mean length. */
const NEWEST = 0.2;

/** One partition point's coder, and the mean payload of recent key frames by rate. */
interface Point {
  coder: SymbolCoder;
  usual: number[];
}

/** From symbols or pixels to a frame message. One coder per partition point, one workspace for all. */
export class FrameEncoder {
  readonly #points: Point[];
  readonly #workspace: Uint8Array;
  readonly #second: Uint8Array;

  /** @param session random number of this start @throws DeepcodError `bundle_entropy` */
  constructor(
    readonly bundle: Bundle,
    readonly session: number,
  ) {
    this.#points = bundle.manifest.partitions.map(({ entropy, code }) => {
      const path = bundle.file(entropy);
      try {
        return { coder: openCoder(JSON.parse(readFileSync(path, 'utf8')), code), usual: [] };
      } catch (error) {
        throw new DeepcodError(
          'bundle_entropy',
          `${path}: entropy tables cannot be used: ${(error as Error).message}`,
          'Export the bundle again with the toolkit that belongs to this version.',
          ExitCode.bundle,
        );
      }
    });
    const most = (points: Point[]) => Math.max(0, ...points.map(({ coder }) => coder.maxBytes));
    this.#workspace = new Uint8Array(REFERENCE_CHECKSUM_BYTES + most(this.#points));
    this.#second = new Uint8Array(most(this.#points.filter(({ coder }) => coder.inter)));
  }

  /** Whether the bundle has tables to predict frames of a partition point. */
  predicts(partition: number): boolean {
    return this.#points[partition].coder.inter;
  }

  /**
   * A key frame.
   * @param symbols HWC, of the partition's code shape @returns a new message @throws HuffmanError, FrameError
   */
  symbols(partition: number, rate: number, symbols: Uint8Array, info: FrameInfo): Uint8Array {
    const length = this.#key(partition, rate, symbols, this.#workspace);
    return encodeFrame(this.#header(info, Coding.intra, partition, rate), this.#workspace.subarray(0, length));
  }

  /**
   * A frame predicted from a reference, or a key frame where that is shorter.
   * @param code of the partition's code shape; its symbols become those that the message holds
   * @returns a new message, and which it is
   * @throws HuffmanError, FrameError
   */
  shortest(
    partition: number,
    rate: number,
    code: Code,
    info: FrameInfo,
    reference: Reference,
  ): { message: Uint8Array; key: boolean } {
    const { coder, usual } = this.#points[partition];
    const { symbols } = code;
    holdSymbols(code, reference.symbols);
    const length = writePredicted(this.#workspace, reference.checksum, (room) =>
      coder.encodeInter(symbols, reference.symbols, rate, room),
    );
    // Coding a frame twice takes time: only where it may be of use.
    if (usual[rate] === undefined || length > WORTH_COMPARING * usual[rate]) {
      const key = this.#key(partition, rate, symbols, this.#second);
      if (key <= length) {
        const message = encodeFrame(this.#header(info, Coding.intra, partition, rate), this.#second.subarray(0, key));
        return { message, key: true };
      }
    }
    const header = this.#header(info, Coding.inter, partition, rate, info.frame - reference.frame);
    return { message: encodeFrame(header, this.#workspace.subarray(0, length)), key: false };
  }

  /** @param picture letterboxed input, as it is @returns a new message @throws FrameError */
  pixels(picture: Uint8Array, info: FrameInfo): Uint8Array {
    return encodeFrame(this.#header(info, Coding.raw, PARTITION_RAW, 0), picture);
  }

  /**
   * @param rate index of the manifest's `pictures` @param picture letterboxed input, unchanged until this is done
   * @returns a new message @throws FrameError
   */
  async jpeg(rate: number, picture: Uint8Array, info: FrameInfo): Promise<Uint8Array> {
    const { input, pictures = [] } = this.bundle.manifest;
    const fit = fitPicture(input, info.sourceWidth, info.sourceHeight);
    const file = await encodeJpeg(picture, input, fit, pictures[rate].quality);
    return encodeFrame(this.#header(info, Coding.jpeg, PARTITION_RAW, rate), file);
  }

  #key(partition: number, rate: number, symbols: Uint8Array, out: Uint8Array): number {
    const { coder, usual } = this.#points[partition];
    const length = coder.encode(symbols, rate, out);
    usual[rate] = (usual[rate] ?? length) * (1 - NEWEST) + length * NEWEST;
    return length;
  }

  #header(info: FrameInfo, coding: Coding, partition: number, rate: number, reference = 0) {
    return { ...info, coding, partition, rate, bundleId: this.bundle.id, session: this.session, reference };
  }
}
