import t from 'tap';
import { HuffmanError, openCoder, type SymbolCoder } from '../../agent/huffman/index.js';
import { type EdgeBundle, openEdgeBundle } from '../../edge/worker/bundles.js';
import { Intake, isRefusal } from '../../edge/worker/intake.js';
import type { Route } from '../../edge/worker/route.js';
import {
  FRAME_HEADER_BYTES,
  ProtocolError,
  parseHealth,
  parseResult,
  parseStatus,
  Topics,
} from '../../protocol/index.js';
import { vectors } from '../protocol/vectors.js';
import { codedFrame, rawFrame, tinyBundle } from './harness.js';
import { type Mutation, memory, mutations, Random, repair } from './mutations.js';

/** 120,000 mutated frame messages of the plain form in all; fuzz-context.test.ts has those of the context form. */
const small = 110_000;
const large = 10_000;

interface Tally {
  [outcome: string]: number;
}

/** Through everything that reads untrusted bytes: intake, then the entropy decoder. Anything but a known error escapes. */
function feed(intake: Intake, message: Uint8Array, out: Uint8Array, tally: Tally): void {
  const outcome = intake.accept('deepcod/cam/frame', message, {}, 0);
  let what: string;
  if (isRefusal(outcome)) {
    what = outcome.cause;
  } else {
    try {
      outcome.route.decode(outcome.frame.payload, outcome.frame.rate, out.subarray(0, outcome.route.cells));
      what = 'decoded';
    } catch (error) {
      if (!(error instanceof HuffmanError)) throw error;
      what = `huffman ${error.code}`;
    }
  }
  tally[what] = (tally[what] ?? 0) + 1;
}

t.test('mutated frame messages meet only known errors, in bounded memory', async (t) => {
  const bundle = await openEdgeBundle(tinyBundle);
  const intake = new Intake({ topics: new Topics(), bundles: new Map([[bundle.id, bundle]]), maxAgeMs: 1000 });
  const out = new Uint8Array(4096);
  const seeds = [codedFrame(5, 0, 0), codedFrame(6, 1, 1), rawFrame(7)];
  const random = new Random(2463534242);
  const kinds = Object.values(mutations);
  const tally: Tally = {};
  for (const seed of seeds) feed(intake, seed, out, tally);
  t.same(tally, { decoded: 3 }, 'unchanged they pass');

  let before = 0;
  for (let i = 0; i < small; i++) {
    if (i === 10_000) before = await memory();
    feed(intake, kinds[i % kinds.length](seeds[random.below(seeds.length)], random), out, tally);
  }
  const growth = (await memory()) - before;
  t.ok(growth < 8 * 2 ** 20, `memory grew by ${Math.round(growth / 1024)} KiB`);
  t.equal(
    Object.values(tally).reduce((a, b) => a + b, 0),
    small + seeds.length,
    'each was refused or decoded',
  );
  const reached = [
    'frame_crc',
    'frame_length',
    'frame_short',
    'frame_coding',
    'frame_magic',
    'frame_version',
    'frame_partition',
  ];
  reached.push(
    'frame_reference',
    'unknown_bundle',
    'unknown_partition',
    'unknown_rate',
    'bad_payload',
    'unsupported_coding',
  );
  reached.push('huffman truncated', 'huffman trailing', 'huffman padding', 'decoded');
  for (const outcome of reached) t.ok((tally[outcome] ?? 0) > 10, `${outcome}: ${tally[outcome]}`);
  t.comment(JSON.stringify(tally));
});

t.test('mutated payloads of a large code meet only HuffmanError, and never write outside', async (t) => {
  const tiny = await openEdgeBundle(tinyBundle);
  const { bundle, coder, symbols } = largeBundle(tiny);
  const intake = new Intake({ topics: new Topics(), bundles: new Map([[bundle.id, bundle]]), maxAgeMs: 1000 });
  const payload = new Uint8Array(coder.maxBytes);
  const length = coder.encode(symbols, 0, payload);
  const message = repair(
    Uint8Array.from([...codedFrame(1).subarray(0, FRAME_HEADER_BYTES), ...payload.subarray(0, length)]),
  );
  const guarded = new Uint8Array(symbols.length + 64).fill(0xa5);
  const out = guarded.subarray(0, symbols.length);
  const random = new Random(88172645);
  const kinds: Mutation[] = [
    mutations['payload bits flipped, checksum right'],
    mutations['cut short, checksum right'],
    mutations['extended, checksum right'],
  ];
  kinds.push((m, r) => {
    // The length of the first of two streams.
    const changed = m.slice();
    changed.set(r.bytes(3), FRAME_HEADER_BYTES);
    return repair(changed);
  });
  const tally: Tally = {};
  feed(intake, message, out, tally);
  t.same(tally, { decoded: 1 });
  t.same(out, symbols);
  let before = 0;
  for (let i = 0; i < large; i++) {
    if (i === 1000) before = await memory();
    feed(intake, kinds[i % kinds.length](message, random), out, tally);
  }
  const growth = (await memory()) - before;
  t.ok(growth < 8 * 2 ** 20, `memory grew by ${Math.round(growth / 1024)} KiB`);
  t.ok(
    guarded.subarray(symbols.length).every((byte) => byte === 0xa5),
    'nothing is written behind the symbols',
  );
  t.equal(
    Object.values(tally).reduce((a, b) => a + b, 0),
    large + 1,
  );
  t.comment(JSON.stringify(tally));
});

t.test('mutated JSON messages meet only ProtocolError', async (t) => {
  const random = new Random(123456789);
  const health = {
    v: 1,
    device: 'a',
    session: 1,
    uptime_s: 2,
    drops: { late: 1 },
    steps_ms: { head: 1.5 },
    versions: { node: 'x' },
  };
  const seeds = [
    ...vectors.results.valid,
    JSON.stringify(health),
    '{"online":true,"bundles":[{"id":"0123456789abcdef","name":"x"}]}',
  ];
  const values = [
    'null',
    '-1',
    '1e999',
    '[]',
    '{}',
    '"x"',
    'true',
    '1e-400',
    '99999999999999999999',
    '"\\u0000"',
    '{"__proto__":1}',
  ];
  let refused = 0;
  let passed = 0;
  for (let i = 0; i < 30_000; i++) {
    let text = seeds[random.below(seeds.length)];
    if (i % 2 === 0) {
      const at = random.below(text.length);
      text = text.slice(0, at) + String.fromCharCode(random.below(128)) + text.slice(at + random.below(4));
    } else {
      const numbers = [...text.matchAll(/:(-?[\d.]+|"[^"]*"|\[|\{)/g)];
      const hit = numbers[random.below(numbers.length)];
      text = `${text.slice(0, hit.index + 1)}${values[random.below(values.length)]}${text.slice(hit.index + hit[0].length)}`;
    }
    for (const parse of [parseResult, parseHealth, parseStatus]) {
      try {
        parse(Buffer.from(text));
        passed++;
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error;
        refused++;
      }
    }
  }
  t.ok(refused > 10_000 && passed > 100, `${refused} refused, ${passed} passed`);
});

/** The tiny bundle with a code large enough for two streams. */
function largeBundle(tiny: EdgeBundle): { bundle: EdgeBundle; coder: SymbolCoder; symbols: Uint8Array } {
  const shape = { height: 32, width: 32, channels: 48, levels: 8 };
  const lengths = Array.from({ length: 48 }, (_, i) => ['12345677', '33333333', '22334444'][i % 3]);
  const coder = openCoder({ form: 'plain', version: 1, channels: 48, levels: 8, lengths: [lengths] }, shape);
  const random = new Random(7);
  const symbols = Uint8Array.from({ length: 32 * 32 * 48 }, () =>
    Math.min(random.below(8), random.below(8), random.below(8)),
  );
  const route: Route = {
    ...tiny.routes[0],
    cells: symbols.length,
    maxBytes: coder.maxBytes,
    decode: (payload, rate, out) => coder.decode(payload, rate, out),
  };
  return { bundle: { ...tiny, routes: [route] }, coder, symbols };
}
