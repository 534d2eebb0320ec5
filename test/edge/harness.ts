import { readFileSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mqtt, { type IClientPublishOptions, type MqttClient } from 'mqtt';
import { openCoder } from '../../agent/huffman/index.js';
import { type EdgeConfig, loadEdgeConfig } from '../../edge/config.js';
import { openEdgeBundle } from '../../edge/worker/bundles.js';
import { createLog, type Log, type LogEvent } from '../../platform/log.js';
import { packageRoot } from '../../platform/root.js';
import {
  Coding,
  type Detection,
  encodeFrame,
  type FrameHeader,
  isFailure,
  PARTITION_RAW,
  parseResult,
  parseStatus,
  type ResultMessage,
} from '../../protocol/index.js';

/** A detector of a few kilobytes, made by test/fixtures/make_tiny_bundle.py. */
export const tinyBundle = join(packageRoot(), 'test/fixtures/tiny-bundle');

/** What it must answer, worked out in Python. */
interface Expected {
  source: [number, number];
  picture: string;
  raw: Detection[];
  rates: { symbols: string; detections: Detection[] }[];
}
export const expected = JSON.parse(
  readFileSync(join(packageRoot(), 'test/fixtures/tiny-expected.json'), 'utf8'),
) as Expected[];

const shape = { height: 8, width: 8, channels: 3, levels: 8 };
const coder = openCoder(JSON.parse(readFileSync(join(tinyBundle, 'entropy/input.json'), 'utf8')), shape);

export const tinyId = (await openEdgeBundle(tinyBundle)).id;

/** The code of picture `index` at a rate, entropy-coded. */
export function codedPayload(index: number, rate: number): Uint8Array {
  const out = new Uint8Array(coder.maxBytes);
  return out.slice(0, coder.encode(Buffer.from(expected[index].rates[rate].symbols, 'hex'), rate, out));
}

export function header(frame: number, change: Partial<FrameHeader> = {}): FrameHeader {
  const [sourceWidth, sourceHeight] = expected[0].source;
  const fields = { coding: Coding.intra, bundleId: tinyId, session: 99, frame, partition: 0, rate: 0, reference: 0 };
  return { ...fields, sourceWidth, sourceHeight, ...change };
}

/** A frame message with picture `index` coded at a rate. */
export function codedFrame(frame: number, index = 0, rate = 0, change: Partial<FrameHeader> = {}): Uint8Array {
  return encodeFrame(header(frame, { rate, ...change }), codedPayload(index, rate));
}

/** A frame message with picture `index` as pixels. */
export function rawFrame(frame: number, index = 0): Uint8Array {
  return encodeFrame(
    header(frame, { coding: Coding.raw, partition: PARTITION_RAW }),
    Buffer.from(expected[index].picture, 'hex'),
  );
}

/** Whether detections are the expected ones, up to the rounding of messages and float32. */
export function sameDetections(found: readonly Detection[], wanted: readonly Detection[]): boolean {
  const near = (a: number, b: number, by: number): boolean => Math.abs(a - b) <= by;
  return (
    found.length === wanted.length &&
    found.every((d, i) => {
      const w = wanted[i];
      const box = d.box.every((v, k) => near(v, w.box[k], 0.011));
      return d.class === w.class && d.label === w.label && near(d.score, w.score, 1e-4) && box;
    })
  );
}

/** Waits for a condition; the test's own time limit is the limit. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  for (let i = 0; i < 2400; i++) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`in vain waited for: ${what}`);
}

/** A log that keeps its events. */
export function recordedLog(): { log: Log; events: LogEvent[]; said(pattern: RegExp): boolean } {
  const events: LogEvent[] = [];
  const log = createLog('test', 'debug', { write: (_line, event) => events.push(event) });
  return { log, events, said: (pattern) => events.some((e) => pattern.test(e.message)) };
}

/** A configuration with the tiny bundle, on free ports, without the page. */
export function tinyConfig(overrides: Record<string, unknown> = {}): EdgeConfig {
  return loadEdgeConfig({
    overrides: {
      bundles: [tinyBundle],
      web: { enabled: false },
      inference: { provider: 'cpu', threads: 1 },
      status_interval_s: 0.2,
      // A busy machine may take seconds to load even a tiny model.
      queue: { max_age_ms: 120_000 },
      ...overrides,
    },
  });
}

/** A copy of the tiny bundle that a test may damage; removed at the end. */
export async function bundleCopy(t: { teardown(f: () => unknown): void }): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'deepcod-bundle-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  await cp(tinyBundle, folder, { recursive: true });
  return folder;
}

/** Waits until an edge says that it is online; it says so after it asked the broker for frames. */
export async function edgeOnline(url: string, worker = 'edge-1'): Promise<void> {
  const client = await mqtt.connectAsync(url, { protocolVersion: 4 });
  let online = false;
  client.on('message', (_topic, payload) => {
    online = parseStatus(payload).online;
  });
  await client.subscribeAsync(`deepcod/edge/${worker}/status`);
  await until(() => online, 'the edge to be online');
  await client.endAsync(true);
}

/** A device of a test: sends frames, keeps what comes back. Plain mqtt.js: the edge must do with any client. */
export class Device {
  readonly results: ResultMessage[] = [];
  readonly correlations: string[] = [];
  readonly topics: string[] = [];

  private constructor(
    readonly client: MqttClient,
    readonly name: string,
  ) {}

  static async connect(url: string, name: string, version: 4 | 5 = 4): Promise<Device> {
    const client = await mqtt.connectAsync(url, { protocolVersion: version, clientId: name });
    const device = new Device(client, name);
    client.on('message', (topic, payload, packet) => {
      device.results.push(parseResult(payload));
      device.topics.push(topic);
      device.correlations.push(packet.properties?.correlationData?.toString() ?? '');
    });
    await client.subscribeAsync(`deepcod/${name}/result/#`);
    return device;
  }

  send(message: Uint8Array, options: IClientPublishOptions = {}): void {
    this.client.publish(`deepcod/${this.name}/frame`, Buffer.from(message), options);
  }

  /** Waits for the answer to a frame. */
  async answerTo(frame: number): Promise<ResultMessage> {
    await until(() => this.results.some((r) => r.frame === frame), `the answer to frame ${frame}`);
    return this.results.find((r) => r.frame === frame) as ResultMessage;
  }

  /** Codes of all error answers. */
  errors(): string[] {
    return this.results.filter(isFailure).map((r) => r.error.code);
  }

  async close(): Promise<void> {
    await this.client.endAsync(true);
  }
}
