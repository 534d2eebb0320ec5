import mqtt, { type MqttClient } from 'mqtt';
import type { Test } from 'tap';
import type { Decision, DecisionOption, DecisionsMessage } from '../../protocol/index.js';
import { aedesBroker } from '../platform/brokers.js';
import { run } from '../platform/process.js';

export const option = (partition: string, total: number, more: Partial<DecisionOption> = {}): DecisionOption => ({
  partition,
  rate: 1,
  bytes: 1500,
  device_ms: 20,
  link_ms: total - 50,
  edge_ms: 30,
  total_ms: total,
  cost_ms: total,
  ...more,
});

export const decision = (frame: number, partition: string, why: string, options?: DecisionOption[]): Decision => ({
  frame,
  at: Date.UTC(2026, 10, 21, 12, 0, frame),
  partition,
  rate: 1,
  reason: 'better',
  why,
  link: { base_ms: 8.25, mbps: 4.125, harmonic_mbps: 3.5, transfers: 37 },
  device_slowdown: 1.3,
  edge_slowdown: 1,
  edge_queue_ms: 4,
  options: options ?? [option('input', 90), option('stage2', 80, { accuracy: 0.983 })],
});

/** Answers like an agent, but not to the first few questions. */
export async function standIn(t: Test, url: string, device: string, decisions: Decision[], silent = 0) {
  const client: MqttClient = await mqtt.connectAsync(url, { protocolVersion: 4 });
  t.teardown(() => client.endAsync(true));
  const asked: unknown[] = [];
  client.on('message', (_, payload) => {
    const question = JSON.parse(payload.toString()) as { last: number };
    asked.push(question);
    if (asked.length <= silent) return;
    const answer: DecisionsMessage = { v: 1, device, session: 7, decisions: decisions.slice(-question.last) };
    client.publish(`deepcod/${device}/decisions`, JSON.stringify(answer));
  });
  await client.subscribeAsync(`deepcod/${device}/command/explain`);
  await client.publishAsync(`deepcod/${device}/status`, '{"online":true}', { retain: true, qos: 1 });
  return { client, asked };
}

export async function broker(t: Test): Promise<string> {
  const made = await aedesBroker();
  await made.start();
  t.teardown(() => made.stop());
  return made.url;
}

export const explain = (...args: string[]) => run('scripts/deepcod.js', ['explain', ...args]);
