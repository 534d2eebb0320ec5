import { DeepcodError, ExitCode } from '../../platform/errors.js';
import { InferenceWorker, type TensorValue } from '../../platform/inference/index.js';
import type { Outputs } from '../../protocol/tasks/task.js';
import type { Route } from './route.js';

export interface TailOptions {
  provider: string;
  /** Threads inside one run; undefined: all processors. */
  threads?: number;
}

export interface TailRun {
  outputs: Outputs;
  /** Time inside ONNX Runtime, ms. */
  runMs: number;
}

/** One loaded model of a bundle, in its own thread. */
export class Tail {
  /** Batches that use it now; it is not closed while there are any. */
  users = 0;
  /** Input buffers by batch size, reused: they go to the inference thread and come back without a copy. */
  readonly #buffers = new Map<number, Uint8Array[]>();

  /** Largest batch that was run. */
  #most = 0;
  #bytes = 0;

  private constructor(
    readonly route: Route,
    readonly worker: InferenceWorker,
    readonly takesRate: boolean,
  ) {}

  /**
   * Memory that it holds, bytes: what the process grew by while it was loaded and each time a larger batch was run first.
   * Whatever else the process did at these moments is in it; an execution provider's own memory is not.
   */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Loads the model, checks its inputs, and runs it once, so that the first frame does not pay for first-use work.
   * @throws DeepcodError `model_missing`, `model_unloadable`, `model_inputs`, `inference_failed`
   */
  static async open(route: Route, options: TailOptions): Promise<Tail> {
    const before = process.memoryUsage.rss();
    const worker = await InferenceWorker.open({
      model: route.model,
      provider: options.provider,
      threads: options.threads,
    });
    try {
      const names = worker.inputs.map((input) => input.name);
      const unknown = names.filter((name) => name !== route.input && name !== 'rate');
      if (!names.includes(route.input) || unknown.length > 0) {
        throw new DeepcodError(
          'model_inputs',
          `${route.model}: inputs are ${names.join(', ')}; expected ${route.input} and, with several rates, rate`,
          'Export the bundle again with the toolkit.',
          ExitCode.bundle,
        );
      }
      const tail = new Tail(route, worker, names.includes('rate'));
      const input = tail.buffer(1);
      await tail.run(input, [0]);
      tail.#bytes = Math.max(0, process.memoryUsage.rss() - before);
      return tail;
    } catch (error) {
      await worker.close();
      throw error;
    }
  }

  /** A buffer for a batch of n pictures; give it back with `run`. Content is unspecified. */
  buffer(n: number): Uint8Array {
    return this.#buffers.get(n)?.pop() ?? new Uint8Array(n * this.route.cells);
  }

  /**
   * Runs a batch.
   * @param input from `buffer(n)`, filled with at least rates.length pictures; must not be used afterwards
   * @param rates one per picture
   */
  async run(input: Uint8Array, rates: readonly number[]): Promise<TailRun> {
    const n = rates.length;
    const size = input.length / this.route.cells;
    const whole = size === n;
    const data = whole ? input : input.slice(0, n * this.route.cells);
    const feed: TensorValue = { type: 'uint8', dims: [n, ...this.route.dims], data };
    const feeds: Record<string, TensorValue> = { [this.route.input]: feed };
    if (this.takesRate) feeds.rate = { type: 'int64', dims: [n], data: BigInt64Array.from(rates, BigInt) };
    const before = n > this.#most ? process.memoryUsage.rss() : undefined;
    try {
      const values = await this.worker.run(feeds, { transfer: true });
      const runMs = this.worker.lastRunMs;
      const outputs: Outputs = {};
      for (const [name, { data, dims }] of Object.entries(values)) outputs[name] = { data: data as Float32Array, dims };
      if (before !== undefined) {
        this.#most = Math.max(n, this.#most);
        this.#bytes += Math.max(0, process.memoryUsage.rss() - before);
      }
      return { outputs, runMs };
    } finally {
      this.#keep(size, whole ? (feed.data as Uint8Array) : input);
    }
  }

  /** Lets runs finish, then ends the thread. */
  close(): Promise<void> {
    return this.worker.close();
  }

  #keep(n: number, buffer: Uint8Array): void {
    // Detached if the thread died with it.
    if (buffer.length !== n * this.route.cells) return;
    const free = this.#buffers.get(n) ?? [];
    if (free.length < 4) free.push(buffer);
    this.#buffers.set(n, free);
  }
}
