import type { Broker } from '../../../platform/mqtt.js';
import { versions } from '../../../platform/versions.js';
import type { Topics } from '../../../protocol/topics.js';
import type { LiveDevice, LiveStore, Shown } from '../../store/live.js';
import type { EdgeBundle } from '../../worker/bundles.js';
import type { HomeAssistantConfig } from './config.js';
import { type Component, deviceId, discoveryDocument, withdrawn } from './document.js';
import { type CameraFacts, factsOf } from './facts.js';
import { Sightings } from './sightings.js';
import { stateOf } from './state.js';

/** A camera's state is told at most so often, and at least so often, ms. */
const TICK_MS = 1000;
const RENEW_MS = 30_000;
/** Cameras that are announced in one tick, at most: Home Assistant makes dozens of entities of each. */
const ANNOUNCED_A_TICK = 20;

export interface HomeAssistantParts {
  config: HomeAssistantConfig;
  broker: Pick<Broker, 'publish' | 'subscribe' | 'onUp'>;
  topics: Topics;
  worker: string;
  bundles: ReadonlyMap<string, EdgeBundle>;
  store: LiveStore;
}

interface Camera {
  facts?: CameraFacts;
  sightings: Sightings;
  /** What the broker has. */
  document?: string;
  components: Record<string, Component>;
  state?: string;
  stateAt: number;
  picture: boolean;
  pictureAt: number;
}

/** Keeps Home Assistant told of every camera: what it is, how it is, and that it is gone. */
export class HomeAssistant {
  readonly #parts: HomeAssistantParts;
  readonly #cameras = new Map<string, Camera>();
  readonly #version = versions().deepcod;
  readonly #ends: (() => void)[] = [];

  /** Starts at once; everything is done on a timer, nothing in a frame's way but counting. */
  constructor(parts: HomeAssistantParts) {
    this.#parts = parts;
    const { store, broker, config } = parts;
    const timer = setInterval(() => this.tick(), TICK_MS).unref();
    this.#ends.push(() => clearInterval(timer));
    this.#ends.push(store.onAnswered((device, answer) => this.#of(device).sightings.saw(answer, Date.now())));
    this.#ends.push(store.onForgotten((device) => this.#remove(device)));
    if (config.picture_s > 0) this.#ends.push(store.onPair((device, shown) => this.#picture(device, shown)));
    broker.onUp(() => this.#again());
    // Home Assistant started: it knows what is retained, but asks nobody for what is not
    broker.subscribe(`${config.prefix}/status`, (_, payload) => {
      if (payload.toString() === 'online') this.#again();
    });
  }

  /** Tells what changed. Called by the timer; for tests. @param now milliseconds since 1970 */
  tick(now = Date.now()): void {
    const { store } = this.#parts;
    let announced = 0;
    for (const device of store.devices()) {
      const camera = this.#of(device.name);
      if (this.#announce(device, camera, announced < ANNOUNCED_A_TICK)) announced++;
      if (camera.facts && camera.document !== undefined) this.#tell(device, camera, camera.facts, now);
    }
    // what the store made room for is no longer told, but stays with Home Assistant
    for (const name of this.#cameras.keys()) if (!store.device(name)) this.#cameras.delete(name);
  }

  close(): void {
    for (const end of this.#ends) end();
  }

  #of(device: string): Camera {
    let camera = this.#cameras.get(device);
    if (!camera) {
      const never = Number.NEGATIVE_INFINITY;
      camera = { sightings: new Sightings(), components: {}, stateAt: never, picture: false, pictureAt: never };
      this.#cameras.set(device, camera);
    }
    return camera;
  }

  /** @returns whether a document was published */
  #announce(device: LiveDevice, camera: Camera, may: boolean): boolean {
    const { bundles, topics, worker, broker } = this.#parts;
    camera.facts = factsOf(device, bundles, camera.facts, camera.picture);
    const document = discoveryDocument(camera.facts, { topics, worker, version: this.#version });
    const text = JSON.stringify(document);
    if (text === camera.document || !may) return false;
    const topic = this.#topic(device.name);
    const gone = Object.entries(camera.components).filter(([key]) => !(key in document.cmps));
    const retained = { qos: 1, retain: true } as const;
    if (gone.length > 0) {
      broker.publish(topic, JSON.stringify(withdrawn(document, Object.fromEntries(gone))), retained);
    }
    if (!broker.publish(topic, text, retained)) return false;
    camera.document = text;
    camera.components = document.cmps;
    return true;
  }

  #tell(device: LiveDevice, camera: Camera, facts: CameraFacts, now: number): void {
    const { broker, topics } = this.#parts;
    const state = JSON.stringify(stateOf(device, facts, camera.sightings, now, this.#version));
    const old = now - camera.stateAt >= RENEW_MS;
    if (state === camera.state && !old) return;
    if (!broker.publish(topics.homeAssistant(device.name), state, { retain: true })) return;
    camera.state = state;
    camera.stateAt = now;
  }

  #picture(device: string, { snapshot }: Shown, now = Date.now()): void {
    const { config, broker, topics } = this.#parts;
    const camera = this.#of(device);
    if (snapshot?.type !== 'image/jpeg' || now - camera.pictureAt < config.picture_s * 1000) return;
    // not retained: a broker is no place to keep pictures of people in
    if (broker.publish(topics.homeAssistantPicture(device), snapshot.data)) camera.pictureAt = now;
    camera.picture = true;
  }

  #remove(device: string): void {
    const { broker, topics } = this.#parts;
    this.#cameras.delete(device);
    for (const topic of [this.#topic(device), topics.homeAssistant(device)]) {
      broker.publish(topic, '', { qos: 1, retain: true });
    }
  }

  /** Everything is told anew, within the next ticks. */
  #again(): void {
    for (const camera of this.#cameras.values()) {
      camera.document = undefined;
      camera.state = undefined;
      camera.pictureAt = Number.NEGATIVE_INFINITY;
    }
  }

  #topic(device: string): string {
    const { config, topics } = this.#parts;
    return `${config.prefix}/device/${deviceId(topics, device)}/config`;
  }
}
