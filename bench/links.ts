/**
 * Latency and energy of a frame over a grid of links, for this project's codecs and every other method that
 * bench:baselines measured: the paper's Figures 6 to 11 and Table 3. Links are real TCP between network namespaces;
 * devices are this machine's times, multiplied. docs/results/links.md explains both.
 *
 * JSON: {rows: [{method, device, edge, mbps, delay_ms, background_mbps, p50_ms, p95_ms, kb, ap_relative, partition, setting,
 * simulated, ...}], links: what was timed, ratios, devices, edges, broker, machine, versions, command, ...}
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DEVICES, slowDown, YOLOX_NANO_HERE_MS } from '../agent/partition/boards.js';
import { DeepcodError } from '../platform/errors.js';
import { runMain, untilStopped } from '../platform/main.js';
import { packageRoot } from '../platform/root.js';
import { machine, versions } from '../platform/versions.js';
import { type Baselines, readBaselines } from './links/baselines.js';
import { type Candidate, candidates, type Link, MOST_LOST, ourChoices, promising } from './links/decide.js';
import { links } from './links/grid.js';
import { openNet } from './links/open-net.js';
import { baselinesFile, type LinksOptions, linksOptions, usage } from './links/options.js';
import { readPictures } from './links/pictures.js';
import { openPlace, type Place } from './links/place.js';
import { ratios } from './links/ratios.js';
import { writeReport } from './links/report.js';
import { EDGES, GPU_SPEED_UP, type Row, row, type Setting, type Timed } from './links/rows.js';
import { LIMITS, messageSizes, time } from './links/timing.js';
import { ASSUMED, deriveYolov3, knownYolov3Ms, timeYolov3 } from './links/yolov3.js';
import { cached } from './rate/cache.js';
import { hashFile, hashFolders } from './rate/dataset.js';
import { toolkit } from './rate/toolkit.js';

const HERE = fileURLToPath(new URL('.', import.meta.url));
/** Code that what was timed depends on, besides the relay's. */
const TIMING = ['background', 'client', 'edge', 'namespaces', 'place', 'timing'];

async function baselinesOf({ service, baselines, quick }: LinksOptions): Promise<Baselines> {
  const measured = await readBaselines(baselines);
  return service === 'yolov3' ? deriveYolov3(measured, quick ? await knownYolov3Ms() : await timeYolov3()) : measured;
}

/** YOLOX-nano on the machine that measured the baselines: what device profiles are multiples of. */
async function yardstick({ service, baselines }: LinksOptions): Promise<number> {
  const file = service === 'worksite' ? baselinesFile('yolox-nano') : baselines;
  const nano = await readBaselines(file).catch(() => undefined);
  return nano?.service === 'yolox-nano' ? nano.uncompressed.network_ms : YOLOX_NANO_HERE_MS;
}

/** What our agent may send where pictures are allowed; YOLOv3's are those of YOLOX-nano, which has the same input. */
async function picturesOf(baselines: Baselines, { service }: LinksOptions): Promise<Candidate[]> {
  const name = service === 'yolov3' ? 'yolox-nano' : service;
  const file = join(packageRoot(), 'docs', 'results', `${name}-jpeg.json`);
  return candidates({ ...baselines, rows: await readPictures(file, baselines) }).get('ours-pictures') ?? [];
}

interface TimedLink extends Link {
  /** Of other traffic, while nothing was measured beside it. */
  background_sent_mbps: number;
  messages: { method: string; partition: string; setting: unknown; kb: number; timed: Timed }[];
}

/** Times all candidates that may win on this link. */
async function timeLink(place: Place, link: Link, rows: Candidate[], options: LinksOptions): Promise<TimedLink> {
  const background_sent_mbps = Math.round((await place.setLink(link)) * 10) / 10;
  const messages: TimedLink['messages'] = [];
  for (const candidate of rows) {
    const { method, partition, setting, kb } = candidate;
    const timed = await time(place, candidate, link, LIMITS[options.quick ? 'quick' : 'full']);
    messages.push({ method, partition, setting, kb, timed });
  }
  return { ...link, background_sent_mbps, messages };
}

async function measure(place: Place, baselines: Baselines, unit: number, options: LinksOptions) {
  const methods = candidates(baselines);
  const pictures = await picturesOf(baselines, options);
  const choices = new Map([...methods, ...ourChoices(methods, pictures)]);
  const paces = DEVICES.flatMap((device) => EDGES.map((edge) => ({ device: slowDown(device, unit), edge: edge.pace })));
  const setting: Setting = {
    service: baselines.service,
    assumed: options.service === 'yolov3' ? ASSUMED : [],
    loopback: place.kind === 'loopback',
  };
  const own = TIMING.map((name) => hashFile(join(HERE, 'links', `${name}.js`)));
  const code = await Promise.all([hashFolders([join(HERE, 'link')]), ...own]);
  const grid = links(options.quick);
  const timedLinks: TimedLink[] = [];
  const rows: Row[] = [];
  for (const [i, link] of grid.entries()) {
    const start = performance.now();
    const timed = new Map<Candidate, Timed>();
    let took = '';
    // Pictures that our agent sends are timed by themselves, so that the others need not be timed again with them.
    for (const rows of [[...methods.values()].flatMap((own) => promising(own, link, paces)), pictures]) {
      const sending = rows.filter(({ partition }) => partition !== 'device');
      if (sending.length === 0) continue;
      const measureNow = () => timeLink(place, link, sending, options);
      const what = sending.map((c) => [c.method, c.partition, c.setting, messageSizes(c)]);
      const key = { link, what, code, machine: machine(), kind: place.kind, broker: place.broker };
      const kept = options.quick
        ? { value: await measureNow(), found: false }
        : await cached('link', key, measureNow, join(packageRoot(), 'runs', 'links'));
      timedLinks.push(kept.value);
      for (const [i, candidate] of sending.entries()) timed.set(candidate, kept.value.messages[i].timed);
      took = kept.found ? 'kept' : `${((performance.now() - start) / 1000).toFixed(1)} s`;
    }
    for (const device of DEVICES) {
      for (const edge of EDGES) {
        const where = { device, slowDown: slowDown(device, unit), edge, link };
        for (const [method, own] of choices) rows.push(row(setting, method, own, where, (c) => timed.get(c)));
      }
    }
    const other = link.background_mbps ? `, ${link.background_mbps} Mbit/s of other traffic` : '';
    process.stderr.write(
      `${i + 1}/${grid.length}: ${link.mbps} Mbit/s, ${link.delay_ms} ms${other}: ${timed.size} messages (${took})\n`,
    );
  }
  return { links: timedLinks, rows };
}

runMain(usage, async (args) => {
  const options = linksOptions(args);
  const baselines = await baselinesOf(options);
  const unit = await yardstick(options);
  const stopped = untilStopped().then((signal): never => {
    throw new DeepcodError('stopped', `stopped by ${signal}`, undefined, 130);
  });
  // It may come before anyone waits for it.
  stopped.catch(() => {});
  const place = await openPlace(await openNet(options.loopback));
  const measured = await Promise.race([measure(place, baselines, unit, options), stopped]).finally(place.close);
  await writeReport(options.json, {
    service: baselines.service,
    quick: options.quick,
    command: options.command,
    machine: machine(),
    versions: versions(),
    link: place.kind,
    broker: place.broker,
    baselines: { command: baselines.command, machine: baselines.machine, uncompressed: baselines.uncompressed },
    accuracy_floor: `AP of the uncompressed service, letterboxed alike, less ${MOST_LOST}; else the method's most accurate setting`,
    yolox_nano_ms: unit,
    devices: DEVICES.map((device) => ({ ...device, slow_down: slowDown(device, unit) })),
    gpu_speed_up: GPU_SPEED_UP,
    limits: LIMITS[options.quick ? 'quick' : 'full'],
    ratios: ratios(measured.rows, baselines.service),
    ...measured,
  });
  if (!options.quick) await toolkit('links', options.json, ...(options.page ? ['--page', options.page] : []));
  return 0;
});
