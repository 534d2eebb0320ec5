import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HomeAssistantParts } from '../../../edge/integrations/home-assistant/home-assistant.js';
import { LiveStore } from '../../../edge/store/live.js';
import type { EdgeBundle } from '../../../edge/worker/bundles.js';
import { packageRoot } from '../../../platform/root.js';
import type { Detection } from '../../../protocol/result.js';
import { Topics } from '../../../protocol/topics.js';

/** Names that Home Assistant's code knows, asked of it: test/fixtures/home_assistant.py facts. */
export const homeAssistantFacts = JSON.parse(
  readFileSync(join(packageRoot(), 'test/fixtures/home-assistant.json'), 'utf8'),
) as {
  version: string;
  abbreviations: Record<string, string>;
  device_abbreviations: Record<string, string>;
  origin_abbreviations: Record<string, string>;
  document_keys: string[];
  platform_keys: Record<string, string[]>;
  binary_sensor_classes: string[];
  sensor_units: Record<string, string[]>;
};

export const topics = new Topics('site/deepcod');
const id = '0011223344556677';
/** Awkward on purpose: a quote, two that become the same key, a method of Python's dict. */
export const classes = ['person', 'head', 'helmet', "worker's bag", 'traffic light', 'traffic-light', 'items'];

export const bundles = new Map([
  [
    id,
    {
      id,
      bundle: { manifest: { service: { name: 'worksite', classes }, partitions: [{ id: 'input' }, { id: 'stage1' }] } },
    } as unknown as EdgeBundle,
  ],
]);

/** What was published, newest last. */
export interface Published {
  topic: string;
  payload: string | Uint8Array;
  retain: boolean;
}

/** A broker that keeps what it is given. */
export class FakeBroker {
  readonly all: Published[] = [];
  readonly handlers = new Map<string, (topic: string, payload: Buffer) => void>();
  up: (() => void) | undefined;
  connected = true;

  publish(topic: string, payload: string | Uint8Array, { retain = false }: { retain?: boolean } = {}): boolean {
    if (this.connected) this.all.push({ topic, payload, retain });
    return this.connected;
  }
  subscribe(filter: string, handler: (topic: string, payload: Buffer) => void): void {
    this.handlers.set(filter, handler);
  }
  onUp(listener: () => void): void {
    this.up = listener;
  }
  /** The payloads published at a topic. */
  at(topic: string): string[] {
    return this.all.filter((one) => one.topic === topic).map(({ payload }) => payload.toString());
  }
}

export function parts(broker: FakeBroker, clock: () => number): HomeAssistantParts {
  const store = new LiveStore({}, clock);
  const config = { enabled: true, prefix: 'homeassistant', picture_s: 10 };
  return {
    config,
    broker: broker as unknown as HomeAssistantParts['broker'],
    topics,
    worker: 'edge-1',
    bundles,
    store,
  };
}

const versions = { deepcod: '0.1.0', node: '20' };

/** A camera says hello. */
export function hello(store: LiveStore, device = 'yard-1', commands = true): void {
  store.onStatus(device, { online: true, session: 1, bundle: { id, name: 'worksite' }, commands, versions });
}

/** A camera's health, with or without what the machine says of itself. */
export function health(store: LiveStore, more: object = {}, device = 'yard-1'): void {
  store.onHealth(device, {
    ...{
      v: 1,
      device,
      session: 1,
      uptime_s: 5,
      bundle: { id, name: 'worksite' },
      versions,
      fps: 4.96,
      bytes_mean: 4321,
    },
    ...{ partition: 'input', drops: { timeout: 2, late: 1 }, steps_ms: { total: 81.4 }, ...more },
  });
}

let frame = 0;

/** A frame of a camera with these detections. */
export function seen(store: LiveStore, detections: Detection[], device = 'yard-1', late = false): void {
  store.onResult(device, {
    ...{ v: 1, session: 1, frame: frame++, bundle: id, partition: 'input', rate: 0, worker: 'edge-1' },
    ...{ width: 640, height: 480, detections, edge_ms: { queue: 1, decode: 1, tail: 1, post: 1, total: 4 } },
    ...(late && { late }),
  });
}

export function detection(label: string, score: number, box: Detection['box'] = [10, 10, 20, 20]): Detection {
  return { class: classes.indexOf(label), label, score, box };
}
