import { join } from 'node:path';
import t from 'tap';
import { packageRoot } from '../../platform/root.js';

const page = (file: string): Promise<Record<string, (...args: never[]) => unknown>> =>
  import(join(packageRoot(), 'edge', 'web', 'public', file));

t.test('numbers with units that people read', async (t) => {
  const { bytes, ms, bits, place, found, median, cause } = (await page('format.js')) as Record<
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
  t.same(bits?.(23_400_000), ['23.4', 'Mbit/s']);
  t.equal(place?.('input', 2), 'input, rate 2');
  t.equal(place?.('raw', 0), 'raw');
  t.equal(found?.({ head: 1, helmet: 3 }), '3 helmet, 1 head');
  t.equal(found?.({}), 'nothing');
  t.equal(median?.([3, 1, Number.NaN, 2]), 2);
  t.equal(cause?.('refused_unknown_bundle'), 'refused by the edge: the edge has no such bundle');
  t.equal(cause?.('something_new'), 'something new');
});

t.test('an axis has round numbers and ends above the largest value', async (t) => {
  const { axis } = (await page('chart.js')) as unknown as {
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
  const module = (await page('model.js')) as unknown as {
    Model: new () => {
      take(message: object, first: boolean): void;
      devices: Map<string, { trips: { frame: number; bytes: number }[] }>;
      present(device: unknown): boolean;
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
  t.ok(model.present(model.devices.get('cam')));
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
