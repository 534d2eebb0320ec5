import t from 'tap';
import { type Comparison, compare, defaultManifest, runAgent, SETTINGS } from '../../bench/simulator/compare.js';
import { changingScenarios, steadyScenarios } from '../../bench/simulator/scenarios.js';
import { LinkTrace, phases, radio, WIFI } from '../../bench/simulator/trace.js';
import { World } from '../../bench/simulator/world.js';

const manifest = defaultManifest();
const times = (value: number) => value.toFixed(3);

t.test('traces: what passes in how long', async (t) => {
  const link = phases([
    { seconds: 1, mbps: 8, rttMs: 1 },
    { seconds: 1, mbps: 0, rttMs: 1 },
    { seconds: 1, mbps: 0.8, rttMs: 1 },
  ]);
  t.equal(link.sent(1000, 0), 1, '8000 bits at 8 Mbit/s');
  t.equal(link.sent(1000, 1500), 2010, 'nothing passes until the outage is over');
  t.ok(Math.abs(link.sent(500_000 + 1000, 500) - 2010) < 1e-6, 'across phases');
  t.equal(link.sent(1000, 10_000), 10_010, 'the last phase holds');
  t.equal(new LinkTrace([{ mbps: 0, rttMs: 1 }]).sent(1, 0), Number.POSITIVE_INFINITY);
  t.same(radio(WIFI, 20, 3), radio(WIFI, 20, 3), 'the same seed, the same trace');
  t.notSame(radio(WIFI, 20, 3), radio(WIFI, 20, 4));
});

t.test(
  'on steady links the agent is within 5% of the best single choice in hindsight, though its profiles are wrong',
  async (t) => {
    const all = steadyScenarios(150).map((scenario) => compare(scenario, manifest));
    t.equal(all.length, 108);
    for (const { scenario, over_fixed } of all) t.ok(over_fixed <= 1.2, `${scenario}: ${times(over_fixed)}`);
    const near = all.filter(({ over_fixed }) => over_fixed <= 1.05).length;
    t.ok(near >= 105, `${near} of 108 within 5%`);
    const flutter = all.filter(({ changes }) => changes > 12);
    t.same(
      flutter.map(({ scenario, changes }) => `${scenario}: ${changes}`),
      [],
      'and changes seldom: equals may change places every half minute',
    );
  },
);

t.test(
  'whatever changes, never more than 5% behind the best single choice, and within 20% of one who knows the future',
  async (t) => {
    const scenarios = [...changingScenarios(), ...changingScenarios(true)];
    const all: Comparison[] = scenarios.map((scenario) => compare(scenario, manifest));
    for (const { scenario, over_fixed, over_oracle } of all) {
      t.ok(over_fixed <= 1.05, `${scenario}: ${times(over_fixed)} of the best single choice`);
      t.ok(over_oracle <= 1.2, `${scenario}: ${times(over_oracle)} of the oracle`);
    }
    const mean = all.reduce((sum, { over_oracle }) => sum + over_oracle, 0) / all.length;
    t.ok(mean <= 1.1, `mean ${times(mean)} of the oracle`);
  },
);

t.test('the same seed gives the same run, frame by frame', async (t) => {
  const [scenario] = changingScenarios();
  const flights = () => runAgent(new World({ ...scenario, seconds: 60 }), manifest).result.flights;
  t.same(flights(), flights());
});

t.test('the accuracy floor holds in every frame, trials included', async (t) => {
  for (const scenario of changingScenarios().slice(0, 8)) {
    const { result } = runAgent(new World(scenario), manifest, { ...SETTINGS, accuracy_floor: 0.985 });
    t.ok(result.flights.every(({ choice }) => choice.id === 'device' || choice.accuracy >= 0.985));
  }
});

t.test('a price on data moves it to fewer bytes, a price on energy off the device', async (t) => {
  const scenario = { ...changingScenarios()[3], seconds: 120 };
  const sum = (settings: typeof SETTINGS) => {
    const { flights } = runAgent(new World(scenario), manifest, settings).result;
    return {
      bytes: flights.reduce((total, { bytes }) => total + bytes, 0) / flights.length,
      device: flights.reduce((total, { choice }) => total + choice.deviceFlops, 0) / flights.length,
    };
  };
  const free = sum(SETTINGS);
  t.ok(sum({ ...SETTINGS, prices: { ms_per_mj: 0, ms_per_kb: 500 } }).bytes < 0.7 * free.bytes);
  const power = { idle_w: 2.7, busy_w: 6.4, send_w: 3.5 };
  const slow = { ...scenario, link: phases([{ seconds: 120, mbps: 0.1, rttMs: 20 }]) };
  const worth = (ms_per_mj: number) => {
    const settings = { ...SETTINGS, prices: { ms_per_mj, ms_per_kb: 0 }, power };
    const { flights } = runAgent(new World(slow), manifest, settings).result;
    return flights.reduce((total, { choice }) => total + choice.deviceFlops, 0) / flights.length;
  };
  t.ok(worth(2) < 0.7 * worth(0), 'a slow link costs time, computing costs more');
});
