import { InferenceWorker } from '../../platform/inference/index.js';
import { atMost } from '../../platform/wait.js';

/** Models that are kept loaded: the one in use, and one more that the decision may try or go back to. */
const MOST_LOADED = 2;
/** One that was not used for so long is unloaded, ms; the last one used stays. */
const IDLE_MS = 10_000;
/** One that does not come to its end holds up the others no longer than this, ms. */
const PATIENCE_MS = 2000;

interface Loaded {
  worker: InferenceWorker;
  usedAt: number;
}

/**
 * The models of this device that are loaded: opened when first needed, each in its own thread, and no more than memory is
 * worth. A device has a gigabyte for everything; a model's thread takes 30 to 60 MB of it. What they compute is the same on
 * every device, and what was measured elsewhere.
 */
export class Models {
  /** By file, in the order of last use. */
  readonly #loaded = new Map<string, Loaded>();
  readonly #loading = new Map<string, Promise<void>>();
  readonly #closing = new Set<Promise<void>>();
  readonly #timer: NodeJS.Timeout;
  /** One is loaded after the other. */
  #turn: Promise<unknown> = Promise.resolve();

  /** @param threads of one inference; undefined: all processors */
  constructor(
    readonly threads: number | undefined,
    readonly mostLoaded = MOST_LOADED,
    idleMs = IDLE_MS,
  ) {
    this.#timer = setInterval(() => this.#closeIdle(idleMs), idleMs / 4).unref();
  }

  /** How many are loaded. */
  get loaded(): number {
    return this.#loaded.size;
  }

  /**
   * The thread of a model. Start a run before anything else is waited for: then it stays loaded until that has ended.
   * @throws DeepcodError `model_missing`, `model_unloadable`
   */
  async get(file: string): Promise<InferenceWorker> {
    for (;;) {
      const loaded = this.#loaded.get(file);
      if (loaded && !loaded.worker.ended) {
        loaded.usedAt = performance.now();
        this.#loaded.delete(file);
        this.#loaded.set(file, loaded);
        return loaded.worker;
      }
      await this.#load(file);
    }
  }

  /** Ends all threads after the runs under way. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#turn;
    for (const file of [...this.#loaded.keys()]) this.#unload(file);
    await Promise.all(this.#closing);
  }

  #load(file: string): Promise<void> {
    const begun = this.#loading.get(file);
    if (begun) return begun;
    const loading = this.#turn.then(() => this.#open(file)).finally(() => this.#loading.delete(file));
    this.#loading.set(file, loading);
    // Whoever has waited for it starts a run before the next one may take its place.
    this.#turn = loading.then(nextTurn, nextTurn);
    return loading;
  }

  /**
   * In place of the one unused for longest, and after its memory was given back: two at once leave holes that are never
   * filled again (30 MB after a dozen changes).
   */
  async #open(model: string): Promise<void> {
    this.#unload(model);
    const [oldest] = this.#loaded.keys();
    if (this.#loaded.size >= this.mostLoaded) this.#unload(oldest);
    await atMost(PATIENCE_MS, Promise.all(this.#closing));
    const worker = await InferenceWorker.open({ model, threads: this.threads, frugal: true, portable: true });
    this.#loaded.set(model, { worker, usedAt: performance.now() });
  }

  #closeIdle(idleMs: number): void {
    const now = performance.now();
    const others = [...this.#loaded].slice(0, -1);
    for (const [file, { usedAt }] of others) if (now - usedAt >= idleMs) this.#unload(file);
  }

  #unload(file: string): void {
    const loaded = this.#loaded.get(file);
    if (!loaded) return;
    this.#loaded.delete(file);
    const closing = loaded.worker.close().catch(() => {});
    this.#closing.add(closing);
    void closing.finally(() => this.#closing.delete(closing));
  }
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
