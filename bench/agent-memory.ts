/**
 * How much memory the agent holds, and whether that stays so. A real agent and a real edge as two processes, the agent with the
 * flags and variables of its unit; what it holds is read from /proc every few seconds, and at the end the most that it ever
 * held. The simulated camera draws its pictures inside the agent, which a real one does not. MB are 2^20 bytes.
 *
 * JSON: {bundle, camera, fps, minutes, rss_mb: {start, max, mean, end, peak}, slope_mb_per_hour, goal_mb, agent: {fps, frames, results, lost,
 * partition}, flags, environment, samples: [{s, rss_mb, anonymous_mb, file_mb, frames}], machine, versions}; from `warm_up_s` on,
 * but `peak`: the kernel's, of all the time
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import sharp from 'sharp';
import { silentLog } from '../platform/log.js';
import { runMain, usageError } from '../platform/main.js';
import { connectMqtt } from '../platform/mqtt.js';
import { numberOption, parseOptions, text } from '../platform/options.js';
import { defaultBundle, packageRoot } from '../platform/root.js';
import { machine, versions } from '../platform/versions.js';
import { type HealthMessage, parseHealth } from '../protocol/health.js';
import { standInCamera } from './agent-memory/camera.js';
import { drawMemory } from './agent-memory/draw.js';
import { type Sample, slope } from './agent-memory/samples.js';

const GOAL_MB = 200;
/** By then models are measured, code is compiled, and caches are full. */
const WARM_UP_S = 120;
/** More than this in an hour is a leak, MB. */
const FLAT_MB_PER_HOUR = 5;

const usage = `usage: npm run bench:agent-memory -- [options]

How much memory the agent holds while it works, and whether that stays so. Prints the report.

  --minutes N     how long (default: 60)
  --fps N         pictures a second (default: 10)
  --partition ID  partition point (default: auto)
  --camera NAME   simulated (default), or rpicam: the tests' stand-in for it, which gives planes of YUV
  --bundle DIR    the models (default: models/onnx/worksite)
  --json FILE     write the report there too, and beside it the plot (.svg, .png)
  --help          this text

Exit codes: 0 always below ${GOAL_MB} MB and flat (${FLAT_MB_PER_HOUR} MB an hour), 1 not so or unexpected, 2 wrong usage, 3 bundle.`;

runMain(usage, async (args) => {
  const values = parseOptions(args, {
    minutes: text,
    fps: text,
    partition: text,
    bundle: text,
    camera: text,
    json: text,
  });
  const source = values.camera ?? 'simulated';
  if (source !== 'simulated' && source !== 'rpicam') throw usageError(`--camera ${source}: simulated or rpicam`);
  const minutes = numberOption('minutes', values.minutes, 0.1, 10_000, false) ?? 60;
  const fps = numberOption('fps', values.fps, 0.1, 120, false) ?? 10;
  const bundle = resolve(values.bundle ?? defaultBundle());
  const unit = readUnit(join(packageRoot(), 'systemd/deepcod-agent.service'));
  const folder = mkdtempSync(join(tmpdir(), 'deepcod-memory-'));
  const port = await freePort();
  const url = `mqtt://127.0.0.1:${port}`;
  const write = (name: string, config: object): string => {
    writeFileSync(join(folder, name), JSON.stringify(config));
    return join(folder, name);
  };
  const edgeFile = write('edge.yaml', {
    bundles: [bundle],
    broker: { port },
    web: { enabled: false },
    log: { level: 'warn' },
  });
  const agentFile = write('agent.yaml', {
    device: 'memory',
    bundle,
    broker: { url },
    camera: { source, fps },
    partition: values.partition,
    profile: { file: join(folder, 'profile.json') },
    results: { folder: join(folder, 'results') },
    log: { level: 'warn' },
  });
  const start = (flags: string[], script: string, file: string, env: Record<string, string> = {}) =>
    spawn(process.execPath, [...flags, join(packageRoot(), 'dist', script), '--config', file], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, ...env },
    });
  const edge = start([], 'edge/main.js', edgeFile);
  const agent = start(unit.flags, 'agent/main.js', agentFile, {
    ...unit.environment,
    ...(source === 'rpicam' && standInCamera(folder)),
  });
  const reader = connectMqtt(
    { broker: { url, version: 'auto', keepalive_s: 15 }, clientId: 'memory-reader' },
    silentLog,
  );
  let health: HealthMessage | undefined;
  reader.subscribe('deepcod/memory/health', (_, payload) => {
    health = parseHealth(payload);
  });
  try {
    const samples: Sample[] = [];
    const began = performance.now();
    while (performance.now() - began < minutes * 60_000) {
      await pause(Math.min(5000, minutes * 6000));
      if (agent.exitCode !== null || edge.exitCode !== null) throw new Error('a process ended');
      samples.push({
        s: Math.round((performance.now() - began) / 1000),
        ...memoryOf(agent),
        frames: health?.frames ?? 0,
      });
    }
    if (!health) throw new Error('the agent published no health');
    const warm = samples.filter(({ s }) => s >= Math.min(WARM_UP_S, minutes * 30));
    const held = warm.map(({ rss_mb }) => rss_mb);
    const result = {
      bundle: `${health.bundle?.name}/${health.bundle?.id}`,
      camera: source === 'rpicam' ? 'stand-in for rpicam-vid' : 'simulated',
      fps,
      minutes,
      warm_up_s: WARM_UP_S,
      rss_mb: {
        start: held[0],
        max: Math.max(...held),
        mean: Math.round(held.reduce((sum, mb) => sum + mb, 0) / held.length),
        end: held[held.length - 1],
        peak: megabytes(agent, 'VmHWM'),
      },
      slope_mb_per_hour: Math.round(slope(warm) * 3600 * 10) / 10,
      goal_mb: GOAL_MB,
      agent: {
        fps: health.fps,
        frames: health.frames,
        results: health.results,
        lost: health.lost,
        partition: health.partition,
      },
      flags: unit.flags,
      environment: unit.environment,
      machine: machine(),
      versions: versions(),
      samples,
    };
    const report = `${JSON.stringify(result, null, 2).replaceAll(/\{\s+("s": [^}]*?)\s+\}/g, (_, inner: string) => `{ ${inner.replaceAll(/\s+/g, ' ')} }`)}\n`;
    if (values.json) {
      writeFileSync(values.json, report);
      const svg = drawMemory(
        samples,
        GOAL_MB,
        `agent, ${result.bundle.split('/')[0]}, ${fps} frames a second, ${source === 'rpicam' ? 'a stand-in for rpicam-vid' : 'simulated camera'}`,
      );
      const name = values.json.replace(/\.json$/, '');
      writeFileSync(`${name}.svg`, svg);
      await sharp(Buffer.from(svg), { density: 144 }).png().toFile(`${name}.png`);
    }
    process.stdout.write(report.replace(/"samples": \[[\s\S]*\]/, `"samples": ${samples.length}`));
    return result.rss_mb.peak < GOAL_MB && result.slope_mb_per_hour <= FLAT_MB_PER_HOUR ? 0 : 1;
  } finally {
    await reader.close();
    for (const child of [agent, edge]) {
      if (child.exitCode !== null) continue;
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
    rmSync(folder, { recursive: true });
  }
});

function memoryOf(process: ChildProcess): Omit<Sample, 's' | 'frames'> {
  const [rss_mb, anonymous_mb, file_mb] = ['VmRSS', 'RssAnon', 'RssFile'].map((key) => megabytes(process, key));
  return { rss_mb, anonymous_mb, file_mb };
}

/** A figure of /proc/PID/status. */
function megabytes({ pid }: ChildProcess, key: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Math.round((Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024) * 10) / 10;
}

/** Flags of Node.js and variables with which the unit starts the agent. */
function readUnit(file: string): { flags: string[]; environment: Record<string, string> } {
  const lines = readFileSync(file, 'utf8').split('\n');
  const command = lines.find((line) => line.startsWith('ExecStart=')) ?? '';
  const words = lines.filter((line) => line.startsWith('Environment=')).flatMap((line) => line.slice(12).split(' '));
  return {
    flags: command.split(' ').filter((word) => word.startsWith('--max-') || word.startsWith('--optimize-')),
    environment: Object.fromEntries(words.map((word) => word.split('=') as [string, string])),
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
