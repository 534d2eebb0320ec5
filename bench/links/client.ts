/** The device's side of a link: publishes messages and times them until the answer is there. */
import { randomBytes } from 'node:crypto';
import type { MqttClient } from 'mqtt';
import { answer } from './child.js';
import { connect } from './connect.js';
import { FRAME_TOPIC, RESULT_TOPIC } from './topics.js';

/** Connects anew: what TCP has learned of another link does not count here. */
export interface ConnectRequest {
  connect: { url: string; version: 4 | 5 };
}

export interface MeasureRequest {
  /** Bytes of the messages, in turn. */
  sizes: number[];
  /** Messages before those that count. */
  warmUp: number;
  atLeast: number;
  atMost: number;
  /** No further message after so long. */
  forMs: number;
  /** For one message; then the link is broken. */
  timeoutMs: number;
}

let client: MqttClient | undefined;
let next = 0;

async function connectAnew({ url, version }: ConnectRequest['connect']): Promise<void> {
  await client?.endAsync(true);
  client = await connect(url, version);
  await client.subscribeAsync(RESULT_TOPIC);
}

async function roundTrip(mqtt: MqttClient, bytes: Buffer, timeoutMs: number): Promise<number> {
  const number = next++;
  bytes.writeUInt32LE(number);
  const start = performance.now();
  await new Promise<void>((resolve, reject) => {
    const done = (error?: Error) => {
      clearTimeout(timer);
      mqtt.off('message', onMessage);
      mqtt.off('close', onClose);
      error ? reject(error) : resolve();
    };
    const onMessage = (_: string, payload: Buffer) => {
      if (payload.readUInt32LE() === number) done();
    };
    const onClose = () => done(new Error('the connection was lost'));
    const timer = setTimeout(() => done(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    mqtt.on('message', onMessage);
    mqtt.on('close', onClose);
    mqtt.publish(FRAME_TOPIC, bytes);
  });
  return performance.now() - start;
}

async function measure(request: MeasureRequest): Promise<number[]> {
  const mqtt = client;
  if (!mqtt) throw new Error('not connected');
  const { sizes, atLeast, atMost, timeoutMs } = request;
  const message = (i: number) => randomBytes(Math.max(4, sizes[i % sizes.length]));
  for (let i = 0; i < request.warmUp; i++) await roundTrip(mqtt, message(i), timeoutMs);
  const times: number[] = [];
  const end = performance.now() + request.forMs;
  while (times.length < atLeast || (times.length < atMost && performance.now() < end)) {
    times.push(await roundTrip(mqtt, message(times.length), timeoutMs));
  }
  return times;
}

answer<ConnectRequest | MeasureRequest>((request) =>
  'connect' in request ? connectAnew(request.connect) : measure(request),
);
