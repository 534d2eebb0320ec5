import { setTimeout as pause } from 'node:timers/promises';
import { Topics } from '../../../../protocol/topics.js';
import { defineCheck } from '../check.js';
import { PROBE } from '../probe.js';

/** From here on a code is a refusal. */
const REFUSED = 128;
/** A message to ourselves is waited for so long, ms. */
const PATIENCE_MS = 3000;

export const topicsCheck = defineCheck({
  name: 'topics',
  title: 'broker: permission',
  group: 'network',
  timeoutMs: 8000,
  needs: ['config', 'client'],
  gives: ['permitted'],
  findings: {
    topics_ok: {
      status: 'pass',
      means: 'This device may write and read its topics, and a message to itself comes back.',
    },
    subscribe_refused: {
      status: 'failure',
      symptom: 'silent',
      means: 'The broker’s access list does not let this device read its topics: results cannot arrive.',
      todo: 'At the broker, let user {user} read {topic} (docs/security.md has the list).',
    },
    publish_refused: {
      status: 'failure',
      symptom: 'silent',
      means:
        'The broker’s access list does not let this device write its topics: frames do not get through. Often the login is another device’s.',
      todo: 'At the broker, let user {user} write {topic}; broker.username (or the certificate’s name) and `device` must fit together.',
    },
    round_trip_lost: {
      status: 'failure',
      symptom: 'silent',
      means:
        'The broker took a message to ourselves and did not send it back: its access list drops it silently (MQTT 3.1.1 brokers say nothing), or the link loses everything.',
      todo: 'At the broker, let user {user} read and write {topic}; its log says what it denied: `journalctl -u mosquitto -n 50`.',
    },
    connection_lost: {
      status: 'failure',
      symptom: 'silent',
      means: 'The broker closed the connection while topics were tried: some do so to whom they do not let write.',
      todo: 'At the broker, look why: `journalctl -u deepcod-edge -u mosquitto -n 50`; let user {user} write {topic}.',
    },
  },
  async run({ known, tell, signal }) {
    const { config, client } = known as Required<typeof known>;
    const topics = new Topics(config.base);
    const { device } = config;
    const user = config.broker.username ?? device;
    const ping = topics.ping(device);
    let back = false;
    const expected = [topics.result(device), topics.filters.commands(device), topics.filters.allEdgeStatus()];
    for (const filter of expected) {
      const code = await client.subscribe(filter, () => {});
      if (code >= REFUSED)
        return tell('subscribe_refused', `${filter}: refused (${code})`, { topic: filter, user, code });
    }
    const code = await client.subscribe(ping, (_, payload) => {
      back ||= payload.equals(PROBE);
    });
    if (code >= REFUSED) return tell('subscribe_refused', `${ping}: refused (${code})`, { topic: ping, user, code });
    const start = performance.now();
    try {
      const { code: refused } = await client.publish(ping, PROBE, signal);
      if (refused !== undefined)
        return tell('publish_refused', `${ping}: refused (${refused})`, { topic: ping, user, code: refused });
    } catch (error) {
      if (signal.aborted) throw error;
      return tell('connection_lost', `${ping}: ${(error as Error).message}`, { topic: ping, user });
    }
    while (!back && client.connected && performance.now() - start < PATIENCE_MS) await pause(10);
    if (!back && !client.connected)
      return tell('connection_lost', `${ping}: the broker closed the connection`, { topic: ping, user });
    if (!back)
      return tell('round_trip_lost', `${ping}: nothing came back within ${PATIENCE_MS / 1000} s`, {
        topic: ping,
        user,
      });
    known.permitted = true;
    tell('topics_ok', `below ${config.base}/${device}; round trip ${(performance.now() - start).toFixed(1)} ms`);
  },
});
