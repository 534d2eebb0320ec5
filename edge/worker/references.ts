import { Coding, type Frame } from '../../protocol/frame.js';
import { codeChecksum, REFERENCE_WINDOW } from '../../protocol/reference.js';

interface Code {
  symbols: Uint8Array;
  /** Worked out when the first frame refers to it. */
  checksum?: number;
}

/** Codes of one device; all of one stream: session, bundle, partition and rate. */
interface Line {
  stream: string;
  /** By frame number; a Map keeps the order in which they were decoded. */
  codes: Map<number, Code>;
  bytes: number;
}

/** What a code is charged beside its symbols, so that many tiny ones are bounded too. */
const OVERHEAD_BYTES = 1024;

/**
 * Decoded codes that later frames may be predicted from. Memory is bounded whatever arrives: a device has at most
 * REFERENCE_WINDOW codes, all of its latest stream; all devices together have `maxBytes`, and the one unused for longest
 * loses its codes first. What is missing costs its device one key frame.
 */
export class ReferenceStore {
  /** In the order of last use. */
  readonly #lines = new Map<string, Line>();
  #bytes = 0;

  /** @param maxBytes symbols and 1 KiB for each code */
  constructor(readonly maxBytes: number) {}

  get bytes(): number {
    return this.#bytes;
  }

  /** Devices with codes. */
  get devices(): number {
    return this.#lines.size;
  }

  /** Codes of one device. */
  count(device: string): number {
    return this.#lines.get(device)?.codes.size ?? 0;
  }

  /**
   * The code that a frame was predicted from.
   * @param frame with coding 2
   * @param checksum of the reference's symbols, from the payload
   * @returns undefined if it is not here, or is not the one that the sender means; valid until the next `keep`
   */
  find(device: string, frame: Frame, checksum: number): Uint8Array | undefined {
    const line = this.#lines.get(device);
    if (line === undefined || line.stream !== streamOf(frame)) return undefined;
    const code = line.codes.get(frame.frame - frame.reference);
    if (code === undefined) return undefined;
    code.checksum ??= codeChecksum(code.symbols);
    return code.checksum === checksum ? code.symbols : undefined;
  }

  /** Keeps a copy of a frame's decoded symbols. Codes before its own reference go: nobody refers to them any more. */
  keep(device: string, frame: Frame, symbols: Uint8Array): void {
    const stream = streamOf(frame);
    let line = this.#lines.get(device);
    if (line !== undefined && line.stream !== stream) {
      this.#drop(device, line);
      line = undefined;
    }
    line ??= { stream, codes: new Map(), bytes: 0 };
    const { codes } = line;
    let spare: Uint8Array | undefined;
    const forget = (number: number): void => {
      spare = codes.get(number)?.symbols;
      if (codes.delete(number) && spare) this.#charge(line, -spare.length - OVERHEAD_BYTES);
    };
    forget(frame.frame);
    if (frame.coding === Coding.inter) {
      for (const number of codes.keys()) if (number < frame.frame - frame.reference) forget(number);
    }
    if (codes.size >= REFERENCE_WINDOW) forget(codes.keys().next().value as number);

    const copy = spare?.length === symbols.length ? spare : new Uint8Array(symbols.length);
    copy.set(symbols);
    codes.set(frame.frame, { symbols: copy });
    this.#charge(line, copy.length + OVERHEAD_BYTES);
    this.#lines.delete(device);
    this.#lines.set(device, line);
    for (const [oldest, dropped] of this.#lines) {
      if (this.#bytes <= this.maxBytes) return;
      this.#drop(oldest, dropped);
    }
  }

  #charge(line: Line, bytes: number): void {
    line.bytes += bytes;
    this.#bytes += bytes;
  }

  #drop(device: string, line: Line): void {
    this.#bytes -= line.bytes;
    this.#lines.delete(device);
  }
}

const streamOf = ({ session, bundleId, partition, rate }: Frame): string =>
  `${session} ${bundleId} ${partition} ${rate}`;
