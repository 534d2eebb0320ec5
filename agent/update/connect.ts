import { setTimeout as pause } from 'node:timers/promises';
import type { Log } from '../../platform/log.js';
import type { Broker } from '../../platform/mqtt.js';
import { versions } from '../../platform/versions.js';
import { Topics } from '../../protocol/topics.js';
import { ChunkLink } from './chunk-link.js';
import type { Clock } from './pacer.js';
import { selfTest } from './self-test.js';
import type { Start } from './start.js';
import { type UpdateHost, Updater } from './updater.js';

const realClock: Clock = {
  now: () => performance.now(),
  sleep: (ms, signal) => pause(ms, undefined, { signal, ref: false }),
};

/** An updater at a broker: offers in, pieces asked for, status out. `start()` sets it to work. */
export function connectUpdater(
  start: NonNullable<Start['update']>,
  host: UpdateHost,
  broker: Broker,
  log: Log,
): Updater {
  const topics = new Topics(start.base.base);
  const { device } = start.base;
  const updater: Updater = new Updater({
    start,
    host,
    source: new ChunkLink(broker, { request: topics.updateRequest(device), chunk: topics.updateChunk(device) }),
    version: versions().deepcod,
    selfTest,
    publish: (status) =>
      void broker.publish(topics.updateStatus(device), JSON.stringify(status), { qos: 1, retain: true }),
    clock: realClock,
    log,
  });
  broker.subscribe(
    topics.filters.updateOffers(device),
    (topic, payload) => {
      const about = topics.parse(topic);
      if (about?.kind === 'update-offer') updater.offered(about.worker, payload);
    },
    1,
  );
  broker.onUp(() => updater.connected());
  return updater;
}
