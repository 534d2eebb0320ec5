import { setTimeout as pause } from 'node:timers/promises';
import mqtt from 'mqtt';
import { openAgent } from '../../agent/agent.js';
import type { OpenCamera } from '../../agent/camera/camera.js';
import { loadAgentConfig } from '../../agent/config/config.js';
import type { Trip } from '../../agent/pipeline/trip.js';
import { silentLog } from '../../platform/log.js';
import { isFailure, parseResult } from '../../protocol/result.js';
import { Workers } from './workers.js';

export interface DrillOptions {
  /** An MQTT 5 broker. */
  broker: string;
  bundle: string;
  workers: number;
  devices: number;
  fps: number;
  kills: number;
  seed: number;
  openCamera: OpenCamera;
}

export interface DrillReport {
  /** By device: frames that were started, answered, and counted as lost; those that came from the same worker as the one before. */
  devices: { frames: number; results: number; lost: number; stayed: number; ended: number }[];
  /** Results that came more than once, as anyone at the broker sees it. */
  twice: number;
  /** The longest that a device was without an answer after each kill, ms. */
  recovery_ms: number[];
}

/** Kills workers at random under load and starts them again: a frame is answered once, or counted by its device. */
export async function drill(options: DrillOptions): Promise<DrillReport> {
  const { broker, bundle, kills, fps, openCamera } = options;
  const names = Array.from({ length: options.workers }, (_, i) => `w${i + 1}`);
  const workers = await Workers.start(broker, bundle, names);
  const watcher = await mqtt.connectAsync(broker, { protocolVersion: 5 });
  const answers = new Set<string>();
  let twice = 0;
  watcher.on('message', (topic, payload) => {
    const message = parseResult(payload);
    if (isFailure(message)) return;
    const key = `${topic} ${message.session} ${message.frame}`;
    if (answers.has(key)) twice++;
    answers.add(key);
  });
  await watcher.subscribeAsync('deepcod/+/result');
  const trips: Trip[][] = Array.from({ length: options.devices }, () => []);
  const answeredAt = trips.map(() => [] as number[]);
  const agents = await Promise.all(
    trips.map((mine, i) => {
      const overrides = {
        device: `cam-${i}`,
        bundle,
        broker: { url: broker, version: '5' },
        camera: { source: 'simulated', fps },
        partition: 'input',
        fallback: false,
        timeout_ms: 1500,
        threads: 1,
      };
      const onTrip = (trip: Trip) => {
        mine.push(trip);
        if (trip.outcome === 'result') answeredAt[i].push(performance.now());
      };
      return openAgent(loadAgentConfig({ overrides }), { log: silentLog, openCamera, onTrip });
    }),
  );
  const running = agents.map((agent) => agent.run());
  const recovery_ms: number[] = [];
  try {
    await answered(answeredAt, 10);
    let { seed } = options;
    for (let kill = 0; kill < kills; kill++) {
      seed = (seed * 48271) % 0x7fffffff;
      // One that somebody uses.
      const victim = trips[seed % trips.length].findLast(({ outcome }) => outcome === 'result')?.worker ?? names[0];
      await workers.kill(victim);
      const killedAt = performance.now();
      const before = answeredAt.map((at) => at.length);
      await answered(answeredAt, (i) => before[i] + 1);
      recovery_ms.push(Math.round(Math.max(...answeredAt.map((at, i) => at[before[i]] - killedAt))));
      await workers.start(victim);
    }
  } finally {
    for (const agent of agents) agent.stop();
    await Promise.all(running);
    await watcher.endAsync(true);
    await workers.stop();
  }
  const devices = agents.map(({ stats: { frames, results, lost } }, i) => {
    const mine = trips[i];
    const stayed = mine.filter((trip, k) => k > 0 && trip.worker !== undefined && trip.worker === mine[k - 1].worker);
    return { frames, results, lost, stayed: stayed.length, ended: mine.length };
  });
  return { devices, twice, recovery_ms };
}

/** Waits until every device has so many answers. @throws Error after half a minute */
async function answered(answeredAt: readonly number[][], wanted: number | ((i: number) => number)): Promise<void> {
  const enough = (at: readonly number[], i: number) => at.length >= (typeof wanted === 'number' ? wanted : wanted(i));
  for (let i = 0; i < 3000; i++) {
    if (answeredAt.every(enough)) return;
    await pause(10);
  }
  throw new Error(`devices are not answered any more: ${answeredAt.map((at) => at.length).join(', ')}`);
}
