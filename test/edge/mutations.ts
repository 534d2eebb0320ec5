import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { FRAME_HEADER_BYTES, frameChecksum } from '../../protocol/index.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** xorshift32: the same messages in every run. */
export class Random {
  #state: number;
  constructor(seed: number) {
    this.#state = seed;
  }
  below(n: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) % n;
  }
  bytes(n: number): Uint8Array {
    return Uint8Array.from({ length: n }, () => this.below(256));
  }
  of<T>(items: readonly T[]): T {
    return items[this.below(items.length)];
  }
}

/** Makes the checksum and the announced length right again, so that what lies behind them is reached. */
export function repair(message: Uint8Array): Uint8Array {
  if (message.length < FRAME_HEADER_BYTES) return message;
  const view = new DataView(message.buffer, message.byteOffset, message.length);
  view.setUint32(28, message.length - FRAME_HEADER_BYTES, true);
  view.setUint32(32, frameChecksum(message), true);
  return message;
}

export function flipBits(message: Uint8Array, random: Random, from = 0): Uint8Array {
  const changed = message.slice();
  for (let n = 1 + random.below(8); n > 0; n--) {
    changed[from + random.below(changed.length - from)] ^= 1 << random.below(8);
  }
  return changed;
}

export type Mutation = (message: Uint8Array, random: Random) => Uint8Array;

/** What may become of a message of any coding. */
export const mutations = {
  'bits flipped': (m, r) => flipBits(m, r),
  'bits flipped, checksum right': (m, r) => repair(flipBits(m, r)),
  'payload bits flipped, checksum right': (m, r) => repair(flipBits(m, r, FRAME_HEADER_BYTES)),
  'cut short': (m, r) => m.slice(0, r.below(m.length)),
  'cut short, checksum right': (m, r) =>
    repair(m.slice(0, FRAME_HEADER_BYTES + r.below(m.length - FRAME_HEADER_BYTES + 1))),
  extended: (m, r) => Buffer.concat([m, r.bytes(1 + r.below(64))]),
  'extended, checksum right': (m, r) => repair(Buffer.concat([m, r.bytes(1 + r.below(64))])),
  'random header, checksum right': (m, r) => {
    const changed = m.slice();
    // Magic and version stay, and mostly the bundle; the rest is anything.
    changed.set(r.bytes(1), 3);
    if (r.below(4) === 0) changed.set(r.bytes(8), 4);
    changed.set(r.bytes(16), 12);
    if (r.below(2) === 0) changed[20] = 0;
    if (r.below(2) === 0) changed[3] = 1 + r.below(2);
    if (r.below(4) > 0) changed.fill(0, 22, 24);
    if (r.below(8) === 0) changed[22] = 1;
    if (r.below(8) === 0) changed.fill(0, 24, 28);
    return repair(changed);
  },
  'random payload, checksum right': (m, r) => {
    const changed = Uint8Array.from([...m.subarray(0, FRAME_HEADER_BYTES), ...r.bytes(1 + r.below(120))]);
    return repair(changed);
  },
  'any announced length': (m, r) => {
    const changed = m.slice();
    changed.set(r.bytes(4), 28);
    return changed;
  },
  'nothing but noise': (_m, r) => r.bytes(r.below(200)),
} satisfies Record<string, Mutation>;

/** Bytes of heap and buffers after a collection. Array buffers are freed behind the collector's back: it gets turns. */
export async function memory(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    collectGarbage();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return heapUsed + external + arrayBuffers;
}
