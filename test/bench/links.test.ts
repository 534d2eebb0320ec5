import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { DEVICES, slowDown } from '../../agent/partition/boards.js';
import { type BaselineRow, readBaselines } from '../../bench/links/baselines.js';
import { openEmbedded } from '../../bench/links/broker.js';
import {
  type Candidate,
  candidates,
  computedMs,
  decide,
  frameMs,
  ourChoices,
  promising,
} from '../../bench/links/decide.js';
import { links } from '../../bench/links/grid.js';
import { openNamespaces } from '../../bench/links/namespaces.js';
import { loopback, type Net } from '../../bench/links/net.js';
import { linksOptions } from '../../bench/links/options.js';
import { readPictures } from '../../bench/links/pictures.js';
import { openPlace } from '../../bench/links/place.js';
import { ratios } from '../../bench/links/ratios.js';
import { linesOf } from '../../bench/links/report.js';
import { EDGES, energy, type Row, row, type Timed } from '../../bench/links/rows.js';
import { messageSizes } from '../../bench/links/timing.js';
import { deriveYolov3 } from '../../bench/links/yolov3.js';
import { packageRoot } from '../../platform/root.js';

const folder = await mkdtemp(join(tmpdir(), 'links-'));
t.teardown(() => rm(folder, { recursive: true }));
const fixture = join(packageRoot(), 'test', 'fixtures', 'baselines.json');
const program = join(packageRoot(), 'dist', 'bench', 'links.js');
const baselines = await readBaselines(fixture);
const link = { mbps: 10, delay_ms: 20, background_mbps: 0 };
const PI_4 = DEVICES[1];

/** The namespaces' names that are this bench's. */
const namespaces = () =>
  execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.startsWith('deepcod-links-'));

/** Why there are none to test with, or false. */
const withoutNamespaces = await openNamespaces().then(
  async (net) => {
    await net.close();
    return false as const;
  },
  (error: Error) => `network namespaces are not allowed here: ${error.message.trim()}`,
);

const candidate = (part: Partial<Candidate>): Candidate => ({
  method: 'ours',
  partition: 'input',
  setting: 0,
  kb: 10,
  ap: 0.3,
  ap_relative: 1,
  device_ms: 1,
  edge_ms: 10,
  within_floor: true,
  ...part,
});

t.test('devices: as published, in order, and multiples of any machine', async (t) => {
  t.same(
    DEVICES.map(({ id }) => id),
    ['pi-zero-2w', 'pi-4', 'pi-5'],
  );
  const times = DEVICES.map((device) => slowDown(device, 10));
  t.ok(times[0] > times[1] && times[1] > times[2] && times[2] > 1, String(times));
  t.equal(slowDown(DEVICES[2], 1000 / 21.3), 1);
  for (const { power, source } of DEVICES) {
    t.ok(power.idle_w < power.send_w && power.send_w < power.busy_w);
    t.match(source, /https:|README/);
    t.match(power.source, /\.com\//);
  }
});

t.test('a method uses what loses at most one point, or its most accurate row', async (t) => {
  const methods = candidates(baselines);
  const of = (method: string) => methods.get(method)?.map((c) => [c.partition, c.setting, c.within_floor]);
  t.same(of('jpeg'), [['input', 90, true]]);
  t.same(of('offload-lossy'), [['input', 8, true]], 'AP 0.31 of 0.33 is too low');
  t.same(of('offload-cs'), [['stage1', 0.2, false]], 'none is near: the best, marked');
  t.same(of('ours'), [
    ['input', 5, true],
    ['stage1', 4, true],
  ]);
});

t.test("a row's loss is against its own uncompressed AP, not against another letterbox's", async (t) => {
  const row = (method: string, ap: number, reference: number) =>
    candidate({ method, ap, ap_relative: reference && ap / reference });
  const rows = [row('ours', 0.325, 0.3323), row('avif', 0.325, 0.3356), row('webp', 0, 0)];
  const methods = candidates({ ...baselines, uncompressed: { ...baselines.uncompressed, ap: 0.3356 }, rows });
  t.same(
    [...methods.values()].map(([c]) => [c.method, c.within_floor]),
    [
      ['ours', true],
      ['avif', false],
      ['webp', false],
    ],
  );
});

t.test("the decision is Eq. 14's sum, for device, link and edge", async (t) => {
  const early = candidate({ partition: 'input', device_ms: 1, edge_ms: 20, kb: 100 });
  const late = candidate({ partition: 'stage1', device_ms: 10, edge_ms: 10, kb: 10 });
  const local = candidate({ partition: 'device', device_ms: 40, edge_ms: 999, kb: 0 });
  const all = [early, late, local];
  const slow = (c: BaselineRow) => c.kb * 8;
  const fast = () => 0;
  t.equal(frameMs(early, 100, { device: 8, edge: 2 }), 8 + 100 + 40);
  t.equal(frameMs(local, 0, { device: 2, edge: 1 }), 80, 'no edge where nothing is sent');
  t.equal(decide(all, slow, { device: 1, edge: 1 }), local);
  t.equal(decide(all, slow, { device: 8, edge: 1 }), late);
  t.equal(decide(all, fast, { device: 8, edge: 1 }), early);
});

t.test('only what may win is measured, and what a fast edge or a slow device would take too', async (t) => {
  const small = candidate({ kb: 1, edge_ms: 100 });
  const large = candidate({ kb: 2, edge_ms: 1 });
  const hopeless = candidate({ kb: 500, edge_ms: 1 });
  const all = [small, large, hopeless];
  const slow = { mbps: 0.01, delay_ms: 0, background_mbps: 0 };
  t.same(promising(all, slow, [{ device: 1, edge: 1 }]), [small]);
  t.same(promising(all, link, [{ device: 1, edge: 1 }]), [large]);
  const both = [
    { device: 1, edge: 1 },
    { device: 1, edge: 0.001 },
  ];
  t.same(promising(all, { ...link, delay_ms: 0 }, both), [small, large], 'each wins at one edge');
});

t.test('computed time: bits over what is left, and the delay', async (t) => {
  const free = computedMs(100, { ...link, delay_ms: 0 });
  t.ok(free > 82 && free < 92, `${free} ms for 100 KB at 10 Mbit/s`);
  t.equal(computedMs(100, link), free + 20);
  const busy = computedMs(100, { mbps: 10, delay_ms: 0, background_mbps: 5 });
  t.ok(Math.abs(busy - 2 * free) < 1e-9);
  t.ok(Number.isFinite(computedMs(100, { ...link, background_mbps: 10 })));
});

t.test('energy: what computing and sending add, and idling for as long as it takes', async (t) => {
  const power = { idle_w: 1, busy_w: 5, send_w: 2 };
  t.same(energy(power, { computing: 10, sending: 20, latency: 100 }), { active: 4 * 10 + 20, total: 160 });
});

t.test("a row: the sum's parts, its percentiles, what is simulated", async (t) => {
  const setting = { service: 'x', assumed: [], loopback: false };
  const one = candidate({ device_ms: 2, edge_ms: 40, kb: 10 });
  const local = candidate({ partition: 'device', device_ms: 100, edge_ms: 0, kb: 0 });
  const timed: Timed = { p50: 30, p95: 50, messages: 5, computed: false };
  const cpu = { device: PI_4, slowDown: 8, edge: EDGES[0], link };
  const got = row(setting, 'ours', [one, local], cpu, (c) => (c === one ? timed : undefined));
  t.match(got, {
    device: 'pi-4',
    edge: 'cpu',
    p50_ms: 16 + 30 + 40,
    p95_ms: 16 + 50 + 40,
    device_part_ms: 16,
    link_ms: 30,
    edge_part_ms: 40,
    computed: false,
    simulated: ['device', 'energy'],
  });
  // 10 KB at 10 Mbit/s are 8.192 ms of sending.
  const active = (5 - 1.6) * 16 + (2.2 - 1.6) * 8.192;
  t.ok(Math.abs(got.energy_active_mj - active) < 0.01 && Math.abs(got.energy_mj - active - 1.6 * 86) < 0.01);
  const gpu = row(
    { ...setting, assumed: ['sizes'], loopback: true },
    'ours',
    [one],
    { ...cpu, edge: EDGES[1] },
    () => timed,
  );
  t.same([gpu.edge_part_ms, gpu.simulated], [2, ['device', 'energy', 'sizes', 'edge', 'link']]);
  const alone = row({ ...setting, loopback: true }, 'ours', [one, local], cpu, () => undefined);
  t.match(alone, { partition: 'device', p50_ms: 800, link_ms: 0, edge_part_ms: 0, simulated: ['device', 'energy'] });
});

t.test('ratios: where ours is not the fastest is said, and by how much', async (t) => {
  const base = row(
    { service: 'yolov3', assumed: [], loopback: false },
    'ours',
    [candidate({})],
    { device: PI_4, slowDown: 8, edge: EDGES[0], link: { mbps: 2, delay_ms: 2, background_mbps: 0 } },
    () => ({ p50: 1, p95: 1, messages: 1, computed: false }),
  );
  const at = (mbps: number, method: string, p50_ms: number, within_floor = true): Row => ({
    ...base,
    mbps,
    method,
    p50_ms,
    within_floor,
  });
  const rows = [
    at(2, 'ours', 100),
    at(2, 'offload', 900),
    at(2, 'jpeg', 80),
    at(10, 'ours', 50),
    at(10, 'offload', 60),
  ];
  const found = ratios([...rows, at(10, 'offload-cs', 40, false), at(2, 'ours-pictures', 80)], 'yolov3');
  t.same(found?.fastest, {
    ours: { cells: 2, won: 0, won_at_equal_accuracy: 1, worst: 1.25 },
    'ours-pictures': { cells: 1, won: 1, won_at_equal_accuracy: 1, worst: 1 },
  });
  t.match(found?.offload_pi4_2mbps.found, [{ mbps: 2, ratio: 9 }]);
  t.match(found?.offload_low_end.found, { mbps: 2, ratio: 9 });
  t.same(ratios(rows, 'worksite')?.offload_pi4_2mbps.found, [], 'only for the service it is about');
  t.equal(ratios([at(2, 'jpeg', 1)], 'yolov3'), null);
});

t.test('our agent chooses among its points and the device; where pictures are allowed, among those too', async (t) => {
  const own = candidate({ device_ms: 2, edge_ms: 40 });
  const local = candidate({ method: 'on-device', partition: 'device', setting: 'float32', kb: 0, device_ms: 70 });
  const int8 = candidate({ method: 'on-device', partition: 'device', setting: 'int8', kb: 0, device_ms: 1 });
  const raw = candidate({ method: 'offload', setting: 'raw, uint8', kb: 300, device_ms: 0, edge_ms: 5 });
  const png = candidate({ method: 'offload', setting: 'PNG', kb: 200 });
  const jpeg = candidate({ method: 'ours-pictures', partition: 'jpeg', kb: 20, device_ms: 2, edge_ms: 6 });
  const methods = new Map([
    ['ours', [own]],
    ['on-device', [local, int8]],
    ['offload', [png, raw]],
  ]);
  const choices = ourChoices(methods, [jpeg]);
  t.same([...choices.keys()], ['ours', 'ours-pictures']);
  t.same(choices.get('ours'), [own, local]);
  t.same(choices.get('ours-pictures'), [own, local, raw, jpeg]);
  const setting = { service: 'x', assumed: [], loopback: false };
  const where = { device: PI_4, slowDown: 1, edge: EDGES[0], link };
  const at = (ms: Map<Candidate, number>) =>
    row(setting, 'ours-pictures', choices.get('ours-pictures') ?? [], where, (c) => {
      const p50 = ms.get(c) ?? 1000;
      return { p50, p95: p50, messages: 1, computed: false };
    });
  t.match(at(new Map([[jpeg, 20]])), { method: 'ours-pictures', partition: 'jpeg', p50_ms: 28 });
  t.match(at(new Map([[raw, 10]])), { method: 'ours-pictures', partition: 'raw', p50_ms: 15 });
  t.match(at(new Map([[own, 5]])), { method: 'ours-pictures', partition: 'input', p50_ms: 47 });
  t.match(at(new Map()), { method: 'ours-pictures', partition: 'device', p50_ms: 70 });
  t.same(ourChoices(new Map([['jpeg', [jpeg]]]), []), new Map(), 'nothing without our points');
});

t.test('what our agent may send as a picture is read from its evaluation', async (t) => {
  const file = join(folder, 'jpeg.json');
  const one = { partition: 'jpeg', rate: 1, accuracy: { ap: 0.3, ap_relative: 0.9 }, bytes_per_frame: [2048, 1, 3] };
  await writeFile(file, JSON.stringify({ rows: [{ ...one, steps_ms: { encode: 2, decode: 3, tail: 99 } }] }));
  const [read] = await readPictures(file, baselines);
  t.match(read, { method: 'ours-pictures', partition: 'jpeg', setting: 1, kb: 2, ap: 0.3, device_ms: 2 });
  t.equal(read.edge_ms, 3 + baselines.uncompressed.network_ms, 'the network as in every other row');
  await t.rejects(readPictures(join(folder, 'none.json'), baselines), { exitCode: 2, message: /none.json/ });
});

t.test('YOLOv3: the parts take their share of its time; codecs and sizes are as measured', async (t) => {
  const { rows, device_ms, edge_ms } = deriveYolov3(baselines, 659);
  t.same(device_ms, { input: 0, stage1: 88, device: 659 });
  t.equal(edge_ms.stage1, 571);
  t.notOk(rows.some(({ partition }) => partition === 'stage2'));
  const ours = rows.find(({ method, partition }) => method === 'ours' && partition === 'stage1');
  t.match(ours, { device_ms: 88 + 4.5, edge_ms: 571 + 38, kb: 8 });
  const sensed = rows.find(({ method, partition }) => method === 'offload-cs' && partition === 'stage1');
  t.match(sensed, { kb: 4 * 70, device_ms: 88 + 4 * 5, edge_ms: 571 + 27 }, 'four times the channels to send');
  const picture = rows.find(({ method, partition }) => method === 'offload' && partition === 'input');
  t.equal(picture?.kb, 120, 'a picture is a picture');
  t.match(
    rows.find(({ method }) => method === 'on-device'),
    { device_ms: 659, edge_ms: 0 },
  );
});

t.test('YOLOv3: features measured of YOLOX-nano become no larger than its tensor is', async (t) => {
  const measured = await readBaselines(join(packageRoot(), 'docs', 'results', 'baselines-yolox-nano.json'));
  const bound = (104 * 104 * 128) / 1024;
  t.equal(bound, 1352);
  const features = deriveYolov3(measured, 659).rows.filter(({ partition }) => partition === 'stage1');
  const eightBits = features.filter(({ method, setting }) => method === 'offload-lossy' && setting === '8 bits');
  const whole = features.filter(({ method }) => method === 'offload');
  t.ok(eightBits.length > 0 && whole.length > 0);
  // Tables and shapes that a message begins with: a hundredth at most.
  for (const { kb } of eightBits) t.ok(kb > bound / 4 && kb <= bound * 1.01, `8 bits: ${kb} KB`);
  for (const { kb } of whole) t.ok(kb > bound / 4 && kb <= bound * 2 * 1.01, `16 bits: ${kb} KB`);
});

t.test('YOLOv3: faster forms on the device stay faster; times that lack are said', async (t) => {
  const eightBits = { ...baselines.rows[0], method: 'on-device', partition: 'device', device_ms: 8.5, edge_ms: 0 };
  const derived = deriveYolov3({ ...baselines, rows: [eightBits] }, 659);
  t.equal(derived.rows[0].device_ms, 329.5);
  const { stage1: _, ...device_ms } = baselines.device_ms;
  t.throws(() => deriveYolov3({ ...baselines, device_ms }, 659), { exitCode: 2, message: /lack times of stage1/ });
});

t.test('few messages stand for all pictures', async (t) => {
  const sizes = messageSizes(candidate({ kb_images: [7, 1, 5, 3, 2, 6, 4] }));
  t.same(
    sizes.slice(0, 3),
    [4, 2, 6].map((kb) => kb * 1024),
  );
  t.same(new Set(sizes).size, 7, 'each once');
  t.same(messageSizes(candidate({ kb: 2, kb_images: undefined })), [2048]);
});

t.test('the grid', async (t) => {
  const full = links(false);
  t.equal(full.filter((l) => l.background_mbps === 0).length, 30);
  t.same(
    full.filter((l) => l.background_mbps > 0).map((l) => [l.mbps, l.background_mbps]),
    [10, 20, 30, 40, 50].map((mbps) => [54, mbps]),
  );
  t.ok(links(true).length <= 4);
});

t.test('baselines that are none', async (t) => {
  const file = join(folder, 'bad.json');
  const wrong = async (content: string, message: RegExp) => {
    await writeFile(file, content);
    await t.rejects(readBaselines(file), { exitCode: 2, message, hint: /bench:baselines/ });
  };
  await wrong('{', /is no JSON/);
  await wrong('{}', /names no service/);
  await wrong(JSON.stringify({ ...baselines, rows: [{ ...baselines.rows[0], kb: 'x' }] }), /row 0, offload input: kb/);
  await t.rejects(readBaselines(join(folder, 'none.json')), { exitCode: 2, message: /cannot be read/ });
});

t.test('the report has a line for each row, and is JSON', async (t) => {
  const report = { a: { b: [1, 2], c: null, d: {} }, rows: [{ x: [{ y: 1 }] }, { x: 'z' }], links: [] };
  const text = linesOf(report);
  t.same(JSON.parse(text), report);
  t.ok(text.includes('\n  {"x":[{"y":1}]},\n  {"x":"z"}\n'));
});

t.test('options', async (t) => {
  t.match(linksOptions(['--json', 'a.json']), {
    service: 'yolox-nano',
    quick: false,
    baselines: /baselines-yolox-nano/,
  });
  t.match(linksOptions(['--json', 'a.json', '--service', 'yolov3']), { baselines: /baselines-yolox-nano/ });
  const wrong = (args: string[], message: RegExp) => t.throws(() => linksOptions(args), { exitCode: 2, message });
  wrong([], /--json FILE/);
  wrong(['--json', 'a.txt'], /ends in \.json/);
  wrong(['--json', 'a.json', '--service', 'yolo'], /--service yolo/);
  wrong(['--json', 'a.json', '--quick', '--page', fixture], /draws no plots/);
  wrong(['--json', 'a.json', '--baselines', join(folder, 'no.json')], /no such file/);
});

t.test('namespaces go when what needs them fails', { skip: withoutNamespaces }, async (t) => {
  const before = namespaces();
  const net = await openNamespaces();
  t.equal(namespaces().length, before.length + 2);
  const broken: Net = { ...net, command: (side, argv) => net.command(side, side === 'edge' ? ['false'] : argv) };
  await t.rejects(openPlace(broken), /did not start|ended/);
  t.same(namespaces(), before);
});

t.test('a link between namespaces: rate, delay, other traffic', { skip: withoutNamespaces }, async (t) => {
  const before = namespaces();
  const place = await openPlace(await openNamespaces());
  t.teardown(() => place.close());
  const request = { sizes: [100_000], warmUp: 0, atLeast: 2, atMost: 2, forMs: 0, timeoutMs: 20_000 };
  await place.setLink({ mbps: 1, delay_ms: 0, background_mbps: 0 });
  for (const ms of await place.measure(request)) t.ok(ms >= 600, `${ms} ms for 100 KB at 1 Mbit/s`);
  await place.setLink({ mbps: 100, delay_ms: 60, background_mbps: 0 });
  for (const ms of await place.measure({ ...request, sizes: [100] })) t.ok(ms >= 59, `${ms} ms there and back`);
  t.ok((await place.setLink({ mbps: 20, delay_ms: 0, background_mbps: 5 })) > 1, 'other traffic flows');
  await place.close();
  t.same(namespaces(), before);
});

t.test('without mosquitto the embedded broker carries it, on loopback', async (t) => {
  const place = await openPlace(loopback, openEmbedded);
  t.teardown(() => place.close());
  t.match([place.kind, place.broker], ['loopback', /embedded/]);
  await place.setLink({ mbps: 2, delay_ms: 0, background_mbps: 0 });
  const request = { sizes: [50_000], warmUp: 0, atLeast: 1, atMost: 1, forMs: 0, timeoutMs: 20_000 };
  const [ms] = await place.measure(request);
  t.ok(ms >= 150, `${ms} ms for 50 KB at 2 Mbit/s`);
  await t.rejects(place.measure({ ...request, timeoutMs: 20 }), /no answer within 20 ms/);
});

t.test('Ctrl-C: exit code 130, and the namespaces are gone', { skip: withoutNamespaces }, async (t) => {
  const before = namespaces();
  const args = ['--quick', '--baselines', fixture, '--json', join(folder, 'cut.json')];
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  const exit = once(child, 'exit');
  while (namespaces().length === before.length && child.exitCode === null) await new Promise((r) => setTimeout(r, 50));
  await new Promise((r) => setTimeout(r, 1500));
  child.kill('SIGINT');
  t.same(await exit, [130, null]);
  t.same(namespaces(), before);
});

t.test('the quick form: every cell and key; on loopback every row that sends says so', async (t) => {
  const json = join(folder, 'quick.json');
  const args = ['--quick', '--loopback', '--baselines', fixture, '--json', json];
  const { stderr } = await promisify(execFile)(process.execPath, [program, ...args]);
  t.match(stderr, /--loopback: links are simulated by a relay on loopback/);
  const report = JSON.parse(await readFile(json, 'utf8')) as { rows: Row[]; link: string; ratios: object };
  t.equal(report.link, 'loopback');
  const methods = new Set([...baselines.rows.map(({ method }) => method), 'ours-pictures']);
  t.equal(report.rows.length, links(true).length * DEVICES.length * EDGES.length * methods.size);
  const keys = ['method', 'device', 'mbps', 'delay_ms', 'p50_ms', 'p95_ms', 'kb', 'ap_relative', 'partition'] as const;
  const more = ['edge', 'device_part_ms', 'link_ms', 'edge_part_ms', 'setting', 'background_mbps', 'computed'];
  for (const one of report.rows) {
    for (const key of [...keys, ...more, 'energy_mj', 'simulated']) {
      if (!Object.hasOwn(one, key)) t.fail(`${one.method} lacks ${key}`);
    }
    const sends = one.partition !== 'device';
    if (one.simulated.includes('link') !== sends) t.fail(`${one.method} ${one.partition}: ${one.simulated}`);
    if (!(one.p50_ms > 0 && one.p95_ms >= one.p50_ms)) t.fail(`${one.method}: ${one.p50_ms}, ${one.p95_ms}`);
  }
  t.match(report.ratios, { fastest: { ours: { cells: 24 }, 'ours-pictures': { cells: 24 } } });
});

t.test('where namespaces are not to be had, a line says so', async (t) => {
  const json = join(folder, 'none.json');
  const args = ['--quick', '--baselines', fixture, '--json', json];
  // Without `ip`, which makes them.
  const env = { ...process.env, PATH: folder };
  const child = spawn(process.execPath, [program, ...args], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  const exit = once(child, 'exit');
  let said = '';
  for await (const part of child.stderr) {
    said += part;
    if (said.includes('\n')) break;
  }
  t.match(said, /network namespaces (need|cannot be used here).*: links are simulated by a relay on loopback/);
  child.kill('SIGINT');
  await exit;
});
