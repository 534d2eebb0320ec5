import './no-telemetry.js';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { DeepcodError, ExitCode } from '../errors.js';
import type { FromWorker, ToWorker, WorkerSetup } from './messages.js';
import { compact, type TensorInfo, type TensorValue, wholeBuffers } from './tensor.js';

export interface InferenceOptions {
  /** Path of the .onnx file; external data is found beside it. */
  model: string;
  /** Threads inside one run; default: all processors. */
  threads?: number;
  /** ONNX Runtime execution provider: `cpu` (default), `cuda`, `webgpu`, `coreml`, `dml`; what is built in depends on the platform. */
  provider?: string;
  /** Idle threads wait in a busy loop: a little faster back to back, a waste of power when frames are paced. Default false. */
  spinning?: boolean;
  /** As little memory as does not cost time: for devices. Default false. */
  frugal?: boolean;
  /**
   * The same numbers on every processor, bit for bit: without the blocked layout of tensors that ONNX Runtime has for x86-64
   * alone, which adds in another order. Convolutions of few channels take half as long again there, nothing on ARM. Default false.
   */
  portable?: boolean;
}

export interface RunOptions {
  /**
   * Hand the feeds' memory over for the time of the run instead of copying it. Until the run ends the arrays are detached
   * (length 0); then `feeds[name].data` is set to arrays on the same memory again. Arrays that do not fill their buffer are copied.
   */
  transfer?: boolean;
}

interface Pending {
  feeds: Record<string, TensorValue>;
  resolve: (outputs: Record<string, TensorValue>) => void;
  reject: (error: Error) => void;
}

/**
 * One model in its own thread: `session.run` blocks the thread that calls it, so the main thread never does.
 * Runs are answered in the order in which they were asked.
 */
export class InferenceWorker {
  readonly #worker: Worker;
  readonly #model: string;
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;
  #closing: Promise<void> | undefined;
  #dead: DeepcodError | undefined;
  #lastRunMs = 0;

  private constructor(
    worker: Worker,
    model: string,
    /** What the model takes. */
    readonly inputs: readonly TensorInfo[],
    /** What the model gives. */
    readonly outputs: readonly TensorInfo[],
    /** How long loading took, ms. */
    readonly openMs: number,
  ) {
    this.#worker = worker;
    this.#model = model;
    worker.on('message', (message: FromWorker) => this.#answer(message));
    worker.on('error', (error) => this.#fail(`its thread failed: ${error.message}`));
    worker.on('exit', (code) => this.#fail(`its thread ended (exit code ${code})`));
  }

  /**
   * Loads a model in a new thread.
   * @throws DeepcodError `model_missing`, `model_unloadable`
   */
  static async open(options: InferenceOptions): Promise<InferenceWorker> {
    const { model, provider = 'cpu', spinning = false, frugal = false, portable = false } = options;
    if (!existsSync(model)) {
      throw new DeepcodError(
        'model_missing',
        `${model}: no such model file`,
        'Check the bundle path.',
        ExitCode.bundle,
      );
    }
    const threads = options.threads ?? availableParallelism();
    const setup: WorkerSetup = { model, provider, spinning, frugal, portable, threads };
    const worker = new Worker(new URL('./worker.js', import.meta.url), {
      workerData: setup,
      name: 'inference',
      // Tensors lie outside the heap: what is left for it is a few objects a run.
      ...(frugal && { resourceLimits: { maxYoungGenerationSizeMb: 2 } }),
    });
    const first = await Promise.race([
      once(worker, 'message').then(([message]) => message as FromWorker),
      once(worker, 'exit').then(([code]): FromWorker => ({ kind: 'failed', message: `thread ended with ${code}` })),
    ]).catch((error: Error): FromWorker => ({ kind: 'failed', message: error.message }));
    if (first.kind !== 'open') {
      const reason = first.kind === 'failed' ? first.message : 'unexpected answer from its thread';
      throw new DeepcodError(
        'model_unloadable',
        `${model}: ONNX Runtime (${provider}) cannot load it: ${reason}`,
        provider === 'cpu'
          ? 'The file or the external data beside it may be damaged: verify or fetch the bundle again.'
          : `Is ${provider} available on this machine? "cpu" always works.`,
        ExitCode.bundle,
      );
    }
    return new InferenceWorker(worker, model, first.inputs, first.outputs, first.openMs);
  }

  /** Time of the latest finished run inside ONNX Runtime, ms. */
  get lastRunMs(): number {
    return this.#lastRunMs;
  }

  /** Whether its thread has ended, by itself or because of a failure: no run can succeed any more. */
  get ended(): boolean {
    return this.#dead !== undefined;
  }

  /** Runs that are asked for and not answered yet. */
  get pending(): number {
    return this.#pending.size;
  }

  /**
   * One run.
   * @returns the outputs by name; their memory belongs to the caller
   * @throws DeepcodError `inference_failed` (wrong shapes, types or names), `inference_closed`
   */
  run(feeds: Record<string, TensorValue>, options: RunOptions = {}): Promise<Record<string, TensorValue>> {
    if (this.#dead) return Promise.reject(this.#dead);
    if (this.#closing) {
      return Promise.reject(new DeepcodError('inference_closed', `${this.#model}: its thread is closing`));
    }
    const id = this.#nextId++;
    const giveBack = options.transfer === true;
    return new Promise((resolve, reject) => {
      this.#post({ kind: 'run', id, feeds: compact(feeds), giveBack }, giveBack ? wholeBuffers(feeds) : []);
      this.#pending.set(id, { feeds, resolve, reject });
    });
  }

  /**
   * Resolves when the thread answers, behind the runs that were asked for: it is there, and none of them hangs.
   * @throws DeepcodError `inference_closed`
   */
  call(): Promise<void> {
    if (this.#dead) return Promise.reject(this.#dead);
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#post({ kind: 'call', id });
      this.#pending.set(id, { feeds: {}, resolve: () => resolve(), reject });
    });
  }

  /** Lets runs that were asked for finish, releases the session, and waits until the thread has ended by itself. */
  close(): Promise<void> {
    this.#closing ??= this.#dead
      ? Promise.resolve()
      : new Promise((resolve) => {
          this.#worker.once('exit', () => resolve());
          this.#post({ kind: 'close' });
        });
    return this.#closing;
  }

  #post(message: ToWorker, transfer: readonly ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, [...transfer]);
  }

  #answer(message: FromWorker): void {
    if (message.kind !== 'result' && message.kind !== 'error' && message.kind !== 'here') return;
    const pending = this.#pending.get(message.id);
    if (!pending) return;
    this.#pending.delete(message.id);
    if (message.kind === 'here') {
      pending.resolve({});
      return;
    }
    for (const [name, tensor] of Object.entries(message.feeds ?? {})) pending.feeds[name].data = tensor.data;
    if (message.kind === 'result') {
      this.#lastRunMs = message.runMs;
      pending.resolve(message.outputs);
    } else {
      pending.reject(new DeepcodError('inference_failed', `${this.#model}: ${message.message}`));
    }
  }

  #fail(reason: string): void {
    this.#dead ??= new DeepcodError('inference_closed', `${this.#model}: ${reason}`);
    for (const { reject } of this.#pending.values()) reject(this.#dead);
    this.#pending.clear();
  }
}
