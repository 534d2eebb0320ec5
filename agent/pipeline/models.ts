import { InferenceWorker } from '../../platform/inference/index.js';

/** Models that are kept loaded: the one in use, and one more that the decision may try or go back to. */
const MOST_LOADED = 2;
/** One that was not used for so long is unloaded, ms; the last one used stays. */
const IDLE_MS = 10_000;

interface Loaded {
  worker: Promise<InferenceWorker>;
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
  readonly #closing = new Set<Promise<void>>();
  readonly #timer: NodeJS.Timeout;

  /** @param threads of one inference; undefined: all processors */
  constructor(
    readonly threads: number | undefined,
    readonly mostLoaded = MOST_LOADED,
    idleMs = IDLE_MS,
  ) {
    this.#timer = setInterval(() => this.#closeIdle(idleMs), idleMs / 4).unref();
  }

  /** How many are loaded or being loaded. */
  get loaded(): number {
    return this.#loaded.size;
  }

  /**
   * The thread of a model. Start a run before anything else is waited for: then it stays loaded until that has ended.
   * @throws DeepcodError `model_missing`, `model_unloadable`
   */
  async get(file: string): Promise<InferenceWorker> {
    for (;;) {
      const loaded = this.#touch(file);
      const worker = await loaded.worker;
      if (worker.ended) this.#unload(file);
      // others may have taken its place while it was being loaded
      if (this.#loaded.get(file) !== loaded) continue;
      loaded.usedAt = performance.now();
      return worker;
    }
  }

  /** Ends all threads after the runs under way. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    for (const file of [...this.#loaded.keys()]) this.#unload(file);
    await Promise.all(this.#closing);
  }

  /** Makes it the one used last; loads it if need be, in place of the one unused for longest. */
  #touch(file: string): Loaded {
    const loaded = this.#loaded.get(file) ?? { worker: this.#open(file), usedAt: 0 };
    loaded.usedAt = performance.now();
    this.#loaded.delete(file);
    this.#loaded.set(file, loaded);
    const [oldest] = this.#loaded.keys();
    if (this.#loaded.size > this.mostLoaded) this.#unload(oldest);
    return loaded;
  }

  #open(model: string): Promise<InferenceWorker> {
    const worker = InferenceWorker.open({ model, threads: this.threads, frugal: true, portable: true });
    worker.catch(() => this.#loaded.delete(model));
    return worker;
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
    const closing = loaded.worker.then((worker) => worker.close()).catch(() => {});
    this.#closing.add(closing);
    void closing.finally(() => this.#closing.delete(closing));
  }
}
