/**
 * Child process of bench/edge.ts: simulated cameras. They send frames that were made before, each over a connection of
 * its own, and wait for the answers as an agent does: two frames on their way, slower when the edge says it is overloaded.
 * Told what to do by one message; answers with one.
 */
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import mqtt, { type MqttClient } from 'mqtt';
import { Throttle } from '../../agent/pipeline/throttle.js';
import { encodeFrame, type Frame, parseFrame } from '../../protocol/frame.js';
import { isFailure, parseResult } from '../../protocol/result.js';
import { TIMEOUT_PROPERTY } from '../../protocol/timeout.js';

export interface CamerasTask {
  url: string;
  version: 4 | 5;
  messages: Uint8Array[];
  cameras: number;
  /** Frames a second of each camera; 0: as fast as answers come. */
  fps: number;
  inFlight: number;
  timeoutMs: number;
  /** Not counted at first, then counted, ms. */
  warmUpMs: number;
  ms: number;
}

export interface CamerasReport {
  /** Frames sent while it counted, by what came of them. */
  sent: number;
  results: number;
  refused: number;
  unanswered: number;
  /** Answered twice. */
  twice: number;
  /** Results that arrived while it counted. */
  arrived: number;
  /** Round trips of the results, ms. */
  latencies: number[];
}

const report: CamerasReport = { sent: 0, results: 0, refused: 0, unanswered: 0, twice: 0, arrived: 0, latencies: [] };

class Camera {
  readonly #waiting = new Map<number, { at: number; counted: boolean; timer: NodeJS.Timeout }>();
  readonly #done = new Set<number>();
  readonly #throttle = new Throttle();
  readonly #frames: Frame[];
  #next = 0;
  #held: NodeJS.Timeout | undefined;

  constructor(
    readonly client: MqttClient,
    readonly name: string,
    readonly task: CamerasTask,
    readonly session: number,
  ) {
    this.#frames = task.messages.map((message) => parseFrame(message));
    client.on('message', (_, payload) => this.#answer(payload));
  }

  /** Frames as answers allow. */
  fill(): void {
    if (phase === 'over') return;
    while (this.#waiting.size < this.task.inFlight) {
      const { delay } = this.#throttle;
      if (delay > 0) {
        clearTimeout(this.#held);
        this.#held = setTimeout(() => this.fill(), delay);
        return;
      }
      this.send();
    }
  }

  send(): void {
    const frame = this.#next++;
    const { payload, ...header } = this.#frames[frame % this.#frames.length];
    const message = encodeFrame({ ...header, session: this.session, frame }, payload);
    const counted = phase === 'counting';
    if (counted) report.sent++;
    const timer = setTimeout(() => this.#end(frame, 'unanswered'), this.task.timeoutMs);
    this.#waiting.set(frame, { at: performance.now(), counted, timer });
    this.#throttle.sent();
    const properties =
      this.task.version === 5 ? { userProperties: { [TIMEOUT_PROPERTY]: `${this.task.timeoutMs}` } } : undefined;
    this.client.publish(`deepcod/${this.name}/frame`, Buffer.from(message.buffer), { properties });
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  #answer(payload: Buffer): void {
    const message = parseResult(payload);
    if (this.#done.has(message.frame)) report.twice++;
    if (isFailure(message)) {
      this.#throttle.overloaded(message.error.wait_ms);
      this.#end(message.frame, 'refused');
    } else {
      if (phase === 'counting') report.arrived++;
      this.#throttle.answered();
      this.#end(message.frame, 'results');
    }
  }

  #end(frame: number, what: 'results' | 'refused' | 'unanswered'): void {
    const waiting = this.#waiting.get(frame);
    if (waiting === undefined) return;
    this.#waiting.delete(frame);
    this.#done.add(frame);
    clearTimeout(waiting.timer);
    if (waiting.counted) {
      report[what]++;
      if (what === 'results') report.latencies.push(performance.now() - waiting.at);
    }
    if (this.task.fps === 0) this.fill();
  }
}

let phase: 'warming' | 'counting' | 'over' = 'warming';

const [task] = (await once(process, 'message')) as [CamerasTask];
const cameras: Camera[] = [];
for (let i = 0; i < task.cameras; i += 50) {
  const some = Array.from({ length: Math.min(50, task.cameras - i) }, async (_, k) => {
    const name = `bench-${process.pid}-${i + k}`;
    const client = await mqtt.connectAsync(task.url, { protocolVersion: task.version, clientId: name, keepalive: 60 });
    await client.subscribeAsync(`deepcod/${name}/result`);
    return new Camera(client, name, task, i + k);
  });
  cameras.push(...(await Promise.all(some)));
}
if (task.fps === 0) for (const camera of cameras) camera.fill();
// Paced: each camera at its own moment of the period.
const period = task.fps > 0 ? 1000 / task.fps : 0;
const timers = task.fps > 0 ? cameras.map((camera, i) => pace(camera, (i * period) / cameras.length)) : [];
await pause(task.warmUpMs);
process.send?.('counting');
phase = 'counting';
await pause(task.ms);
phase = 'over';
process.send?.('over');
for (const timer of timers) timer.stop();
const until = performance.now() + task.timeoutMs;
while (cameras.some(({ waiting }) => waiting > 0) && performance.now() < until) await pause(20);
process.send?.(report, undefined, undefined, () => process.exit(0));

function pace(camera: Camera, offset: number): { stop(): void } {
  let due = performance.now() + offset;
  let timer: NodeJS.Timeout;
  const next = () => {
    camera.send();
    due += period;
    timer = setTimeout(next, Math.max(0, due - performance.now()));
  };
  timer = setTimeout(next, offset);
  return { stop: () => clearTimeout(timer) };
}
