import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { loadAgentConfig } from '../../agent/config/config.js';
import { Stats } from '../../agent/health/stats.js';
import { readProfile, writeProfile } from '../../agent/partition/profile.js';
import { BufferPool } from '../../agent/pipeline/buffers.js';
import { Preprocessor } from '../../agent/pipeline/preprocess.js';
import { Refusals } from '../../agent/pipeline/refusals.js';
import { newTrip, type Outcome, type Steps } from '../../agent/pipeline/trip.js';
import { createLog } from '../../platform/log.js';

const picture = {
  data: new Uint8Array(0),
  width: 0,
  height: 0,
  sourceWidth: 4,
  sourceHeight: 2,
  capturedAt: 0,
  captureMs: 3,
};

function trip(outcome: Outcome, steps: Steps = {}, more: object = {}) {
  return Object.assign(newTrip(0, picture, 0), { outcome, partition: 'input', bytes: 100, ...more }, { steps });
}

t.test('everything lost is counted by cause', async (t) => {
  const stats = new Stats();
  stats.finish(trip('result', { head: 4, total: 10 }), 1000);
  stats.finish(trip('result', { head: 6, total: 20 }, { bytes: 200 }), 1500);
  stats.finish(trip('local', { head: 50 }), 2000);
  stats.finish(trip('timeout'));
  stats.finish(trip('refused', {}, { refusal: 'overloaded' }));
  stats.finish(trip('refused', {}, { refusal: 'overloaded' }));
  stats.drop('result_late', 2);
  t.match(stats, { results: 2, local: 1, lost: 3 });
  t.same(stats.drops, { timeout: 1, refused_overloaded: 2, result_late: 2 });
  t.same(stats.stepsP50(), { head: 6, total: 15 });
  t.equal(stats.bytes.mean(), 150, 'what never crossed the link has no bytes');
  t.ok(stats.fps(2000) > 0);
  t.equal(stats.fps(60_000), 0);
});

t.test('buffers are used again; strange ones are not kept', async (t) => {
  const pool = new BufferPool(10, 1);
  const first = pool.take();
  t.equal(first.length, 10);
  pool.give(first);
  t.equal(pool.take(), first);
  pool.give(new Uint8Array(3));
  pool.give(new Uint8Array(0));
  t.equal(pool.take().length, 10);
});

t.test('a picture is placed into the input', async (t) => {
  const preprocessor = new Preprocessor({ width: 4, height: 4, letterbox: { align: 'center', pad: 9 } });
  t.match(preprocessor.fit(8, 4), { width: 4, height: 2, offsetY: 1 });
  const out = new Uint8Array(48);
  preprocessor.place(
    { ...picture, sourceWidth: 8, sourceHeight: 4, data: new Uint8Array(24).fill(1), width: 4, height: 2 },
    out,
  );
  t.same([...out], [...Array(12).fill(9), ...Array(24).fill(1), ...Array(12).fill(9)]);
  t.throws(() => preprocessor.place({ ...picture, data: new Uint8Array(5) }, out), RangeError);
});

t.test('a refusal is said once, and whether it will last', async (t) => {
  const lines: string[] = [];
  const refusals = new Refusals(createLog('a', 'info', { write: (line) => lines.push(line) }));
  const failure = (code: string) => ({
    v: 1 as const,
    session: 1,
    frame: 1,
    bundle: 'b',
    worker: 'w',
    error: { code, message: 'm', hint: 'h' },
  });
  t.equal(refusals.note(failure('unknown_bundle')), true);
  t.equal(refusals.note(failure('unknown_bundle')), true);
  t.equal(refusals.note(failure('overloaded')), false);
  t.equal(lines.length, 2);
  t.match(lines[0], /error .*edge w refuses frames: m code=unknown_bundle hint=h/);
  t.match(lines[1], /warn .*edge w refuses frames/, 'passes by itself');
  refusals.clear();
  refusals.note(failure('overloaded'));
  t.equal(lines.length, 3);
});

t.test('a profile is only for what it was measured with; damage is no error', async (t) => {
  const file = join(t.testdir({}), 'state', 'profile.json');
  t.equal(readProfile(file, 'x'), undefined);
  const profile = { fingerprint: 'x', device_ms: { input: 1.5 }, edge_ms: {}, bandwidth_bps: 1e6 };
  writeProfile(file, profile);
  t.same(readProfile(file, 'x'), profile);
  t.equal(readProfile(file, 'y'), undefined);
  writeFileSync(file, readFileSync(file, 'utf8').slice(0, 30));
  t.equal(readProfile(file, 'x'), undefined);
  writeFileSync(file, '{"fingerprint":"x","device_ms":{"input":"fast"},"edge_ms":{}}');
  t.equal(readProfile(file, 'x'), undefined);
});

t.test('agent.yaml: defaults, and mistakes with their place', async (t) => {
  const dir = t.testdir({
    'good.yaml': 'bundle: models\n',
    'bad.yaml': 'bundel: x\nin_flight: 0\ncamera:\n  fps: -1\nrate: -2\nbroker:\n  version: 6\n',
  });
  const good = loadAgentConfig({ file: join(dir, 'good.yaml') });
  t.match(good, {
    bundle: join(dir, 'models'),
    base: 'deepcod',
    partition: 'auto',
    rate: 'auto',
    in_flight: 2,
    fallback: true,
  });
  t.match(good.device, /^[A-Za-z0-9_-]+$/);
  try {
    loadAgentConfig({ file: join(dir, 'bad.yaml') });
    t.fail('accepted');
  } catch (error) {
    const { message, exitCode } = error as Error & { exitCode: number };
    t.equal(exitCode, 2);
    for (const expected of [
      /bad\.yaml:1: bundel: unknown key; did you mean "bundle"\?/,
      /bundle: missing/,
      /bad\.yaml:2: in_flight: 0 should be at least 1/,
      /bad\.yaml:4: camera\.fps: -1 should be at least 0/,
      /bad\.yaml:5: rate: -2 is not allowed \(auto, or/,
      /bad\.yaml:7: broker\.version: 6 is not allowed/,
    ]) {
      t.match(message, expected);
    }
  }
});
