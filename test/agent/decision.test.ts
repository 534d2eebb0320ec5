import t from 'tap';
import { HarmonicBandwidth } from '../../agent/bandwidth/harmonic.js';
import { type Choice, choicesFor } from '../../agent/partition/choices.js';
import { Decision } from '../../agent/partition/decision.js';
import { Predictor } from '../../agent/partition/predictor.js';
import { TimeEstimator } from '../../agent/partition/times.js';
import { splitNetwork } from '../../agent/pipeline/network.js';
import type { DeepcodError } from '../../platform/errors.js';
import type { Manifest } from '../../protocol/manifest.js';

const near = (a: number, b: number) => Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b));

t.test('bandwidth is the harmonic mean of the last ten transfers', async (t) => {
  const link = new HarmonicBandwidth(5e6);
  t.equal(link.bps, 5e6, 'profiled before any transfer');
  link.add(1000, 8);
  t.ok(near(link.bps, 1e6));
  link.add(1000, 2);
  t.ok(near(link.bps, 1.6e6), '2 / (1/1 + 1/4) Mbit/s');
  link.add(0, 1);
  link.add(100, 0);
  t.equal(link.transfers, 2, 'what is no transfer does not count');
  for (let i = 0; i < 10; i++) link.add(1000, 4);
  t.equal(link.transfers, 10);
  t.ok(near(link.bps, 2e6), 'older ones are forgotten');
});

t.test('network time is the round trip without the edge, divided by bytes', async (t) => {
  const { up, down } = splitNetwork(100, 60, 3000, 1000);
  t.ok(near(up, 30));
  t.ok(near(down, 10));
  t.ok(splitNetwork(5, 9, 10, 10).up > 0, 'never negative');
});

const choice = (id: string, bytes: number, deviceFlops = 1e9, edgeFlops = 1e9): Choice => ({
  id,
  partition: 0,
  rate: 0,
  bytes,
  deviceFlops,
  edgeFlops,
});

function decide(choices: Choice[], bps: number) {
  const clock = { ms: 0 };
  const device = new TimeEstimator(1e9, false, () => clock.ms);
  const edge = new TimeEstimator(1e12, true, () => clock.ms);
  const bandwidth = { bps };
  const predictor = new Predictor(device, edge, bandwidth);
  return { decision: new Decision(choices, predictor), device, edge, bandwidth, clock, predictor };
}

t.test('equation 14: t_edge + t_device + bytes / B, the least is taken', async (t) => {
  const early = choice('input', 10_000);
  const late = choice('stage2', 1000);
  const here = { ...choice('device', 0, 4e9), edgeFlops: 0 };
  const { decision, device, edge, bandwidth, predictor } = decide([early, late, here], 8e6);
  device.profile('input', 5, 1e9);
  device.profile('stage2', 50, 1e9);
  device.profile('device', 400, 4e9);
  edge.profile('input', 40, 1e9);
  edge.profile('stage2', 30, 1e9);
  t.match(predictor.predict(early), { device: 5, edge: 40, network: 10, total: 55 });
  t.match(predictor.predict(late), { device: 50, edge: 30, network: 1, total: 81 });
  t.equal(decision.choose().id, 'input');
  bandwidth.bps = 0.8e6;
  t.equal(decision.choose().id, 'stage2', 'a slow link asks for fewer bytes');
  bandwidth.bps = 8e3;
  t.equal(decision.choose().id, 'device', 'hardly any link: stay');
  bandwidth.bps = 80e6;
  t.equal(decision.choose().id, 'input');
});

t.test('no flutter between equals', async (t) => {
  const { decision, device } = decide([choice('a', 1), choice('b', 1)], 1e9);
  device.profile('a', 100, 1e9);
  device.profile('b', 101, 1e9);
  t.equal(decision.choose().id, 'a');
  device.profile('a', 102, 1e9);
  t.equal(decision.choose().id, 'a', '1% is no reason');
  device.profile('a', 110, 1e9);
  t.equal(decision.choose().id, 'b');
});

t.test(
  'times: observed before profiled before scaled; the loading of a model does not count; old news is forgotten',
  async (t) => {
    const clock = { ms: 0 };
    const edge = new TimeEstimator(1e12, true, () => clock.ms);
    t.ok(near(edge.estimate('a', 1e9), 1), 'assumed');
    edge.profile('a', 10, 1e9);
    t.ok(near(edge.estimate('b', 2e9), 20), 'scaled by FLOPs');
    clock.ms = 100;
    edge.observe('a', 5000, 1e9, 0);
    edge.observe('a', 5000, 1e9, 50);
    t.equal(edge.estimate('a', 1e9), 10, 'the first, and what began before it ended, held the loading');
    clock.ms = 200;
    edge.observe('a', 30, 1e9, 150);
    t.equal(edge.estimate('a', 1e9), 30);
    edge.observe('a', 20, 1e9, 180);
    t.ok(near(edge.estimate('a', 1e9), 27));
    clock.ms = 60_000;
    t.equal(edge.estimate('a', 1e9), 10, 'back to the profile');
  },
);

const rates = (...ap: number[]) =>
  ap.map((ap_relative, i) => ({
    payload_bytes_mean: 1000 * (i + 1),
    accuracy: { dataset: 'd', images: 1, ap_relative },
  }));
const flops = { prefix: 1, encoder: 2, decoder: 3, remainder: 4 };
const manifest = {
  service: { name: 'yard', flops: 10 },
  input: { width: 10, height: 10 },
  partitions: [
    { id: 'input', rates: rates(0.9, 0.98, 0.99), flops },
    { id: 'stage1', rates: rates(0.95), flops },
  ],
} as unknown as Manifest;
const ids = (choices: Choice[]) => choices.map(({ id, rate }) => `${id}/${rate}`);

t.test('what may be chosen', async (t) => {
  const settings = { partition: 'auto', rate: 'auto' as const, accuracy_floor: 0.97, privacy: {} };
  t.same(ids(choicesFor(manifest, settings)), ['input/1', 'input/2', 'device/0'], 'only what keeps the floor');
  t.same(
    ids(choicesFor(manifest, { ...settings, accuracy_floor: 1 })),
    ['input/2', 'device/0'],
    'or the best there is',
  );
  t.same(ids(choicesFor(manifest, { ...settings, partition: 'stage1' })), ['stage1/0']);
  t.same(
    ids(choicesFor(manifest, { ...settings, partition: 'input', rate: 0 })),
    ['input/0'],
    'who asks for it gets it',
  );
  t.match(choicesFor(manifest, { ...settings, partition: 'raw' }), [{ id: 'raw', bytes: 300, edgeFlops: 10 }]);
  t.match(choicesFor(manifest, { ...settings, partition: 'device' }), [{ id: 'device', bytes: 0, deviceFlops: 10 }]);
  t.same(
    ids(choicesFor({ ...manifest, partitions: [] }, settings)),
    ['raw/0', 'device/0'],
    'a bundle of the service alone',
  );
  const unknown = (run: () => unknown): Partial<DeepcodError> => {
    try {
      run();
    } catch (error) {
      return error as DeepcodError;
    }
    return {};
  };
  t.match(
    unknown(() => choicesFor(manifest, { ...settings, partition: 'stage' })),
    {
      code: 'partition_unknown',
      exitCode: 2,
      message: /did you mean "stage1"/,
    },
  );
  t.match(
    unknown(() => choicesFor(manifest, { ...settings, partition: 'input', rate: 7 })),
    {
      code: 'rate_unknown',
      exitCode: 2,
      message: /rate: 7 .* 0 to 2/,
    },
  );
});
