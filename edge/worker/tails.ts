import type { Log } from '../../platform/log.js';
import type { Route } from './route.js';
import { Tail, type TailOptions } from './tail.js';

export interface TailPoolOptions extends TailOptions {
  /** Models kept loaded, at most; the one unused for longest goes first. */
  maxLoaded: number;
}

/** A model that could not be loaded is not tried again for this long, ms: loading is slow, frames are many. */
const retryAfterMs = 30_000;

/** The models that are loaded: on demand, and no more than allowed. */
export class TailPool {
  /** In the order of last use. */
  readonly #tails = new Map<string, Promise<Tail>>();
  readonly #loading = new Set<string>();
  readonly #failures = new Map<string, { error: unknown; until: number }>();
  readonly #closing = new Set<Promise<unknown>>();
  /** Loaded by `borrow`, and not asked for by a frame since. */
  readonly #borrowed = new Set<string>();

  constructor(
    readonly options: TailPoolOptions,
    readonly log: Log,
  ) {}

  /** Models that are loaded or being loaded. */
  get loaded(): number {
    return this.#tails.size;
  }

  /**
   * Whether `use` would start at once. If not, loading starts now, so that it does not stand in the way of frames whose
   * model is there.
   * @param changed called when it is worth asking again
   */
  ready(route: Route, changed: () => void): boolean {
    const borrowed = this.#borrowed.delete(route.key);
    if (this.#loading.has(route.key)) {
      // Whoever began to load it does not wait for frames.
      if (borrowed) this.#get(route).then(changed, changed);
      return false;
    }
    if (this.#tails.has(route.key) || this.#failed(route) !== undefined) return true;
    this.#get(route).then(changed, changed);
    return false;
  }

  /** Whether a route's model is loaded, or can be without another having to go. */
  hasRoom(route: Route): boolean {
    return this.#tails.has(route.key) || this.#tails.size < this.options.maxLoaded;
  }

  /** Whether more models are loaded than should be, because some are in use. */
  get overfull(): boolean {
    return this.#tails.size > this.options.maxLoaded;
  }

  /** Like `use`, but leaves no trace: a model that was not loaded is unloaded again, unless a frame asked for it meanwhile. */
  async borrow<T>(route: Route, work: (tail: Tail) => Promise<T>): Promise<T> {
    if (!this.#tails.has(route.key)) this.#borrowed.add(route.key);
    let borrowed: Tail | undefined;
    try {
      return await this.use(route, (tail) => {
        borrowed = tail;
        return work(tail);
      });
    } finally {
      if (this.#borrowed.delete(route.key) && borrowed) this.#forget(route.key, borrowed);
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
      if ((error as { code?: unknown }).code === 'inference_closed') this.#forget(route.key, tail);
      throw error;
    } finally {
      tail.users--;
      this.#evict();
    }
  }

  /** Lets runs finish and ends all threads. */
  async close(): Promise<void> {
    const tails = [...this.#tails.values()];
    this.#tails.clear();
    await Promise.all(tails.map((tail) => tail.then((t) => t.close()).catch(() => undefined)));
    await Promise.all(this.#closing);
  }

  #get(route: Route): Promise<Tail> {
    const loaded = this.#tails.get(route.key);
    if (loaded !== undefined) {
      this.#tails.delete(route.key);
      this.#tails.set(route.key, loaded);
      return loaded;
    }
    const failure = this.#failed(route);
    if (failure !== undefined) return Promise.reject(failure.error);
    const start = performance.now();
    const opening = Tail.open(route, this.options);
    this.#tails.set(route.key, opening);
    this.#loading.add(route.key);
    opening.then(
      () => {
        this.#loading.delete(route.key);
        this.#failures.delete(route.key);
        const ms = performance.now() - start;
        this.log.info(`loaded ${route.bundle.manifest.service.name}/${route.partition}`, {
          provider: this.options.provider,
          ms: Math.round(ms),
        });
      },
      (error: unknown) => {
        this.#loading.delete(route.key);
        this.#tails.delete(route.key);
        this.#failures.set(route.key, { error, until: performance.now() + retryAfterMs });
        this.log.error(`cannot load ${route.model}`, { error });
      },
    );
    return opening;
  }

  /** Why this model could not be loaded a moment ago. */
  #failed(route: Route): { error: unknown } | undefined {
    const failure = this.#failures.get(route.key);
    return failure !== undefined && performance.now() < failure.until ? failure : undefined;
  }

  /** Closes models beyond the limit, least recently used first, skipping those in use or still loading. */
  #evict(): void {
    let surplus = this.#tails.size - this.options.maxLoaded;
    for (const [key, opening] of this.#tails) {
      if (surplus <= 0) return;
      surplus--;
      void opening.then((tail) => {
        if (tail.users === 0 && this.#tails.get(key) === opening && this.#tails.size > this.options.maxLoaded) {
          this.#forget(key, tail);
        }
      });
    }
  }

  #forget(key: string, tail: Tail): void {
    this.#tails.delete(key);
    const closing = tail.close().finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }
}
