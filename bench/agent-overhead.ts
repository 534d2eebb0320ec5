/**
 * What the agent costs per frame outside ONNX Runtime: placing the picture, handing it to the head's thread and the
 * symbols back, entropy coding, publishing. The agent is the real one, with the simulated camera; a child process is its broker
 * and answers every frame at once, so that no tail competes for the processor.
 *
 *     node dist/bench/agent-overhead.js [--bundle DIR] [--partition ID] [--rate N] [--key-frames] [--frames N] [--json FILE]
 *
 * --key-frames: no frame is predicted from the one before it, which is the longest that coding takes.
 * JSON: {bundle, partition, rate, key_frames, frames, overhead_ms: {p50, p95}, parts_ms: {preprocess, handover, encode, publish} (p50),
 * head_run_ms, bytes_mean, goal_ms, machine, versions}
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { openAgent } from '../agent/agent.js';
import { openCamera } from '../agent/camera/index.js';
import { loadAgentConfig } from '../agent/config/config.js';
import type { Trip } from '../agent/pipeline/trip.js';
import { startBroker } from '../edge/broker.js';
import { Histogram } from '../platform/histogram.js';
import { createLog, silentLog } from '../platform/log.js';
import { runMain } from '../platform/main.js';
import { connectMqtt } from '../platform/mqtt.js';
import { packageRoot } from '../platform/root.js';
import { machine, versions } from '../platform/versions.js';
import { parseFrame } from '../protocol/frame.js';
import { encodeResult } from '../protocol/result.js';
import { Topics } from '../protocol/topics.js';

const GOAL_MS = 3;
/** Frames that warm up caches and compilers. */
const WARM_UP = 30;

/** The child: a broker and an edge that answers at once. */
async function answer(): Promise<void> {
  const broker = await startBroker({ host: '127.0.0.1', port: 0 }, silentLog);
  const topics = new Topics();
  const edge = connectMqtt(
    { broker: { url: broker.url, version: '3.1.1', keepalive_s: 15 }, clientId: 'edge' },
    silentLog,
  );
  edge.onUp(() => edge.publish(topics.edgeStatus('bench'), JSON.stringify({ online: true }), { retain: true }));
  edge.subscribe(topics.filters.allFrames(), (topic, payload) => {
    const frame = parseFrame(payload);
    const about = topics.parse(topic);
    if (about?.kind !== 'frame') return;
    const message = encodeResult({
      v: 1,
      session: frame.session,
      frame: frame.frame,
      bundle: frame.bundleId,
      partition: 'bench',
      rate: frame.rate,
      worker: 'bench',
      width: frame.sourceWidth,
      height: frame.sourceHeight,
      detections: [],
      edge_ms: { queue: 0, decode: 0, tail: 0, post: 0, total: 0 },
    });
    edge.publish(topics.result(about.device), message);
  });
  await edge.ready(10_000);
  process.send?.({ url: broker.url });
  await once(process, 'disconnect');
  await edge.close();
  await broker.close();
}

async function startAnswering(): Promise<{ url: string; child: ChildProcess }> {
  const child = fork(fileURLToPath(import.meta.url), ['--answer']);
  const [message] = (await once(child, 'message')) as [{ url: string }];
  return { url: message.url, child };
}

function defaultBundle(): string {
  const worksite = join(packageRoot(), 'models', 'onnx', 'worksite');
  return existsSync(join(worksite, 'manifest.json'))
    ? worksite
    : join(packageRoot(), 'test', 'fixtures', 'tiny-bundle');
}

const usage =
  'usage: node dist/bench/agent-overhead.js [--bundle DIR] [--partition ID] [--rate N] [--key-frames] [--frames N] [--json FILE]';

runMain(usage, async () => {
  const { values } = parseArgs({
    options: {
      answer: { type: 'boolean' },
      bundle: { type: 'string' },
      partition: { type: 'string' },
      rate: { type: 'string' },
      'key-frames': { type: 'boolean', default: false },
      frames: { type: 'string', default: '200' },
      json: { type: 'string' },
    },
  });
  if (values.answer) {
    await answer();
    return 0;
  }
  const frames = Number(values.frames) + WARM_UP;
  const { url, child } = await startAnswering();
  const bundle = resolve(values.bundle ?? defaultBundle());
  const config = loadAgentConfig({
    overrides: {
      bundle,
      broker: { url },
      camera: { fps: 0 },
      partition: values.partition ?? 'input',
      ...(values.rate !== undefined && { rate: Number(values.rate) }),
      ...(values['key-frames'] && { key_interval_s: 0 }),
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
  child.disconnect();
  await once(child, 'exit');

  const round = (ms: number | null) => (ms === null ? null : Math.round(ms * 1000) / 1000);
  const { manifest } = agent.bundle;
  const result = {
    bundle: `${manifest.service.name}/${agent.bundle.id}`,
    partition: config.partition,
    rate: config.rate,
    key_frames: values['key-frames'],
    frames: overhead.added,
    overhead_ms: { p50: round(overhead.p50()), p95: round(overhead.p95()) },
    parts_ms: Object.fromEntries(parts.map((part) => [part, round(times[part].p50())])),
    head_run_ms: round(run.p50()),
    bytes_mean: Math.round(bytes.mean() ?? 0),
    goal_ms: GOAL_MS,
    machine: machine(),
    versions: versions(),
  };
  const text = `${JSON.stringify(result, null, 2)}\n`;
  if (values.json) writeFileSync(values.json, text);
  process.stdout.write(text);
  return (overhead.p50() ?? Number.POSITIVE_INFINITY) < GOAL_MS ? 0 : 1;
});
