/**
 * What the agent costs per frame outside ONNX Runtime: placing the picture, handing it to the head's thread and the
 * symbols back, entropy coding, publishing. The agent is the real one, with the simulated camera; a child process is its broker
 * and answers every frame at once, so that no tail competes for the processor.
 *
 * JSON: {bundle, partition, rate, key_frames, frames, overhead_ms: {p50, p95}, parts_ms: {preprocess, handover, encode, publish} (p50),
 * head_run_ms, bytes_mean, goal_ms, machine, versions}
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openAgent } from '../agent/agent.js';
import { openCamera } from '../agent/camera/index.js';
import { loadAgentConfig } from '../agent/config/config.js';
import type { Trip } from '../agent/pipeline/trip.js';
import { Histogram } from '../platform/histogram.js';
import { createLog } from '../platform/log.js';
import { runMain } from '../platform/main.js';
import { flag, numberOption, parseOptions, text } from '../platform/options.js';
import { defaultBundle } from '../platform/root.js';
import { machine, versions } from '../platform/versions.js';

const GOAL_MS = 3;
/** Frames that warm up caches and compilers. */
const WARM_UP = 30;

async function startAnswering(): Promise<{ url: string; child: ChildProcess }> {
  const child = fork(fileURLToPath(new URL('./agent-overhead/answer.js', import.meta.url)));
  const [message] = (await once(child, 'message')) as [{ url: string }];
  return { url: message.url, child };
}

const usage = `usage: npm run bench:agent-overhead -- [options]

What the agent costs per frame outside ONNX Runtime. Prints the report.

  --bundle DIR    the models (default: models/onnx/worksite)
  --partition ID  partition point (default: input)
  --rate N        index of a rate (default: auto)
  --key-frames    predict no frame from the one before it: the longest that coding takes
  --seed N        which simulated work site (default: the demonstration's)
  --frames N      frames to measure (default: 200)
  --json FILE     write the report there too
  --help          this text

Exit codes: 0 below ${GOAL_MS} ms at the median, 1 above it or unexpected, 2 wrong usage, 3 bundle.`;

runMain(usage, async (args) => {
  const values = parseOptions(args, {
    bundle: text,
    partition: text,
    rate: text,
    'key-frames': flag,
    seed: text,
    frames: text,
    json: text,
  });
  const keyFrames = values['key-frames'] ?? false;
  const frames = (numberOption('frames', values.frames, 1, 1e6) ?? 200) + WARM_UP;
  const rate = numberOption('rate', values.rate, 0, 255);
  const { url, child } = await startAnswering();
  try {
    const config = loadAgentConfig({
      overrides: {
        bundle: resolve(values.bundle ?? defaultBundle()),
        broker: { url },
        camera: { fps: 0, seed: numberOption('seed', values.seed, 0, 2 ** 31) },
        partition: values.partition ?? 'input',
        rate,
        key_interval_s: keyFrames ? 0 : undefined,
        in_flight: 1,
        fallback: false,
        timeout_ms: 10_000,
      },
    });
    const parts = ['preprocess', 'handover', 'encode', 'publish'] as const;
    const times = Object.fromEntries(parts.map((part) => [part, new Histogram(frames)]));
    const overhead = new Histogram(frames);
    const run = new Histogram(frames);
    const bytes = new Histogram(frames);
    const onTrip = ({ frame, outcome, steps, headRunMs, publishMs, bytes: size }: Trip) => {
      if (frame < WARM_UP || outcome !== 'result') return;
      const { preprocess = 0, head = 0, encode = 0 } = steps;
      const each = { preprocess, handover: head - headRunMs, encode, publish: publishMs };
      for (const part of parts) times[part].add(each[part]);
      overhead.add(preprocess + each.handover + encode + publishMs);
      run.add(headRunMs);
      bytes.add(size);
    };
    const agent = await openAgent(config, { log: createLog('agent', 'warn'), openCamera, frames, onTrip });
    await agent.run();
    const round = (ms: number | null) => (ms === null ? null : Math.round(ms * 1000) / 1000);
    const { manifest } = agent.bundle;
    const result = {
      bundle: `${manifest.service.name}/${agent.bundle.id}`,
      partition: config.partition,
      rate: config.rate,
      key_frames: keyFrames,
      frames: overhead.added,
      overhead_ms: { p50: round(overhead.p50()), p95: round(overhead.p95()) },
      parts_ms: Object.fromEntries(parts.map((part) => [part, round(times[part].p50())])),
      head_run_ms: round(run.p50()),
      bytes_mean: Math.round(bytes.mean() ?? 0),
      goal_ms: GOAL_MS,
      machine: machine(),
      versions: versions(),
    };
    const report = `${JSON.stringify(result, null, 2)}\n`;
    if (values.json) writeFileSync(values.json, report);
    process.stdout.write(report);
    return (overhead.p50() ?? Number.POSITIVE_INFINITY) < GOAL_MS ? 0 : 1;
  } finally {
    child.disconnect();
    await once(child, 'exit');
  }
});
