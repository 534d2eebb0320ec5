import type { ServerResponse } from 'node:http';
import type { LiveStore } from '../store/live.js';
import type { Seat } from './seats.js';
import { type DeviceView, deviceView, type WorkerView, workerViews } from './view.js';

/** Between two messages to a page, at least, ms. */
const TICK_MS = 100;
/** A page hears something at least so often, ms: silence longer than this is a lost connection. */
const BEAT_MS = 5000;
/** Devices in one message, at most; the others follow with the next. */
const DEVICES = 64;
/** With this much waiting in the socket a page is told nothing new; after this long it is dropped. */
const FULL_BYTES = 256 * 1024;
const FULL_MS = 10_000;

/** One message of the stream. */
export interface StreamMessage {
  now: number;
  devices: DeviceView[];
  /** Devices that are no longer kept. */
  gone?: string[];
  workers?: WorkerView[];
  /** More follows at once. */
  more?: true;
}

interface Page {
  response: ServerResponse;
  seat: Seat;
  /** Sequence of each device when it was told last. */
  told: Map<string, number>;
  workersAt: number;
  spokenAt: number;
  fullSince: number | null;
}

/**
 * Server-sent events: what changed since each page was told last. A page that reads slowly gets fewer messages, each with
 * all that it missed (the store keeps it, not the stream), and is dropped when it stops reading.
 */
export class Stream {
  readonly #pages = new Set<Page>();
  readonly #beat: NodeJS.Timeout;
  #timer: NodeJS.Timeout | undefined;
  /** Ends listening to the store. */
  #stop: (() => void) | undefined;

  constructor(readonly store: LiveStore) {
    this.#beat = setInterval(() => this.#tick(), BEAT_MS);
    this.#beat.unref();
  }

  get pages(): number {
    return this.#pages.size;
  }

  /** Tells a page everything, then what changes. @param seat told when it does not read */
  add(response: ServerResponse, seat: Seat): void {
    const page: Page = { response, seat, told: new Map(), workersAt: -1, spokenAt: 0, fullSince: null };
    this.#pages.add(page);
    response.once('close', () => {
      this.#pages.delete(page);
      if (this.#pages.size === 0) this.#stopListening();
    });
    this.#listen();
    this.#tell(page);
  }

  close(): void {
    clearInterval(this.#beat);
    clearTimeout(this.#timer);
    this.#stopListening();
  }

  /** The store is listened to while there is a page: only then are pictures made for it. */
  #listen(): void {
    this.#stop ??= this.store.subscribe(() => this.#soon());
  }

  #stopListening(): void {
    this.#stop?.();
    this.#stop = undefined;
  }

  #soon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#tick();
    }, TICK_MS);
  }

  #tick(): void {
    for (const page of this.#pages) this.#tell(page);
  }

  #tell(page: Page): void {
    const { response, told } = page;
    if (response.writableEnded) return;
    const now = Date.now();
    if (response.writableLength > FULL_BYTES) {
      page.fullSince ??= now;
      if (now - page.fullSince > FULL_MS) {
        page.seat.leave('slow');
        response.destroy();
      }
      return;
    }
    page.fullSince = null;
    const message: StreamMessage = { now, devices: [] };
    for (const device of this.store.devices()) {
      const since = told.get(device.name) ?? -1;
      if (device.sequence <= since) continue;
      if (message.devices.length === DEVICES) {
        message.more = true;
        this.#soon();
        break;
      }
      told.set(device.name, device.sequence);
      message.devices.push(deviceView(device, since, now));
    }
    for (const name of told.keys()) {
      if (this.store.device(name)) continue;
      told.delete(name);
      message.gone ??= [];
      message.gone.push(name);
    }
    const workersAt = Math.max(0, ...this.store.workers().map((worker) => worker.at));
    if (workersAt !== page.workersAt) {
      page.workersAt = workersAt;
      message.workers = workerViews(this.store);
    }
    const news = message.devices.length > 0 || message.gone || message.workers;
    if (!news && now - page.spokenAt < BEAT_MS - 50) return;
    page.spokenAt = now;
    response.write(`data: ${JSON.stringify(message)}\n\n`);
  }
}
