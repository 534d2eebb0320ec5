import t from 'tap';
import { HarmonicBandwidth } from '../../agent/bandwidth/harmonic.js';
import { type Choice, choicesFor } from '../../agent/partition/choices.js';
import { Decider } from '../../agent/partition/decision.js';
import { PayloadModel } from '../../agent/partition/payloads.js';
import { type Prediction, Predictor, type PredictorParts } from '../../agent/partition/predictor.js';
import { ProbeBudget } from '../../agent/partition/probes.js';
import { TimeEstimator } from '../../agent/partition/times.js';
import { Waiting } from '../../agent/partition/waiting.js';
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
  accuracy: 1,
  deviceFlops,
  edgeFlops,
});

/** A link without delay. */
const carrying = (bps: number) => ({ estimate: (bytes: number) => (bytes * 8000) / bps, deviation: () => 0 });

function predictorOf(change: Partial<PredictorParts> = {}) {
  const clock = { ms: 0 };
  const tick = () => clock.ms;
  const device = new TimeEstimator(1e9, false, tick);
  const edge = new TimeEstimator(1e12, true, tick);
  const waiting = new Waiting(tick);
  const payloads = new PayloadModel(() => false);
  const parts: PredictorParts = {
    device,
    edge,
    waiting,
    payloads,
    link: carrying(8e6),
    prices: { ms_per_mj: 0, ms_per_kb: 0 },
    deviceScale: 1,
    periodMs: 0,
    ...change,
  };
  return { clock, device, edge, waiting, payloads, predictor: new Predictor(parts) };
}

t.test('equation 14: t_device + t_link(bytes) + t_edge, and what frames wait there', async (t) => {
  const early = choice('input', 10_000 - 600);
  const here = { ...choice('device', 0, 4e9), edgeFlops: 0 };
  const { device, edge, waiting, predictor } = predictorOf();
  device.profile('input', 5, 1e9);
  device.profile('device', 400, 4e9);
  edge.profile('input', 40, 1e9);
  t.match(predictor.predict(early), { device: 5, edge: 40, network: 10, total: 55, cost: 55, entry: 0 });
  t.match(predictor.predict(here), { device: 400, edge: 0, network: 0, total: 400, bytes: 0 });
  waiting.add(20);
  t.equal(predictor.predict(early).total, 75);
});

t.test('what is minimised: energy, data, accuracy and passed-over pictures at their prices', async (t) => {
  const point = choice('input', 1024 - 600);
  const at = (change: Partial<PredictorParts>) => {
    const made = predictorOf({ link: { estimate: () => 10, deviation: () => 0 }, ...change });
    made.device.profile('input', 100, 1e9);
    made.edge.profile('input', 40, 1e9);
    return made.predictor;
  };
  const power = { idle_w: 2, busy_w: 6, send_w: 3 };
  const energy = at({ power, prices: { ms_per_mj: 0.5, ms_per_kb: 0 } }).predict(point);
  t.equal(energy.energy, 4 * 100 + 1 * 10, 'mJ above doing nothing: 4 W for 100 ms, 1 W for 10 ms');
  t.equal(energy.cost, 150 + 205);
  const data = at({ prices: { ms_per_mj: 0, ms_per_kb: 100 } }).predict(point);
  t.ok(near(data.cost, 150 + (100 * (1024 - 600)) / 1024));
  t.equal(at({}).predict({ ...point, accuracy: 0.98 }).cost, 153, 'a point of accuracy is worth 1% of the latency');
  t.equal(at({ periodMs: 50 }).predict(point).cost, 200, 'busy without a pause: pictures wait half of that on average');
  t.equal(at({ periodMs: 200 }).predict(point).cost, 150, 'room between pictures');
});

t.test('hope: a link that is not known well may be better, if not for the one more than for the other', async (t) => {
  const link = { estimate: () => 100, deviation: (_: number, other?: number) => (other === undefined ? 30 : 5) };
  const { device, edge, predictor } = predictorOf({ link });
  for (const id of ['a', 'b', 'c', 'device']) {
    device.profile(id, 10, 1e9);
    edge.profile(id, 10, 1e9);
    if (id === 'c') continue;
    device.observe(id, 10, 1e9);
    edge.observe(id, 10, 1e9);
  }
  const a = predictor.predict(choice('a', 1));
  const here = predictor.predict({ ...choice('device', 0), edgeFlops: 0 });
  t.equal(predictor.hope(a, here), 120 - 60, 'two deviations');
  t.equal(predictor.hope(a, predictor.predict(choice('b', 2))), 120 - 10);
  t.equal(predictor.hope(here, a), here.cost, 'the device is known');
  t.equal(predictor.hope(predictor.predict(choice('c', 1)), here), 120 - 60 - 6, 'no frame has shown its times');
});

/** No hope but what is expected. */
const none = ({ cost }: Prediction) => cost;

const priced = (of: Choice, cost: number, entry = 0): Prediction => ({
  choice: of,
  bytes: of.bytes,
  device: 0,
  edge: 0,
  network: 0,
  total: cost,
  cost,
  entry,
});

t.test(
  'the least cost is taken; a large advantage at once, a small lasting one soon, a passing one never',
  async (t) => {
    const [a, b] = [choice('a', 1), choice('b', 1)];
    const decider = () => {
      const made = new Decider(() => 0);
      t.match(made.choose([priced(a, 100), priced(b, 200)], none), { prediction: { choice: a }, reason: 'first' });
      return made;
    };
    const sudden = decider();
    t.match(sudden.choose([priced(a, 100), priced(b, 60)], none), { prediction: { choice: b }, reason: 'better' });
    t.match(sudden.choose([priced(a, 100), priced(b, 60)], none), { prediction: { choice: b }, reason: 'best' });

    const lasting = decider();
    const frames = Array.from({ length: 10 }, () => lasting.choose([priced(a, 100), priced(b, 95)], none).reason);
    t.same(frames.slice(0, 5), ['margin', 'margin', 'margin', 'margin', 'better']);

    const passing = decider();
    for (let i = 0; i < 100; i++) {
      const cost = i % 2 === 0 ? 95 : 105;
      t.equal(passing.choose([priced(a, 100), priced(b, cost)], none).prediction.choice, a);
    }
    const equal = decider();
    for (let i = 0; i < 1000; i++) equal.choose([priced(a, 100), priced(b, 99.5)], none);
    t.equal(equal.current, a, 'half a per cent is no reason, ever');
    const dear = decider();
    t.equal(dear.choose([priced(a, 100), priced(b, 60, 120)], none).reason, 'margin', 'the change itself costs 120');
    t.equal(dear.choose([priced(a, 100), priced(b, 60, 120)], none).reason, 'margin');
    t.equal(dear.choose([priced(a, 100), priced(b, 60, 120)], none).reason, 'better', 'and is paid back');
  },
);

t.test('trials: what may be better and cannot be judged is tried, at a bounded cost', async (t) => {
  const clock = { ms: 0 };
  const decider = new Decider(() => clock.ms);
  const [a, b] = [choice('a', 1), choice('b', 1)];
  let trials = 0;
  for (; clock.ms < 600_000; clock.ms += 250) {
    const { prediction, reason } = decider.choose([priced(a, 100), priced(b, 150)], () => 50);
    if (reason === 'probe') trials++;
    t.equal(prediction.choice, reason === 'probe' ? b : a);
  }
  const frames = 2400;
  t.ok(trials > 10, `${trials} trials`);
  t.ok(trials * 50 <= 0.02 * frames * 100, 'they cost at most 2% of all latency');
  const hopeless = new Decider(() => clock.ms);
  for (let i = 0; i < 1000; i++) {
    clock.ms += 250;
    t.not(hopeless.choose([priced(a, 100), priced(b, 150)], () => 95).reason, 'probe', '5% is not worth a trial');
  }
});

t.test('a trial that cost more than expected is paid for before the next', async (t) => {
  const clock = { ms: 0 };
  const budget = new ProbeBudget(() => clock.ms);
  for (let i = 0; i < 100; i++) budget.earn(100);
  t.ok(budget.spend(50));
  t.notOk(budget.spend(1), 'not so soon');
  clock.ms += 2000;
  t.ok(budget.spend(50));
  budget.settle(1000);
  clock.ms += 2000;
  t.notOk(budget.spend(1));
});

t.test('a step in the speed of either side is followed within ten frames, at every point', async (t) => {
  for (const [from, to] of [
    [1, 2],
    [1, 8],
    [4, 1],
  ]) {
    const clock = { ms: 0 };
    const side = new TimeEstimator(1e9, false, () => clock.ms);
    for (const [id, ms] of [
      ['a', 10],
      ['b', 40],
    ] as const)
      side.profile(id, ms, 1e9);
    const frames = (count: number, slowdown: number) => {
      for (let i = 0; i < count; i++, clock.ms += 200) side.observe('a', 10 * slowdown, 1e9);
    };
    frames(40, from);
    frames(10, to);
    t.ok(Math.abs(side.estimate('a', 1e9) / (10 * to) - 1) < 0.05, `${from} to ${to}: ${side.estimate('a', 1e9)}`);
    t.ok(Math.abs(side.estimate('b', 1e9) / (40 * to) - 1) < 0.05, 'also where no frame was');
  }
});

t.test('times: one outlier moves nothing; loading does not count; without news the usual comes back', async (t) => {
  const clock = { ms: 0 };
  const edge = new TimeEstimator(1e12, true, () => clock.ms);
  t.ok(near(edge.estimate('a', 1e9), 1), 'assumed');
  edge.profile('a', 10, 1e9);
  t.ok(near(edge.estimate('b', 2e9), 20), 'scaled by FLOPs');
  clock.ms = 100;
  edge.observe('a', 5000, 1e9, 0);
  edge.observe('a', 5000, 1e9, 50);
  t.equal(edge.estimate('a', 1e9), 10, 'the first, and what began before it ended, held the loading');
  const frame = (ms: number) => {
    clock.ms += 100;
    edge.observe('a', ms, 1e9, clock.ms);
  };
  for (let i = 0; i < 50; i++) frame(10);
  frame(1000);
  t.ok(edge.estimate('a', 1e9) < 10.5, 'an outlier');
  for (let i = 0; i < 5; i++) frame(30);
  t.ok(edge.estimate('a', 1e9) > 28);
  clock.ms += 120_000;
  t.ok(edge.estimate('a', 1e9) < 15, 'two minutes later');
});

t.test('frames are as long as lately: rich pictures, and less where only changes are sent', async (t) => {
  const payloads = new PayloadModel(({ id }) => id === 'input');
  const [input, other] = [choice('input', 1000), choice('other', 500)];
  for (let i = 0; i < 40; i++) payloads.sent(input, 2000, true);
  t.ok(Math.abs(payloads.key(other) - 1000) < 5, 'twice as rich, at every point');
  for (let i = 0; i < 40; i++) payloads.sent(input, 200, false);
  t.ok(Math.abs(payloads.usual(input) - 200) < 5);
  t.ok(Math.abs(payloads.usual(other) - 1000) < 5, 'where frames are not predicted');
});

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
  const settings = { partition: 'auto', rate: 'auto' as const, pictures: false, accuracy_floor: 0.97, privacy: {} };
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
  const pictures = [0.96, 0.99, 1.01].map((ap_relative, i) => ({
    quality: 30 * (i + 1),
    payload_bytes_mean: 1000 * (i + 1),
    accuracy: { dataset: 'd', images: 1, ap_relative },
  }));
  const withPictures: Manifest = { ...manifest, pictures };
  t.same(ids(choicesFor(withPictures, settings)), ['input/1', 'input/2', 'device/0'], 'pictures stay, unless allowed');
  t.same(
    ids(choicesFor(withPictures, { ...settings, pictures: true })),
    ['input/1', 'input/2', 'raw/0', 'jpeg/1', 'jpeg/2', 'device/0'],
    'and keep the floor too',
  );
  t.same(
    ids(choicesFor(withPictures, { ...settings, pictures: true, privacy: { max_reveals: 0.99 } })),
    ['device/0'],
    'privacy is above it: points without a figure, and pictures',
  );
  t.match(choicesFor(withPictures, { ...settings, partition: 'jpeg', rate: 2 }), [
    { id: 'jpeg', rate: 2, partition: -1, bytes: 3000, edgeFlops: 10 },
  ]);
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
    unknown(() => choicesFor(manifest, { ...settings, partition: 'jpeg' })),
    { code: 'partition_unknown', hint: 'It has input, stage1.' },
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
