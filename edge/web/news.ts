import type { ServerResponse } from 'node:http';
import type { News, Site } from '../rules/site.js';
import { cameraSummary } from './cameras.js';
import type { ApiContext } from './routes/context.js';
import type { Seat } from './seats.js';

/** Between two looks at the cameras, ms; and the longest silence. */
const TICK_MS = 1000;
const BEAT_MS = 5000;
/** A reader with so much waiting is told nothing of cameras; with this much it is dropped. */
const FULL_BYTES = 256 * 1024;
const DROP_BYTES = 1024 * 1024;

interface Reader {
  response: ServerResponse;
  seat: Seat;
  told: Map<string, number>;
  spokenAt: number;
}

/** The API's stream: `cameras` (those that changed), `event`, `alert` and `settings` as they happen. */
export class NewsStream {
  readonly #readers = new Set<Reader>();
  readonly #timer: NodeJS.Timeout;
  readonly #stop: (() => void) | undefined;

  constructor(readonly context: ApiContext & { site?: Site }) {
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#timer.unref();
    this.#stop = context.site?.onNews((news) => this.#pass(news));
  }

  /** Tells a reader of all cameras, then of what changes. @param seat told when it does not read */
  add(response: ServerResponse, seat: Seat): void {
    const reader: Reader = { response, seat, told: new Map(), spokenAt: 0 };
    this.#readers.add(reader);
    response.once('close', () => this.#readers.delete(reader));
    this.#tell(reader);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#stop?.();
  }

  #tick(): void {
    for (const reader of this.#readers) this.#tell(reader);
  }

  #tell(reader: Reader): void {
    const { response, told } = reader;
    if (response.writableLength > FULL_BYTES) return;
    const now = Date.now();
    const { store } = this.context;
    const changed = store.devices().filter(({ name, sequence }) => sequence > (told.get(name) ?? -1));
    const gone = [...told.keys()].filter((name) => !store.device(name));
    if (changed.length === 0 && gone.length === 0 && now - reader.spokenAt < BEAT_MS) return;
    for (const { name, sequence } of changed) told.set(name, sequence);
    for (const name of gone) told.delete(name);
    const cameras = changed.map((device) => cameraSummary(device, this.context, now));
    this.#say(reader, 'cameras', { now, cameras, gone });
  }

  #pass({ kind, ...news }: News): void {
    for (const reader of this.#readers) this.#say(reader, kind, news);
  }

  #say(reader: Reader, kind: string, data: object): void {
    const { response } = reader;
    if (response.writableEnded) return;
    // who stops reading has to come again, and sees the history then
    if (response.writableLength > DROP_BYTES) {
      reader.seat.leave('slow');
      response.destroy();
      return;
    }
    reader.spokenAt = Date.now();
    response.write(`event: ${kind}\ndata: ${JSON.stringify(data)}\n\n`);
  }
}
