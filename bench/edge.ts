/**
 * The edge at its limits: frames a second and latency by the number of simulated cameras that send as fast as they are
 * answered, against a bare loop of ONNX Runtime on the same tail; and many devices at one frame a second on one broker.
 * Cameras, edge, broker and bare loop are processes of their own; frames are made before and go over real MQTT.
 *
 * JSON: {rows: [{cameras, provider, batch, fps, bare_fps, share, p50_ms, p99_ms, lost, ...}], devices: [...], bare, decoder_share,
 * machine, versions, command}
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { openBundle } from '../platform/bundle.js';
import { ExitCode } from '../platform/errors.js';
import { chooseProvider } from '../platform/inference/choose-provider.js';
import { type Provider, providers } from '../platform/inference/provider.js';
import { silentLog } from '../platform/log.js';
import { runMain, usageError } from '../platform/main.js';
import { flag, numberOption, parseOptions, text } from '../platform/options.js';
import { defaultBundle } from '../platform/root.js';
import { machine, versions } from '../platform/versions.js';
import { type ManyRow, manyDevices } from './edge/many.js';
import { saturation } from './edge/saturation.js';
import { type BrokerKind, mosquitto } from './edge/server.js';
import { toolkit } from './rate/toolkit.js';

const usage = `usage: npm run bench:edge -- [options] --json FILE

Frames a second and latency of an edge by the number of cameras, against a bare loop of ONNX Runtime; and many devices at
one frame a second.

  --bundle DIR      the models (default: models/onnx/worksite)
  --partition ID    where frames are cut (default: input); raw for pixels
  --rate N          (default: 0)
  --cameras LIST    numbers of cameras, each at most 512; "none" leaves this part out (default: 1,2,4,8,16,32,64)
  --devices N       devices at one frame a second; 0 leaves this part out (default: 1000)
  --provider NAME   auto, ${providers.join(', ')} (default: auto)
  --threads N       threads inside one run (default: all)
  --batch N         frames in one run, at most (default: 8)
  --seconds N       for each number of cameras (default: 10)
  --broker KIND     mosquitto or embedded, for the cameras (default: mosquitto where it is installed)
  --quick           1, 4 and 16 cameras for 3 seconds each, 200 devices: under a minute
  --page FILE       Markdown page to write, with a picture beside the JSON (needs the toolkit's Python)
  --json FILE       the report
  --help            this text

Exit codes: 0 done, 1 unexpected, 2 wrong usage, 3 bundle.`;

runMain(usage, async (args) => {
  const values = parseOptions(args, {
    bundle: text,
    partition: text,
    rate: text,
    cameras: text,
    devices: text,
    provider: text,
    threads: text,
    batch: text,
    seconds: text,
    broker: text,
    quick: flag,
    page: text,
    json: text,
  });
  const { json, quick, page } = values;
  if (json === undefined) throw usageError('--json FILE: say where the report goes');
  const wanted = values.provider ?? 'auto';
  if (wanted !== 'auto' && !(providers as readonly string[]).includes(wanted)) {
    throw usageError(`--provider ${wanted}: auto, ${providers.join(', ')}`);
  }
  const kind = values.broker ?? (mosquitto ? 'mosquitto' : 'embedded');
  if (kind !== 'mosquitto' && kind !== 'embedded') throw usageError(`--broker ${kind}: mosquitto or embedded`);
  if (kind === 'mosquitto' && !mosquitto) throw usageError('--broker mosquitto: it is not installed');
  const cameras = listOf(values.cameras ?? (quick ? '1,4,16' : '1,2,4,8,16,32,64'));
  const devices = numberOption('devices', values.devices, 0, 4000) ?? (quick ? 200 : 1000);
  const seconds = numberOption('seconds', values.seconds, 1, 600) ?? (quick ? 3 : 10);
  const bundle = resolve(values.bundle ?? defaultBundle());
  const { manifest } = await openBundle(bundle);
  const partition = values.partition ?? 'input';
  const known = [...manifest.partitions.map(({ id }) => id), 'raw'];
  if (!known.includes(partition)) throw usageError(`--partition ${partition}: ${known.join(', ')}`);
  const progress = (line: string) => process.stderr.write(`${line}\n`);

  const provider = await chooseProvider(wanted as Provider | 'auto', silentLog);
  const loadBefore = loadavg()[0];
  const saturated =
    cameras.length === 0
      ? undefined
      : await saturation(
          {
            bundle,
            partition,
            rate: numberOption('rate', values.rate, 0, 255) ?? 0,
            cameras,
            provider,
            threads: numberOption('threads', values.threads, 1, 256) ?? availableParallelism(),
            batch: numberOption('batch', values.batch, 1, 64) ?? 8,
            broker: kind,
            ms: seconds * 1000,
            bareMs: quick ? 700 : 3000,
          },
          progress,
        );
  const many: ManyRow[] = [];
  const brokers: BrokerKind[] = mosquitto ? ['mosquitto', 'embedded'] : ['embedded'];
  if (devices > 0) {
    for (const broker of brokers) many.push(await manyDevices(devices, broker, quick ? 3000 : 20_000, progress));
  }
  const report = {
    command: `npm run bench:edge -- ${args.join(' ')}`,
    goal: 'at saturation at least 95% of the bare loop',
    bundle: manifest.service.name,
    partition,
    broker: kind,
    rows: saturated?.rows ?? [],
    bare: saturated?.bare ?? {},
    decoder_share: saturated?.decoder_share ?? null,
    devices: many,
    machine: { ...machine(), load_before: loadBefore },
    versions: versions(),
  };
  if (page === undefined) {
    await writeFile(json, `${JSON.stringify(report, null, 2)}\n`);
    return ExitCode.ok;
  }
  const folder = await mkdtemp(join(tmpdir(), 'deepcod-edge-bench-'));
  try {
    const measured = join(folder, 'measured.json');
    await writeFile(measured, JSON.stringify(report));
    await toolkit('edge', measured, '--json', resolve(json), '--page', resolve(page));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return ExitCode.ok;
});

function listOf(list: string): number[] {
  if (list === 'none') return [];
  const numbers = list.split(',').map(Number);
  const bad = numbers.find((n) => !Number.isInteger(n) || n < 1 || n > 512);
  if (bad !== undefined) throw usageError(`--cameras ${list}: integers 1 to 512, joined by commas, or "none"`);
  return numbers;
}
