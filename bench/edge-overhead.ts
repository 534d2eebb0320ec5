/**
 * What the edge adds to a frame besides its model's run: parsing, waiting, entropy decoding, the way to the inference
 * thread and back, post-processing, writing and publishing the answer. Measured on a running edge, one frame at a time,
 * pictures of the simulated camera through the bundle's own heads. `broker` is the way there and back through the broker:
 * from publishing the frame to receiving the answer, less the time in the edge.
 *
 * JSON: {limit_ms, worst_p50_ms, ok, bundle, rows: [{partition, rate, frames, bytes_mean, p50_ms, p95_ms, ...}], machine, versions}
 */
import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import mqtt from 'mqtt';
import { loadEdgeConfig } from '../edge/config.js';
import { type Edge, startEdge } from '../edge/edge.js';
import type { AnsweredFrame } from '../edge/worker/replies.js';
import { openBundle } from '../platform/bundle.js';
import { DeepcodError, ExitCode } from '../platform/errors.js';
import { Histogram } from '../platform/histogram.js';
import { silentLog } from '../platform/log.js';
import { runMain } from '../platform/main.js';
import { flag, numberOption, parseOptions, text } from '../platform/options.js';
import { defaultBundle } from '../platform/root.js';
import { isFailure } from '../protocol/result.js';
import { messagesFor } from './edge/messages.js';

/** Milliseconds at p50 that the edge may add to a frame. */
const limitMs = 3;
const warmUp = 10;

/** Milliseconds. `outside_tail` is all of it but the model's run; queue, decode, post and answer are its parts. */
const parts = ['outside_tail', 'queue', 'decode', 'post', 'answer', 'tail', 'broker'] as const;
type Part = (typeof parts)[number];

interface Row {
  partition: string;
  rate: number;
  frames: number;
  bytes_mean: number;
  detections_mean: number;
  p50_ms: Record<Part, number>;
  p95_ms: Record<Part, number>;
}

const usage = `usage: npm run bench:edge-overhead -- [options]

What the edge adds to a frame besides its model's run, at every partition point.

  --bundle DIR  the models (default: models/onnx/worksite)
  --frames N    frames to measure at each point and rate (default: 200)
  --threads N   threads inside one run of a model (default: all)
  --broker URL  an MQTT broker (default: the embedded one)
  --quick       40 frames
  --check       exit code 1 where a median is not below ${limitMs} ms
  --json FILE   write the report
  --help        this text

Exit codes: 0 done, 1 unexpected or --check, 2 wrong usage, 3 bundle, 5 broker.`;

/** Sends one frame after the other and takes the edge's times. */
async function measure(
  edge: Edge,
  client: mqtt.MqttClient,
  messages: readonly Uint8Array[],
  frames: number,
): Promise<Omit<Row, 'partition' | 'rate'>> {
  const times = Object.fromEntries(parts.map((part) => [part, new Histogram(frames)])) as Record<Part, Histogram>;
  let detections = 0;
  for (let i = 0; i < warmUp + frames; i++) {
    const answered = nextAnswer(edge);
    const received = new Promise<number>((resolve) => client.once('message', () => resolve(performance.now())));
    const sentAt = performance.now();
    client.publish('deepcod/bench/frame', Buffer.from(messages[i % messages.length]));
    const { event, at } = await answered;
    const roundTrip = (await received) - sentAt;
    if (isFailure(event.answer) || event.job === undefined) throw new Error(JSON.stringify(event.answer));
    if (i < warmUp) continue;
    const { queue, decode, tail, post, total } = event.answer.edge_ms;
    const whole = at - event.job.arrivedAt;
    const values: Record<Part, number> = {
      outside_tail: whole - tail,
      queue,
      decode,
      post,
      answer: whole - total,
      tail,
      broker: roundTrip - whole,
    };
    for (const part of parts) times[part].add(values[part]);
    detections += event.answer.detections.length;
  }
  const at = (percent: number) =>
    Object.fromEntries(parts.map((part) => [part, round(times[part].percentiles(percent)[0] ?? Number.NaN)])) as Record<
      Part,
      number
    >;
  return {
    frames,
    bytes_mean: round(messages.reduce((sum, m) => sum + m.length, 0) / messages.length),
    detections_mean: round(detections / frames),
    p50_ms: at(50),
    p95_ms: at(95),
  };
}

/** Listeners of an edge stay for good: one for all frames. */
let waiting: ((answer: { event: AnsweredFrame; at: number }) => void) | undefined;
let listening = false;
function nextAnswer(edge: Edge): Promise<{ event: AnsweredFrame; at: number }> {
  if (!listening) edge.onAnswer((event) => waiting?.({ event, at: performance.now() }));
  listening = true;
  return new Promise((resolve) => {
    waiting = resolve;
  });
}

const round = (value: number): number => Math.round(value * 1000) / 1000;

runMain(usage, async (args) => {
  const values = parseOptions(args, {
    bundle: text,
    frames: text,
    threads: text,
    broker: text,
    quick: flag,
    check: flag,
    json: text,
  });
  const dir = values.bundle ?? defaultBundle();
  const given = numberOption('frames', values.frames, 1, 1e6) ?? 200;
  const frames = values.quick ? 40 : given;
  const threads = numberOption('threads', values.threads, 1, 256);

  const bundle = await openBundle(dir);
  const config = loadEdgeConfig({
    overrides: {
      bundles: [dir],
      broker: values.broker === undefined ? { port: 0 } : { url: values.broker },
      web: { enabled: false },
      inference: { threads },
    },
  });
  const edge = await startEdge(config, silentLog);
  const rows: Row[] = [];
  let client: mqtt.MqttClient | undefined;
  try {
    if (!(await edge.link.broker.ready(10_000))) {
      throw new DeepcodError('broker', `${edge.brokerUrl}: no broker answers`, undefined, ExitCode.broker);
    }
    client = await mqtt.connectAsync(edge.brokerUrl, { protocolVersion: 4 });
    await client.subscribeAsync('deepcod/bench/result');
    const points = [...bundle.manifest.partitions.map(({ id, rates }, index) => ({ id, index, rates: rates.length }))];
    points.push({ id: 'raw', index: -1, rates: 1 });
    for (const { id, index, rates } of points) {
      for (const rate of new Set([0, rates - 1])) {
        const messages = await messagesFor(bundle, index, rate, threads);
        const row = { partition: id, rate, ...(await measure(edge, client, messages, frames)) };
        rows.push(row);
        const { outside_tail, queue, decode, post, answer, tail, broker } = row.p50_ms;
        console.log(
          `${id}/${rate}: ${outside_tail} ms outside the tail (p95 ${row.p95_ms.outside_tail}): ` +
            `queue ${queue}, decode ${decode}, post ${post}, answer ${answer}; tail ${tail}; broker ${broker}; ${row.bytes_mean} bytes`,
        );
      }
    }
  } finally {
    await client?.endAsync(true);
    await edge.close();
  }

  const worst = Math.max(...rows.map((row) => row.p50_ms.outside_tail));
  const report = {
    limit_ms: limitMs,
    worst_p50_ms: worst,
    ok: worst < limitMs,
    bundle: { name: bundle.manifest.service.name, id: bundle.id },
    rows,
    machine: { cpu: cpus()[0]?.model ?? '', threads: availableParallelism() },
    versions: { node: process.version },
  };
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
  console.log(`worst median: ${worst} ms; limit ${limitMs} ms`);
  return values.check && !report.ok ? ExitCode.unexpected : ExitCode.ok;
});
