import t from 'tap';
import { openCoder } from '../../agent/huffman/index.js';
import { errorCode, roundTrip } from './check.js';
import { Random } from './random.js';
import { contextTables, patchySymbols } from './tables.js';

t.test('random models and symbols come back', async (t) => {
  const random = new Random(40);
  let bytes = 0;
  for (let i = 0; i < 250; i++) {
    const levels = i % 10 === 0 ? random.integer(1, 256) : random.integer(2, 33);
    const shape = {
      height: random.integer(1, 20),
      width: random.integer(1, 20),
      channels: random.integer(1, 14),
      levels,
    };
    const coder = openCoder(contextTables(random, shape, 2), shape);
    for (const rate of [0, 1, 0]) bytes += roundTrip(t, coder, patchySymbols(random, shape), rate, `case ${i}`).length;
    const flat = new Uint8Array(shape.height * shape.width * shape.channels).fill(random.integer(0, levels - 1));
    bytes += roundTrip(t, coder, flat, 0, `case ${i}, one symbol`).length;
    const noise = Uint8Array.from(flat, () => random.integer(0, levels - 1));
    bytes += roundTrip(t, coder, noise, 1, `case ${i}, noise`).length;
  }
  t.ok(bytes > 100_000);
});

t.test('long, thin and large frames', async (t) => {
  const random = new Random(41);
  for (const [height, width, channels, levels] of [
    [52, 52, 96, 31],
    [1, 3000, 8, 31],
    [3000, 1, 3, 5],
    [1, 1, 1, 2],
    [1, 1, 4096, 8],
    [7, 5, 300, 256],
  ]) {
    const shape = { height, width, channels, levels };
    const coder = openCoder(contextTables(random, shape), shape);
    const length = roundTrip(t, coder, patchySymbols(random, shape), 0, JSON.stringify(shape)).length;
    t.ok(length <= coder.maxBytes, JSON.stringify(shape));
  }
});

t.test('no payload is longer than maxBytes, even of symbols that the tables never expected', async (t) => {
  const random = new Random(42);
  for (let i = 0; i < 40; i++) {
    const shape = { height: 8, width: 8, channels: 6, levels: random.integer(2, 256) };
    const coder = openCoder(contextTables(random, shape), shape);
    const out = new Uint8Array(coder.maxBytes);
    const symbols = Uint8Array.from({ length: 384 }, () => (random.next() < 0.5 ? 0 : shape.levels - 1));
    t.ok(coder.encode(symbols, 0, out) > 0);
  }
});

t.test('tables that are wrong are refused, with the place', async (t) => {
  const random = new Random(43);
  const shape = { height: 4, width: 4, channels: 3, levels: 9 };
  type Json = Record<string, unknown> & { models: Record<string, unknown[]>[] };
  const good = (): Json => contextTables(random, shape) as Json;
  t.equal(
    errorCode(() => openCoder(good(), shape)),
    undefined,
  );
  const refused = (name: string, change: (tables: Json) => void) => {
    const tables = good();
    change(tables);
    t.equal(
      errorCode(() => openCoder(tables, shape)),
      'tables',
      name,
    );
  };
  refused('version', (j) => Object.assign(j, { version: 2 }));
  refused('levels', (j) => Object.assign(j, { levels: 8 }));
  refused('no models', (j) => Object.assign(j, { models: [] }));
  refused('too many models', (j) => Object.assign(j, { models: new Array(65).fill(j.models[0]) }));
  refused('model is null', (j) => Object.assign(j, { models: [null] }));
  for (const key of Object.keys(good().models[0])) {
    refused(`${key} missing`, (j) => delete j.models[0][key]);
    refused(`${key} is text`, (j) => Object.assign(j.models[0], { [key]: 'xyz' }));
    refused(`${key} is too long`, (j) => Object.assign(j.models[0], { [key]: new Array(5000).fill(0) }));
  }
  refused('a channel twice', (j) => (j.models[0].order[0] = j.models[0].order[1]));
  refused('zero beyond the levels', (j) => (j.models[0].zero[2] = 9));
  refused('negative bias', (j) => (j.models[0].bias[0] = -1));
  refused('a fraction', (j) => (j.models[0].near[0] = 0.5));
  refused('weights that overflow', (j) => j.models[0].near.fill(8191));
  refused('a source that is not coded yet', (j) => (j.models[0].sources[j.models[0].order[0] as number] = [1, 2, 3]));
  refused(
    'a source without weights',
    (j) => (j.models[0].sources[j.models[0].order[2] as number] = [j.models[0].order[0]]),
  );
  refused('a tap that is not decoded yet', (j) => {
    const first = j.models[0].order[0] as number;
    j.models[0].predict[first] = [0, 0, first, 4, 1];
  });
  refused('a tap outside', (j) => (j.models[0].predict[0] = [0, 0, 0, 9, 1]));
  refused('a class without stream', (j) => (j.models[0].classes[63] = 36));
  refused('a sign class without stream', (j) => (j.models[0].signClasses[0] = 9));
  refused('an unknown stream', (j) => (j.models[0].streams[0] = `x${String(j.models[0].streams[0]).slice(1)}`));
  refused('an incomplete code', (j) => (j.models[0].streams[0] = `d${'3'.repeat(9)}`));
});
