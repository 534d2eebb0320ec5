/** Mutated messages of the context form, which real bundles use; fuzz.test.ts has those of the plain form. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { HuffmanError, openCoder } from '../../agent/huffman/index.js';
import { Heads } from '../../agent/pipeline/head.js';
import { type EdgeBundle, openEdgeBundle } from '../../edge/worker/bundles.js';
import { Intake, isRefusal } from '../../edge/worker/intake.js';
import type { Job } from '../../edge/worker/job.js';
import { ReferenceStore } from '../../edge/worker/references.js';
import { decodeSymbols } from '../../edge/worker/symbols.js';
import { EdgeWorker } from '../../edge/worker/worker.js';
import { createLog } from '../../platform/log.js';
import { packageRoot } from '../../platform/root.js';
import {
  Coding,
  codeChecksum,
  encodeFrame,
  FRAME_HEADER_BYTES,
  REFERENCE_CHECKSUM_BYTES,
  rawBytes,
  Topics,
  writePredicted,
} from '../../protocol/index.js';
import { flipBits, type Mutation, memory, mutations, Random, repair } from './mutations.js';

const tinyContext = join(packageRoot(), 'test/fixtures/tiny-context-bundle');
const worksite = join(packageRoot(), 'models/onnx/worksite');
const seed = Number(process.env.FUZZ_SEED ?? 362436069);

/** 100,000 of a small code; fewer of each of the default bundle's, where one takes up to a millisecond. */
const tinyMessages = 100_000;
const worksiteMessages = { latest: 10_000, others: 2500 };
const workerMessages = 5000;

/** Processor time of one message, ms: far above any (milliseconds), far below what a stalled edge would need. */
const MOST_MS = 1000;
const MOST_GROWTH = 16 * 2 ** 20;
/** Buffers while messages come and go, not collected yet. */
const MOST_PEAK = 512 * 2 ** 20;

/** docs/protocol.md: what a frame may come to. */
const documented = new Set([
  ...[
    'frame_short',
    'frame_too_large',
    'frame_magic',
    'frame_length',
    'frame_crc',
    'frame_version',
    'frame_empty',
    'frame_coding',
  ],
  ...['frame_size', 'frame_partition', 'frame_reference', 'unknown_bundle', 'unknown_partition', 'unknown_rate'],
  ...['unsupported_coding', 'bad_payload', 'need_key_frame', 'decoded', 'decoded inter', 'pixels'],
  ...['truncated', 'trailing', 'padding', 'corrupt'].flatMap((code) => [`huffman ${code}`, `huffman ${code} inter`]),
]);

/** Bytes behind the symbols that must stay as they are. */
const GUARD = 64;

/** Numbers of the two frames that are there unmutated: the second is predicted from the first. */
const KEY = 10;
const NEXT = 11;

interface Seeds {
  /** Frames that stand alone, at several rates. */
  key: Uint8Array[];
  /** For each rate a key frame and one predicted from it; empty without tables for that. */
  pairs: { key: Uint8Array; inter: Uint8Array }[];
}

/** Messages as an agent would send them, of two pictures that differ in a corner, through the bundle's own head. */
async function seedsOf(edgeBundle: EdgeBundle, partition: number, rates: readonly number[]): Promise<Seeds> {
  const { bundle } = edgeBundle;
  const { entropy, code } = bundle.manifest.partitions[partition];
  const coder = openCoder(JSON.parse(readFileSync(bundle.file(entropy), 'utf8')), code);
  const out = new Uint8Array(REFERENCE_CHECKSUM_BYTES + coder.maxBytes);
  const seeds: Seeds = { key: [], pairs: [] };
  const heads = new Heads(bundle, 1);
  try {
    for (const rate of rates) {
      const [first, second] = [
        (await heads.run(partition, rate, picture(edgeBundle, false))).symbols,
        (await heads.run(partition, rate, picture(edgeBundle, true))).symbols,
      ];
      const fields = { bundleId: bundle.id, session: 77, partition, rate, sourceWidth: 640, sourceHeight: 480 };
      const intra = out.slice(0, coder.encode(first, rate, out));
      const key = encodeFrame({ ...fields, coding: Coding.intra, frame: KEY, reference: 0 }, intra);
      seeds.key.push(key);
      if (!coder.inter) continue;
      const predicted = writePredicted(out, codeChecksum(first), (room) =>
        coder.encodeInter(second, first, rate, room),
      );
      const header = { ...fields, coding: Coding.inter, frame: NEXT, reference: NEXT - KEY };
      seeds.pairs.push({ key, inter: encodeFrame(header, out.slice(0, predicted)) });
    }
  } finally {
    await heads.close();
  }
  return seeds;
}

/** Slopes, boxes and noise: something for every channel. */
function picture({ bundle }: EdgeBundle, changed: boolean): Uint8Array {
  const { width, height } = bundle.manifest.input;
  const random = new Random(99);
  const data = new Uint8Array(rawBytes(bundle.manifest));
  const boxes = Array.from({ length: 12 }, () => [random.below(width), random.below(height), random.below(256)]);
  if (changed) boxes[11][2] = 255 - boxes[11][2];
  for (let i = 0; i < data.length; i++) {
    const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
    const box = boxes.findLast(([left, top]) => x >= left && y >= top && x < left + width / 6 && y < top + height / 4);
    data[i] = Math.min(255, (box?.[2] ?? ((x + 2 * y) * 96) / width) * (0.5 + (i % 3) / 4) + random.below(12));
  }
  return data;
}

/** What only the bits of this form can suffer; `others` are seeds too. */
const contextMutations = (others: readonly Uint8Array[], partitions: number, rates: number): Mutation[] => [
  // One bit: what follows it is read in another way.
  (m, r) => {
    const changed = m.slice();
    changed[FRAME_HEADER_BYTES + r.below(m.length - FRAME_HEADER_BYTES)] ^= 1 << r.below(8);
    return repair(changed);
  },
  // The start of one payload, the rest of another.
  (m, r) => {
    const other = r.of(others);
    const cut = FRAME_HEADER_BYTES + r.below(m.length - FRAME_HEADER_BYTES);
    return repair(
      Buffer.concat([m.subarray(0, cut), other.subarray(Math.min(other.length - 1, cut + r.below(9) - 4))]),
    );
  },
  // A piece twice, or left out: more symbols than there are, or fewer.
  (m, r) => {
    const a = FRAME_HEADER_BYTES + r.below(m.length - FRAME_HEADER_BYTES);
    const b = FRAME_HEADER_BYTES + r.below(m.length - FRAME_HEADER_BYTES);
    return repair(Buffer.concat([m.subarray(0, a), m.subarray(b)]));
  },
  // Another rate's tables, or none.
  (m, r) => {
    const changed = m.slice();
    changed[21] = r.below(rates + 1);
    return repair(changed);
  },
  // Another partition point's, or none.
  (m, r) => {
    const changed = m.slice();
    changed[20] = r.below(partitions + 1);
    return repair(changed);
  },
  // Only noise, or only one byte again and again: all ones are the longest codes.
  (m, r) => repair(Buffer.concat([m.subarray(0, FRAME_HEADER_BYTES), r.bytes(1 + r.below(2 * m.length))])),
  (m, r) =>
    repair(
      Buffer.concat([m.subarray(0, FRAME_HEADER_BYTES), Buffer.alloc(1 + r.below(2 * m.length), r.of([0, 255, 85]))]),
    ),
  // Much longer than it should be, now and then than any message may be.
  (m, r) => repair(Buffer.concat([m, Buffer.alloc(r.below(16) === 0 ? 2 ** 21 : 2 ** (8 + r.below(8)))])),
];

/** Behind the reference's checksum, so that the reference is found and the coded bits are what is wrong. */
const interMutations: Mutation[] = [
  (m, r) => repair(flipBits(m, r, Math.min(m.length - 1, FRAME_HEADER_BYTES + REFERENCE_CHECKSUM_BYTES))),
  (m, r) => {
    const coded = FRAME_HEADER_BYTES + REFERENCE_CHECKSUM_BYTES;
    return repair(Buffer.concat([m.subarray(0, coded), r.bytes(1 + r.below(2 * (m.length - coded)))]));
  },
  // Another reference, another checksum.
  (m, r) => {
    const changed = m.slice();
    changed.set(r.bytes(r.of([1, 2])), 22);
    return repair(changed);
  },
  (m, r) => {
    const changed = m.slice();
    changed.set(r.bytes(REFERENCE_CHECKSUM_BYTES), FRAME_HEADER_BYTES);
    return repair(changed);
  },
];

/** The edge's intake, references and decoder, with an eye on what they do. */
class Target {
  readonly tally: Record<string, number> = {};
  worstMs = 0;
  peak = 0;
  count = 0;
  readonly #intake: Intake;
  readonly #references = new ReferenceStore(64 * 2 ** 20);
  /** Takes the symbols; what lies behind them is watched. */
  readonly #memory: Uint8Array;

  constructor(readonly bundle: EdgeBundle) {
    this.#intake = new Intake({ topics: new Topics(), bundles: new Map([[bundle.id, bundle]]), maxAgeMs: 1000 });
    this.#memory = new Uint8Array(Math.max(bundle.raw.cells, ...bundle.routes.map(({ cells }) => cells)) + GUARD);
  }

  /** Lets every point and rate make its working memory, so that what grows afterwards is a leak. */
  warmUp(): void {
    const frame = new Uint8Array(1);
    for (const route of this.bundle.routes) {
      for (let rate = 0; rate < route.rates; rate++) {
        const out = this.#memory.subarray(0, route.cells);
        for (const decode of [
          () => route.decode(frame, rate, out),
          () => route.decodeInter?.(frame, new Uint8Array(route.cells), rate, out),
        ]) {
          try {
            decode();
          } catch (error) {
            if (!(error instanceof HuffmanError)) throw error;
          }
        }
      }
    }
  }

  /** Through everything that reads untrusted bytes. Anything but a known error escapes. */
  feed(message: Uint8Array): string {
    const before = process.cpuUsage();
    const what = this.#outcome(message);
    const { user, system } = process.cpuUsage(before);
    this.worstMs = Math.max(this.worstMs, (user + system) / 1000);
    if (this.count++ % 500 === 0) this.peak = Math.max(this.peak, process.memoryUsage().arrayBuffers);
    this.tally[what] = (this.tally[what] ?? 0) + 1;
    return what;
  }

  #outcome(message: Uint8Array): string {
    const job = this.#intake.accept('deepcod/cam/frame', message, {}, 0);
    if (isRefusal(job)) return job.cause;
    const { frame, route } = job;
    if (frame.coding === Coding.raw) return 'pixels';
    const out = this.#memory.subarray(0, route.cells);
    const behind = this.#memory.subarray(route.cells, route.cells + GUARD).fill(0xa5);
    const what = this.#decoded(job, out);
    if (behind.some((byte) => byte !== 0xa5)) throw new Error('written behind the symbols');
    return frame.coding === Coding.inter && what !== 'need_key_frame' ? `${what} inter` : what;
  }

  #decoded(job: Job, out: Uint8Array): string {
    try {
      if (!decodeSymbols(job, this.#references, out)) return 'need_key_frame';
    } catch (error) {
      if (error instanceof HuffmanError) return `huffman ${error.code}`;
      throw error;
    }
    const { levels } = job.route.bundle.manifest.partitions[job.frame.partition].code;
    for (const symbol of out) if (symbol >= levels) throw new Error(`symbol ${symbol} of ${levels}`);
    return 'decoded';
  }
}

/** Feeds so many mutated messages, and checks what must hold for any. */
async function fuzz(t: Test, target: Target, seeds: Seeds, messages: number, random: Random): Promise<void> {
  const { manifest } = target.bundle.bundle;
  target.warmUp();
  const most = Math.max(...manifest.partitions.map(({ rates }) => rates.length));
  const all = [...seeds.key, ...seeds.pairs.map(({ inter }) => inter)];
  const common = [...Object.values(mutations), ...contextMutations(all, manifest.partitions.length, most)];
  for (const key of seeds.key) t.equal(target.feed(key), 'decoded', 'unchanged a key frame passes');
  for (const { key, inter } of seeds.pairs) {
    target.feed(key);
    t.equal(target.feed(inter), 'decoded inter', 'unchanged a predicted frame passes');
  }
  const unchanged = target.count;
  let fed = 0;
  let before = 0;
  while (fed < messages) {
    // A tenth in, all working memory is there.
    if (before === 0 && fed >= messages / 10) before = await memory();
    if (seeds.pairs.length > 0 && fed % 2 === 1) {
      // Predicted frames, with their reference present: an earlier mutation may have taken its place.
      const { key, inter } = random.of(seeds.pairs);
      target.feed(key);
      target.feed(random.of([...common, ...interMutations, ...interMutations])(inter, random));
      target.tally['key again'] = (target.tally['key again'] ?? 0) + 1;
    } else {
      target.feed(random.of(common)(random.of(seeds.key), random));
    }
    fed++;
  }
  const { 'key again': again = 0, ...tally } = target.tally;
  const growth = (await memory()) - before;
  t.equal(target.count - again - unchanged, messages, `${messages} mutated messages`);
  t.same(
    Object.keys(tally).filter((what) => !documented.has(what)),
    [],
    'every outcome is a documented one',
  );
  t.ok(target.worstMs < MOST_MS, `the slowest took ${target.worstMs.toFixed(1)} ms of processor time`);
  t.ok(growth < MOST_GROWTH, `memory grew by ${Math.round(growth / 1024)} KiB`);
  t.ok(target.peak < MOST_PEAK, `buffers took ${Math.round(target.peak / 2 ** 20)} MiB at most`);
  t.comment(JSON.stringify(tally));
}

const reached = (t: Test, target: Target, outcomes: string[], least: number): void => {
  for (const what of outcomes) t.ok((target.tally[what] ?? 0) >= least, `${what}: ${target.tally[what]}`);
};

t.comment(`seed ${seed}; FUZZ_SEED=N takes another`);

t.test(`${tinyMessages} mutated messages, key and predicted frames`, async (t) => {
  const bundle = await openEdgeBundle(tinyContext);
  const target = new Target(bundle);
  const seeds = await seedsOf(bundle, 0, [0, 1]);
  t.equal(seeds.pairs.length, 2, 'the bundle predicts frames');
  await fuzz(t, target, seeds, tinyMessages, new Random(seed));
  const header = [
    'short',
    'too_large',
    'magic',
    'length',
    'crc',
    'version',
    'empty',
    'coding',
    'size',
    'partition',
    'reference',
  ];
  reached(
    t,
    target,
    header.map((what) => `frame_${what}`),
    10,
  );
  reached(t, target, ['unknown_bundle', 'unknown_partition', 'unknown_rate', 'bad_payload', 'need_key_frame'], 10);
  for (const inter of ['', ' inter']) {
    const outcomes = ['decoded', 'huffman truncated', 'huffman trailing', 'huffman padding', 'huffman corrupt'];
    reached(
      t,
      target,
      outcomes.map((what) => `${what}${inter}`),
      20,
    );
  }
});

t.test('mutated messages of the default bundle', async (t) => {
  const bundle = await openEdgeBundle(worksite);
  for (const [index, { id }] of bundle.bundle.manifest.partitions.entries()) {
    const messages = index === bundle.routes.length - 1 ? worksiteMessages.latest : worksiteMessages.others;
    await t.test(`${messages} of ${id}`, async (t) => {
      const target = new Target(bundle);
      // The two smallest rates: quick to decode, so that there can be many.
      await fuzz(t, target, await seedsOf(bundle, index, [0, 1]), messages, new Random(seed + index));
      const outcomes = ['decoded', 'huffman truncated', 'huffman trailing', 'huffman corrupt', 'unknown_rate'];
      reached(t, target, outcomes, 10);
    });
  }
});

t.test(`${workerMessages} mutated messages through a whole worker: each is answered or counted`, async (t) => {
  const bundle = await openEdgeBundle(tinyContext);
  const { key, pairs } = await seedsOf(bundle, 0, [0, 1]);
  const events: string[] = [];
  const worker = new EdgeWorker(
    {
      name: 'edge-1',
      topics: new Topics(),
      bundles: new Map([[bundle.id, bundle]]),
      inference: { provider: 'cpu', threads: 1, maxLoaded: 4, maxBytes: 2 ** 30, batch: 16, parallel: 1 },
      queue: { depth: 2, devices: 100, bytes: 2 ** 24, maxAgeMs: 600_000 },
      referenceBytes: 2 ** 20,
      publish: () => true,
    },
    createLog('edge', 'warn', { write: (_line, event) => events.push(`${event.level} ${event.message}`) }),
  );
  const random = new Random(seed);
  const all = [...key, ...pairs.map(({ inter }) => inter)];
  const kinds = [...Object.values(mutations), ...contextMutations(all, 2, 2), ...interMutations];
  for (let sent = 0; sent < workerMessages; sent++) {
    worker.handle(`deepcod/cam${sent % 40}/frame`, random.of(kinds)(random.of(all), random));
    // Every device once, then it is the worker's turn.
    if (sent % 40 === 39) while (worker.waiting > 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await worker.close();
  const { frames, results, drops } = worker.stats();
  const dropped = Object.values(drops).reduce((a, b) => a + b, 0);
  t.equal(frames, workerMessages);
  t.equal(results + dropped, workerMessages, 'frames = results + drops');
  t.ok(results > 100, `${results} results`);
  t.notOk(drops.internal, 'nothing went wrong inside');
  t.same(
    events.filter((event) => event.startsWith('error')),
    [],
  );
  t.comment(JSON.stringify(drops));
});
