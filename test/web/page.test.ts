import { join } from 'node:path';
import t from 'tap';
import { packageRoot } from '../../platform/root.js';

const page = (file: string): Promise<Record<string, (...args: never[]) => unknown>> =>
  import(join(packageRoot(), 'edge', 'web', 'public', file));

t.test('numbers with units that people read', async (t) => {
  const { bytes, ms, place, found, median, cause } = (await page('parts/format.js')) as Record<
    string,
    (...args: unknown[]) => unknown
  >;
  t.same(
    [0, 999, 1000, 5240, 99_949, 99_960, 519_168, 999_960].map((v) => bytes?.(v)),
    [
      ['0', 'B'],
      ['999', 'B'],
      ['1.0', 'KB'],
      ['5.2', 'KB'],
      ['99.9', 'KB'],
      ['100', 'KB'],
      ['519', 'KB'],
      ['1.0', 'MB'],
    ],
  );
  t.same(
    [0.02, 0.5, 9.94, 12.34, 99.96, 1234, 12_345, Number.NaN].map((v) => ms?.(v)),
    [
      ['0.02', 'ms'],
      ['0.5', 'ms'],
      ['9.9', 'ms'],
      ['12.3', 'ms'],
      ['100', 'ms'],
      ['1234', 'ms'],
      ['12.3', 's'],
      ['–', ''],
    ],
  );
  t.equal(place?.('input', 2), 'input, rate 2');
  t.equal(place?.('raw', 0), 'raw');
  t.equal(found?.({ head: 1, helmet: 3 }), '3 helmet, 1 head');
  t.equal(found?.({}), 'nothing');
  t.equal(median?.([3, 1, Number.NaN, 2]), 2);
  t.equal(cause?.('refused_unknown_bundle'), 'refused by the edge: the edge has no such bundle');
  t.equal(cause?.('something_new'), 'something new');
});

t.test('an axis has round numbers and ends above the largest value', async (t) => {
  const { axis } = (await page('technical/chart.js')) as unknown as {
    axis: (largest: number) => { ticks: number[]; top: number };
  };
  for (const largest of [0.3, 1, 4.9, 7, 99, 101, 5240, 519_168, 1e9]) {
    const { ticks, top } = axis(largest);
    t.ok(top >= largest, `${largest} -> ${top}`);
    t.ok(ticks.length >= 3 && ticks.length <= 7, `${ticks}`);
    t.equal(ticks[0], 0);
  }
});

t.test('the model merges what changed and keeps a bounded past', async (t) => {
  const module = (await page('technical/model.js')) as unknown as {
    Model: new () => {
      take(message: object, first: boolean): void;
      devices: Map<string, { trips: { frame: number; bytes: number }[] }>;
    };
    total(trip: object): number;
    TRIPS: number;
  };
  const model = new module.Model();
  const now = Date.now();
  const view = (trips: object[]): object => ({
    name: 'cam',
    online: true,
    lastSeen: now,
    counts: {},
    errors: [],
    trips,
    reasons: [],
  });
  const trip = (frame: number, bytes = 1): object => ({ session: 1, frame, bytes, steps: {}, exact: false });
  model.take({ now, devices: [view([trip(1), trip(2)])] }, true);
  model.take({ now, devices: [view([trip(2, 9), trip(3)])] }, false);
  t.same(
    model.devices.get('cam')?.trips.map((x) => [x.frame, x.bytes]),
    [
      [1, 1],
      [2, 9],
      [3, 1],
    ],
  );
  model.take({ now, devices: [view([trip(6), trip(5)])] }, false);
  t.same(
    model.devices.get('cam')?.trips.map((x) => x.frame),
    [1, 2, 3, 5, 6],
    'answers pass each other: frames stand in order',
  );
  for (let f = 4; f < 400; f++) model.take({ now, devices: [view([trip(f)])] }, false);
  t.equal(model.devices.get('cam')?.trips.length, module.TRIPS);
  model.take({ now, devices: [], gone: ['cam'] }, false);
  t.equal(model.devices.size, 0);
  model.take({ now, devices: [view([trip(1)])] }, true);
  t.equal(model.devices.get('cam')?.trips.length, 1, 'a new connection starts anew');
  t.equal(module.total({ exact: false, steps: { capture: 5, tail: 30, total: 70 } }), 35, 'estimates are summed');
  t.equal(
    module.total({ exact: true, steps: { capture: 5, tail: 30, total: 70 } }),
    70,
    'a measured total is taken as it is',
  );
});

t.test('decisions: kept until the next, reasons merged, those of an earlier start left out', async (t) => {
  const { Model } = (await page('technical/model.js')) as unknown as {
    Model: new () => { take(message: object, first: boolean): void; devices: Map<string, Device> };
  };
  interface Device {
    decision?: { frame: number };
    reasons: { frame: number }[];
  }
  const { current } = (await page('technical/decision.js')) as unknown as {
    current: (device: object) => object | undefined;
  };
  const model = new Model();
  const now = Date.now();
  const view = { name: 'cam', online: true, lastSeen: now, counts: {}, errors: [], trips: [], reasons: [] };
  const decision = { session: 1, frame: 7 };
  model.take({ now, devices: [{ ...view, decision, reasons: [{ session: 1, frame: 7, why: 'so' }] }] }, true);
  model.take({ now, devices: [{ ...view, reasons: [{ session: 1, frame: 8, why: 'thus' }] }] }, false);
  const known = model.devices.get('cam') as Device;
  t.equal(known.decision?.frame, 7, 'not told again, not forgotten');
  t.same(
    known.reasons.map(({ frame }) => frame),
    [7, 8],
  );
  t.equal(current({ ...known, health: { session: 1 } }), decision);
  t.equal(current({ ...known, trips: [{ session: 2, frame: 1 }] }), undefined, 'the process was started again');
});

t.test('what has to be said plainly: local results and their cause, results that wait', async (t) => {
  const { standing } = (await page('technical/decision.js')) as unknown as {
    standing: (device: object) => { local: string; waiting: string };
  };
  const trip = (partition: string): object => ({ session: 1, frame: 5, partition, rate: 0 });
  const decision = { session: 1, frame: 5, partition: 'device', rate: 0, reason: 'no_edge' };
  t.same(standing({ trips: [trip('input')], decision }), { local: '', waiting: '' });
  t.match(standing({ trips: [trip('device')], decision }).local, /^No edge answers\. .* local/);
  t.match(standing({ trips: [trip('device')] }).local, /runs the whole service itself: its results are local/);
  t.match(standing({ trips: [trip('device')], decision: { ...decision, reason: 'best' } }).local, /by its own choice/);
  t.equal(standing({ trips: [], health: { waiting_results: 1 } }).waiting, '1 result waits for the broker.');
  t.equal(standing({ trips: [], health: { waiting_results: 1200 } }).waiting, '1,200 results wait for the broker.');
});

t.test('the inputs of a decision in words', async (t) => {
  const { linkWords, slowness, sentence } = (await page('technical/decision.js')) as Record<
    string,
    (...args: unknown[]) => unknown
  >;
  const link = { base_ms: 14, mbps: 3.42, harmonic_mbps: 0.298, transfers: 12 };
  t.same(linkWords?.({ link }), ['14.0\u202fms + 3.4\u202fMbit/s', 'harmonic mean 298\u202fkbit/s, 12 transfers']);
  t.match(linkWords?.({ link: { ...link, mbps: 2400, transfers: 1 } }), [/2\.4\u202fGbit\/s/, /, 1 transfer$/]);
  t.same(
    [1.34, 1.01, 0.5, undefined].map((factor) => slowness?.(factor)),
    [['1.3\u00d7 slower', 'than profiled'], ['as profiled'], ['2.0\u00d7 faster', 'than profiled'], ['–']],
  );
  t.equal(sentence?.('the link became slow'), 'The link became slow.');
});

t.test(
  'options: the least first, a few of them and the chosen one; bars on one scale that a slow one cannot flatten',
  async (t) => {
    const { optionRows, shares, FEW } = (await page('technical/decision.js')) as unknown as {
      optionRows: (
        decision: object,
        all?: boolean,
      ) => { rows: { name: string; chosen: boolean }[]; hidden: number; top: number; cut: boolean };
      shares: (option: object, top: number) => number[];
      FEW: number;
    };
    const option = (partition: string, rate: number, total_ms: number): object => ({
      ...{ partition, rate, bytes: 1, total_ms, cost_ms: total_ms },
      ...{ device_ms: total_ms / 2, link_ms: total_ms / 4, edge_ms: total_ms / 4 },
    });
    const options = Array.from({ length: 11 }, (_, rate) => option('input', rate, 100 - rate));
    options.push(option('raw', 0, 14_000), option('device', 0, 1200));
    const few = optionRows({ partition: 'device', rate: 0, options });
    t.equal(few.rows[0]?.name, 'input, rate 10');
    t.match(few.rows.at(-1), { name: 'device', chosen: true }, 'the chosen one is never left out');
    t.equal(few.rows.length, FEW + 1);
    t.equal(few.hidden, options.length - FEW - 1);
    t.same(few.rows.filter(({ chosen }) => chosen).length, 1);
    t.equal(few.top, 4 * 90);
    t.ok(few.cut);
    const all = optionRows({ partition: 'input', rate: 0, options }, true);
    t.equal(all.rows.length, options.length);
    t.equal(all.hidden, 0);
    const short = optionRows({ partition: 'input', rate: 0, options: options.slice(0, 3) });
    t.equal(short.top, 100, 'nothing to cut: the longest bar is full');
    t.notOk(short.cut);
    t.same(shares({ device_ms: 10, link_ms: 20, edge_ms: 5 }, 40), [0.25, 0.5, 0.125]);
    t.same(shares({ device_ms: 30, link_ms: 20, edge_ms: 5 }, 40), [0.75, 0.25, 0]);
    t.same(shares({ device_ms: 0, link_ms: 0, edge_ms: 0 }, 0), [0, 0, 0]);
  },
);

t.test('lanes and changes, each with the reason that belongs to it', async (t) => {
  const { lanes, changes, changeWords } = (await page('technical/decision.js')) as unknown as {
    lanes: (trips: object[]) => object[];
    changes: (trips: object[], reasons: object[]) => { trip: { frame: number }; why: string }[];
    changeWords: (change: object) => string;
  };
  const at = (frame: number, partition: string, rate = 0, session = 1): object => ({ session, frame, partition, rate });
  const trips = [at(1, 'stage1', 1), at(2, 'stage1', 0), at(3, 'device'), at(5, 'stage1', 0), at(6, 'stage1', 0)];
  t.same(lanes(trips), [
    { partition: 'stage1', rate: 0, frames: 3 },
    { partition: 'stage1', rate: 1, frames: 1 },
    { partition: 'device', rate: 0, frames: 1 },
  ]);
  const reason = (frame: number, partition: string, rate: number, why: string, session = 1): object => ({
    ...at(frame, partition, rate, session),
    why,
  });
  const reasons = [
    reason(3, 'device', 0, 'another start', 9),
    reason(2, 'stage1', 0, 'it was better'),
    reason(4, 'stage1', 0, 'the edge is back'),
    reason(6, 'stage1', 0, 'it is still best'),
  ];
  t.same(
    changes(trips, reasons).map(({ trip, why }) => [trip.frame, why]),
    [
      [2, 'It was better.'],
      [3, 'The device did not tell why.'],
      [5, 'The edge is back.'],
    ],
    'a lost frame between is no hindrance',
  );
  const later = changes(trips, reasons.slice(3)).at(-1) as object;
  t.equal(changeWords(later), 'Frame 5: device \u2192 stage1, rate 0. As of frame 6: It is still best.');
  t.same(changes([at(1, 'input')], []), []);
  t.same(lanes([]), []);
});
