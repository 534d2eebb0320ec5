/**
 * Workers that are killed at random under load, for as long as wanted: each frame is answered once, or counted as lost by its
 * device, and every device is answered again within two seconds.
 *
 * JSON: {kills, frames, results, lost, twice, recovery_ms: {p50, most}, ok}
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCamera } from '../agent/camera/index.js';
import { DeepcodError, ExitCode } from '../platform/errors.js';
import { runMain } from '../platform/main.js';
import { numberOption, parseOptions, text } from '../platform/options.js';
import { packageRoot } from '../platform/root.js';
import { drill } from './edge/drill.js';
import { mosquitto, startMosquitto } from './edge/server.js';

const LIMIT_MS = 2000;

const usage = `usage: node dist/bench/edge-drill.js [options]

Kills workers at random under load, on mosquitto, with the small bundle of the tests.

  --kills N    (default: 20; each takes a second or two)
  --workers N  (default: 3)
  --devices N  (default: 8)
  --fps N      of each device (default: 10)
  --seed N     (default: 1)
  --json FILE  write the report
  --help       this text

Exit codes: 0 nothing was lost unseen, nothing answered twice, all recovered within ${LIMIT_MS} ms; 1 otherwise; 2 wrong usage.`;

runMain(usage, async (args) => {
  const values = parseOptions(args, { kills: text, workers: text, devices: text, fps: text, seed: text, json: text });
  if (!mosquitto) throw new DeepcodError('mosquitto', 'mosquitto is not installed', undefined, ExitCode.usage);
  const kills = numberOption('kills', values.kills, 1, 100_000) ?? 20;
  const broker = await startMosquitto();
  try {
    const { devices, twice, recovery_ms } = await drill({
      broker: broker.url,
      bundle: join(packageRoot(), 'test/fixtures/tiny-bundle'),
      workers: numberOption('workers', values.workers, 2, 64) ?? 3,
      devices: numberOption('devices', values.devices, 1, 256) ?? 8,
      fps: numberOption('fps', values.fps, 1, 60) ?? 10,
      kills,
      openCamera,
      seed: numberOption('seed', values.seed, 1, 2 ** 31 - 2) ?? 1,
    });
    const sum = (key: 'frames' | 'results' | 'lost') => devices.reduce((total, device) => total + device[key], 0);
    const sorted = [...recovery_ms].sort((a, b) => a - b);
    const most = sorted[sorted.length - 1];
    const counted = devices.every(({ frames, results, lost, ended }) => frames === ended && results + lost === frames);
    const report = {
      kills,
      frames: sum('frames'),
      results: sum('results'),
      lost: sum('lost'),
      twice,
      recovery_ms: { p50: sorted[sorted.length >> 1], most },
      ok: counted && twice === 0 && most <= LIMIT_MS,
    };
    console.log(JSON.stringify(report));
    if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
    return report.ok ? ExitCode.ok : ExitCode.unexpected;
  } finally {
    await broker.stop();
  }
});
