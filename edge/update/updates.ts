import { stat } from 'node:fs/promises';
import { DeepcodError, ExitCode } from '../../platform/errors.js';
import type { Log } from '../../platform/log.js';
import type { Broker } from '../../platform/mqtt.js';
import type { Topics } from '../../protocol/topics.js';
import { ChunkAnswer, type ChunkRequest, encodeChunk, type Offer, parseRequest } from '../../protocol/update.js';
import { RateLimiter } from '../worker/limiter.js';
import { readPiece } from './files.js';
import { ReleaseLibrary } from './library.js';

/** How often the folder is looked at, ms. */
const SCAN_MS = 2000;
/** A device may ask so often at once, and so often a second after that. */
const BURST = 32;
const PER_SECOND = 100;
/** Devices that are remembered, at most. */
const MOST_DEVICES = 100_000;
/** Answers that are being read, at most: memory is bounded whatever is asked. */
const MOST_OPEN = 64;
/** Unused rate is saved up for so long, ms. */
const SAVE_MS = 1000;

export interface UpdatesOptions {
  folder: string;
  kbps: number;
  broker: Broker;
  topics: Topics;
  /** This edge's name. */
  worker: string;
  /** Serves a bundle from now on, once it has run. @throws what is wrong with it */
  serve: (folder: string) => Promise<void>;
  /** No release has this bundle any more. */
  withdraw: (bundle: string) => void;
}

/** An edge's part in updates: announces to each device what there is for it, and hands out pieces of files. */
export class EdgeUpdates {
  readonly #options: UpdatesOptions;
  readonly #library: ReleaseLibrary;
  /** What each device was offered last; '' nothing. */
  readonly #offered = new Map<string, string>();
  readonly #limit = new RateLimiter(BURST, PER_SECOND);
  readonly #log: Log;
  #timer: NodeJS.Timeout | undefined;
  #scanning: Promise<void> | undefined;
  #closed = false;
  /** Whether the folder was read to its end: before, nobody is told that there is nothing. */
  #read = false;
  #open = 0;
  /** performance.now() when everything that was sent has used up its share of the rate. */
  #free = 0;

  /** Use openUpdates. */
  constructor(options: UpdatesOptions, log: Log) {
    this.#options = options;
    this.#log = log;
    this.#library = new ReleaseLibrary(options.folder, { serve: options.serve, withdraw: options.withdraw, log });
  }

  /** Whether the folder was read to its end since the start. */
  get read(): boolean {
    return this.#read;
  }

  /**
   * Begins to answer, and to read the folder: every file of every release is hashed and every tail run, beside the frames.
   * @throws DeepcodError `updates_folder` (exit code 2) for what is no folder
   */
  async start(): Promise<void> {
    await checkFolder(this.#options.folder);
    const { broker, topics, worker } = this.#options;
    const { filters } = topics;
    // Devices that take releases say how they stand; what this edge has offered before is kept by the broker.
    const onStatus = (topic: string, payload: Buffer): void =>
      payload.length > 0 ? this.#meet(topic) : this.#forget(topic);
    broker.subscribe(filters.allUpdateStatus(), onStatus, 1);
    broker.subscribe(
      filters.allUpdateOffers(worker),
      (topic, payload, { retain }) => {
        // Its own words come back at once; what the broker has kept may be of an earlier start.
        const about = topics.parse(topic);
        const text = payload.toString();
        if (!retain || about?.kind !== 'update-offer' || this.#offered.get(about.device) === text) return;
        if (this.#offered.size >= MOST_DEVICES) return;
        this.#offered.set(about.device, text);
        this.#offer(about.device);
      },
      1,
    );
    broker.subscribe(filters.allUpdateRequests(), (topic, payload) => this.#asked(topic, payload));
    broker.onUp(() => {
      for (const device of this.#offered.keys()) this.#offer(device, true);
    });
    this.#timer = setInterval(() => void this.scan(), SCAN_MS).unref();
    void this.scan();
  }

  /** Looks what is new in the folder, and tells the devices. */
  scan(): Promise<void> {
    this.#scanning ??= this.#scan().finally(() => {
      this.#scanning = undefined;
    });
    return this.#scanning;
  }

  /** Offers nothing new and answers nobody any more; what was offered stays: the edge may come back. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    this.#library.close();
    await this.#scanning;
  }

  async #scan(): Promise<void> {
    try {
      const changed = await this.#library.scan();
      if (this.#closed || !(changed || !this.#read)) return;
      this.#read = true;
      for (const device of this.#offered.keys()) this.#offer(device);
    } catch (error) {
      this.#log.error('the folder of releases cannot be read', { error });
    }
  }

  #meet(topic: string): void {
    const about = this.#options.topics.parse(topic);
    if (about?.kind !== 'update-status' || this.#offered.has(about.device)) return;
    if (this.#offered.size >= MOST_DEVICES) return;
    this.#offered.set(about.device, '');
    this.#offer(about.device);
  }

  /** A device was taken away: the broker need not keep what it was offered. */
  #forget(topic: string): void {
    const { broker, topics, worker } = this.#options;
    const about = topics.parse(topic);
    if (about?.kind !== 'update-status' || !this.#offered.delete(about.device)) return;
    broker.publish(topics.updateOffer(about.device, worker), '', { qos: 1, retain: true });
  }

  /** @param again also when nothing has changed */
  #offer(device: string, again = false): void {
    if (!this.#read) return;
    const { broker, topics, worker } = this.#options;
    const releases = this.#library.offer(device);
    const text = releases.length > 0 ? JSON.stringify({ v: 1, releases } satisfies Offer) : '';
    const before = this.#offered.get(device);
    if (this.#closed || (text === before && !(again && text !== ''))) return;
    const sent = broker.publish(topics.updateOffer(device, worker), text, { qos: 1, retain: true });
    if (sent) this.#offered.set(device, text);
  }

  /** Untrusted, never throws. */
  #asked(topic: string, payload: Buffer): void {
    const { topics, worker, kbps } = this.#options;
    const about = topics.parse(topic);
    if (this.#closed || about?.kind !== 'update-request') return;
    let request: ChunkRequest;
    try {
      request = parseRequest(payload);
    } catch (error) {
      this.#log.debug('a request for a piece is not understood', { device: about.device, error });
      return;
    }
    if (request.edge !== worker) return;
    const now = performance.now();
    // Beyond its own share a device is not even told no.
    if (!this.#limit.allow(about.device, now)) return;
    if (this.#open >= MOST_OPEN || this.#free > now + SAVE_MS) {
      this.#answer(about.device, request, ChunkAnswer.busy);
      return;
    }
    this.#free = Math.max(this.#free, now - SAVE_MS) + (request.bytes * 8) / kbps;
    this.#open++;
    void this.#give(about.device, request).finally(() => {
      this.#open--;
    });
  }

  async #give(device: string, request: ChunkRequest): Promise<void> {
    const file = this.#library.file(request.file);
    if (!file) return this.#answer(device, request, this.#read ? ChunkAnswer.unknown : ChunkAnswer.busy);
    try {
      const data = await readPiece(file, request.of, request.at, request.bytes);
      this.#answer(device, request, data ? ChunkAnswer.data : ChunkAnswer.range, data);
    } catch (error) {
      this.#log.error('a piece of a release cannot be read', { file: file.path, error });
      this.#answer(device, request, ChunkAnswer.unknown);
    }
  }

  #answer(device: string, { id }: ChunkRequest, answer: ChunkAnswer, data?: Buffer): void {
    const { broker, topics } = this.#options;
    broker.publish(topics.updateChunk(device), encodeChunk(id, answer, data), { expirySeconds: 10 });
  }
}

/** A folder that is not there yet is no mistake: `deepcod publish` makes it. */
async function checkFolder(folder: string): Promise<void> {
  const info = await stat(folder).catch((error: NodeJS.ErrnoException) => error);
  if (info instanceof Error ? info.code === 'ENOENT' : info.isDirectory()) return;
  const what = info instanceof Error ? info.message : 'is no folder';
  const hint = 'Name the folder that `deepcod publish` puts releases into.';
  throw new DeepcodError('updates_folder', `updates.folder: ${folder}: ${what}`, hint, ExitCode.usage);
}
