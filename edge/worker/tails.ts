import { DeepcodError, ExitCode } from '../../platform/errors.js';
import type { Log } from '../../platform/log.js';
import type { Route } from './route.js';
import { Tail, type TailOptions } from './tail.js';
import { weightBytes } from './weights.js';

export interface TailPoolOptions extends TailOptions {
  /** Models kept loaded, at most; the one unused for longest goes first. */
  maxLoaded: number;
  /** Memory of all models together, at most, bytes. */
  maxBytes: number;
}

/** A model that could not be loaded is not tried again for this long, ms: loading is slow, frames are many. */
const retryAfterMs = 30_000;
/** A model's memory before it was measured, in its weights: a runtime may hold them twice, rearranged for its vectors. */
const WEIGHTS = 2;

/** A model that is loaded, being loaded, or waiting for room. */
interface Entry {
  readonly route: Route;
  tail: Promise<Tail>;
  /** There once it is loaded. */
  loaded?: Tail;
  /** Memory that it is expected to take, bytes; 0 while it waits for room. */
  reserved: number;
  /** Makes room: takes no new work, and goes with its last user. */
  leaving: boolean;
}

/** The models that are loaded: on demand, and no more than a number and an amount of memory. */
export class TailPool {
  /** In the order of last use. */
  readonly #entries = new Map<string, Entry>();
  readonly #failures = new Map<string, { error: unknown; until: number }>();
  readonly #closing = new Set<Promise<unknown>>();
  /** Loaded by `borrow`, and not asked for by a frame since. */
  readonly #borrowed = new Set<string>();
  readonly #weights = new Map<string, Promise<number>>();
  /** Models that wait for room. */
  #waiting = 0;
  #changed: (() => void)[] = [];
  #closed = false;

  constructor(
    readonly options: TailPoolOptions,
    readonly log: Log,
  ) {}

  /** Models that are loaded or being loaded. */
  get loaded(): number {
    return [...this.#entries.values()].filter(({ reserved }) => reserved > 0).length;
  }

  /** Memory of these, bytes: measured, before that estimated. */
  get bytes(): number {
    return this.#bytesOf([...this.#entries.values()]);
  }

  /** Models that are loaded, or being loaded. */
  get size(): number {
    return this.#entries.size;
  }

  /** Whether a model waits for room. */
  get crowded(): boolean {
    return this.#waiting > 0;
  }

  /**
   * Whether `use` would start at once. If not, loading starts now, so that it does not stand in the way of frames whose
   * model is there.
   * @param changed called when it is worth asking again
   */
  ready(route: Route, changed: () => void): boolean {
    const borrowed = this.#borrowed.delete(route.key);
    const entry = this.#entries.get(route.key);
    if (entry?.leaving) {
      this.#changed.push(changed);
      return false;
    }
    if (entry?.loaded) return true;
    if (entry) {
      // Whoever began to load it does not wait for frames.
      if (borrowed) entry.tail.then(changed, changed);
      return false;
    }
    if (this.#failed(route) !== undefined) return true;
    this.#get(route).then(changed, changed);
    return false;
  }

  /** Whether a route's model is loaded, or can be without another having to go. Never rejects. */
  async hasRoom(route: Route): Promise<boolean> {
    if (this.#entries.has(route.key)) return true;
    const bytes = await this.#estimate(route).catch(() => 0);
    return this.#fits([...this.#entries.values()], bytes);
  }

  /** Like `use`, but leaves no trace: a model that was not loaded is unloaded again, unless a frame asked for it meanwhile. */
  async borrow<T>(route: Route, work: (tail: Tail) => Promise<T>): Promise<T> {
    if (!this.#entries.has(route.key)) this.#borrowed.add(route.key);
    try {
      return await this.use(route, work);
    } finally {
      const entry = this.#entries.get(route.key);
      if (this.#borrowed.delete(route.key) && entry) this.#leave(entry);
    }
  }

  /**
   * Lends a route's model to `work`; it stays loaded at least until `work` ends.
   * @throws what loading or `work` throws
   */
  async use<T>(route: Route, work: (tail: Tail) => Promise<T>): Promise<T> {
    const tail = await this.#get(route);
    tail.users++;
    try {
      return await work(tail);
    } catch (error) {
      const entry = this.#entries.get(route.key);
      if ((error as { code?: unknown }).code === 'inference_closed' && entry?.loaded === tail) this.#leave(entry);
      throw error;
    } finally {
      tail.users--;
      this.#settle();
    }
  }

  /** Gives a model back that is not needed any more, with its last user. */
  unload({ key, model }: Route): void {
    this.#failures.delete(key);
    this.#weights.delete(model);
    const entry = this.#entries.get(key);
    entry?.tail.then(
      () => this.#leave(entry),
      () => {},
    );
  }

  /** Resolves when every loaded model's thread has answered a call; rejects when one has ended. */
  async prove(): Promise<void> {
    const loaded = [...this.#entries.values()].filter(({ leaving }) => !leaving);
    await Promise.all(loaded.map(({ loaded }) => loaded?.worker.call()));
  }

  /** Lets runs finish and ends all threads. */
  async close(): Promise<void> {
    this.#closed = true;
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    this.#wake();
    await Promise.all(entries.map(({ tail }) => tail.then((t) => t.close()).catch(() => undefined)));
    await Promise.all(this.#closing);
  }

  #get(route: Route): Promise<Tail> {
    const known = this.#entries.get(route.key);
    if (known !== undefined) {
      this.#entries.delete(route.key);
      this.#entries.set(route.key, known);
      return known.tail;
    }
    const failure = this.#failed(route);
    if (failure !== undefined) return Promise.reject(failure.error);
    const entry: Entry = { route, reserved: 0, leaving: false, tail: undefined as never };
    entry.tail = this.#open(entry);
    this.#entries.set(route.key, entry);
    entry.tail.then(
      () => this.#failures.delete(route.key),
      (error: unknown) => {
        this.#entries.delete(route.key);
        this.#wake();
        if (this.#closed) return;
        this.#failures.set(route.key, { error, until: performance.now() + retryAfterMs });
        this.log.error(`cannot load ${route.model}`, { error });
      },
    );
    return entry.tail;
  }

  async #open(entry: Entry): Promise<Tail> {
    const { route } = entry;
    await this.#makeRoom(entry);
    const start = performance.now();
    const tail = await Tail.open(route, this.options);
    entry.loaded = tail;
    this.log.info(`loaded ${route.bundle.manifest.service.name}/${route.partition}`, {
      provider: this.options.provider,
      ms: Math.round(performance.now() - start),
      megabytes: megabytes(this.#bytesOf([entry])),
    });
    return tail;
  }

  /** Why this model could not be loaded a moment ago. */
  #failed(route: Route): { error: unknown } | undefined {
    const failure = this.#failures.get(route.key);
    return failure !== undefined && performance.now() < failure.until ? failure : undefined;
  }

  /**
   * Waits until a model fits, and sends away what was unused for longest.
   * @throws DeepcodError `model_too_large`
   */
  async #makeRoom(entry: Entry): Promise<void> {
    const { maxBytes } = this.options;
    const bytes = await this.#estimate(entry.route);
    if (bytes > maxBytes) {
      throw new DeepcodError(
        'model_too_large',
        `${entry.route.model}: about ${megabytes(bytes)} MB; inference.megabytes is ${megabytes(maxBytes)}`,
        'Raise inference.megabytes, or serve a smaller model.',
        ExitCode.usage,
      );
    }
    this.#waiting++;
    try {
      while (!this.#closed) {
        // What is closing still has its memory.
        const free = this.#closing.size === 0 && this.#fits([...this.#entries.values()], bytes);
        if (free) break;
        const staying = [...this.#entries.values()].filter(({ leaving }) => !leaving);
        if (!this.#fits(staying, bytes)) {
          const oldest = staying.find(({ loaded }) => loaded?.users === 0) ?? staying.find(({ loaded }) => loaded);
          if (oldest) this.#leave(oldest);
        }
        await new Promise<void>((resolve) => this.#changed.push(resolve));
      }
      entry.reserved = Math.max(1, bytes);
    } finally {
      this.#waiting--;
    }
    if (this.#closed) throw new DeepcodError('inference_closed', `${entry.route.model}: the edge is closing`);
  }

  #fits(entries: readonly Entry[], bytes: number): boolean {
    const { maxLoaded, maxBytes } = this.options;
    const there = entries.filter(({ reserved }) => reserved > 0);
    return there.length < maxLoaded && this.#bytesOf(there) + bytes <= maxBytes;
  }

  #bytesOf(entries: readonly Entry[]): number {
    return entries.reduce((sum, { reserved, loaded }) => sum + Math.max(reserved, loaded?.bytes ?? 0), 0);
  }

  #estimate({ model }: Route): Promise<number> {
    let weights = this.#weights.get(model);
    if (weights === undefined) {
      weights = weightBytes(model);
      this.#weights.set(model, weights);
      weights.catch(() => this.#weights.delete(model));
    }
    // A file that cannot be read is reported by who loads it.
    return weights.then(
      (bytes) => WEIGHTS * bytes,
      () => 0,
    );
  }

  /** After work: who is leaving goes, and so does, least recently used first, what turned out larger than there is room for. */
  #settle(): void {
    for (const entry of this.#entries.values()) if (entry.leaving) this.#leave(entry);
    const staying = [...this.#entries.values()].filter(({ leaving, reserved }) => !leaving && reserved > 0);
    while (staying.length > 1 && this.#bytesOf(staying) > this.options.maxBytes) {
      const oldest = staying.shift() as Entry;
      if (oldest.loaded?.users === 0) this.#leave(oldest);
    }
  }

  #leave(entry: Entry): void {
    entry.leaving = true;
    const { route, loaded } = entry;
    if (!loaded || loaded.users > 0 || this.#entries.get(route.key) !== entry) return;
    this.#entries.delete(route.key);
    const closing: Promise<void> = loaded.close().finally(() => {
      this.#closing.delete(closing);
      this.#wake();
    });
    this.#closing.add(closing);
  }

  #wake(): void {
    for (const changed of this.#changed.splice(0)) changed();
  }
}

const megabytes = (bytes: number): number => Math.ceil(bytes / 2 ** 20);
