import { HuffmanError } from '../../agent/huffman/index.js';
import { Seldom } from '../../platform/log/seldom.js';
import type { Log } from '../../platform/log.js';
import { type FrameIdentity, identityOf } from '../../protocol/frame.js';
import { encodeResult, type FrameFailureCode, type ResultMessage } from '../../protocol/result.js';
import type { EdgeStatus } from '../../protocol/status.js';
import type { Topics } from '../../protocol/topics.js';
import { answerOf, failureOf } from './answer.js';
import type { EdgeBundle } from './bundles.js';
import { Counters, type WorkerStats } from './counters.js';
import { Dispatcher } from './dispatch.js';
import { type FrameProperties, Intake, isRefusal } from './intake.js';
import type { Address, Job } from './job.js';
import { JpegError } from './jpeg.js';
import { RateLimiter } from './limiter.js';
import { Load } from './load.js';
import { TailProfile } from './profile.js';
import type { QueueLimits } from './queue.js';
import { ReferenceStore } from './references.js';
import type { Route } from './route.js';
import { decodeSymbols } from './symbols.js';
import type { Tail, TailRun } from './tail.js';
import { TailPool, type TailPoolOptions } from './tails.js';

export interface WorkerOptions {
  /** Name in topics and answers. */
  name: string;
  topics: Topics;
  bundles: ReadonlyMap<string, EdgeBundle>;
  inference: TailPoolOptions & {
    /** Frames in one run, at most. */
    batch: number;
    /** Batches in work at the same time: one runs while the next is decoded. */
    parallel: number;
    /** Measure the tails while there is nothing else to do; default: no. */
    measure?: boolean;
  };
  queue: QueueLimits & {
    /** Frames older than this are not worked on, ms. */
    maxAgeMs: number;
  };
  /** Memory for decoded codes that later frames are predicted from, bytes. */
  referenceBytes: number;
  /** Whether bundles are still being read; default: no. */
  reading?: () => boolean;
  /** Sends an answer. @returns false if it could not be sent */
  publish(to: Address, text: string): boolean;
}

/** What the edge did with one frame: for the live page, the history, metrics. */
export interface AnsweredFrame {
  device: string;
  answer: ResultMessage;
  /** There unless the frame was refused before it was understood. */
  job?: Job;
}

/** With such a load frames come so densely that there is no time for anything else. */
const BUSY = 0.5;

/**
 * The edge's work: messages in, answers out. Knows nothing of MQTT connections. Every message is answered with a result,
 * or counted by its cause and, where the sender is known, answered with an error.
 */
export class EdgeWorker {
  readonly #intake: Intake;
  readonly #dispatcher: Dispatcher;
  readonly #tails: TailPool;
  readonly #references: ReferenceStore;
  readonly #counters = new Counters();
  readonly #errorLimit = new RateLimiter(20, 5);
  readonly #seldom = new Seldom();
  readonly #listeners: ((event: AnsweredFrame) => void)[] = [];
  readonly #load = new Load();
  readonly #profile: TailProfile | undefined;

  constructor(
    readonly options: WorkerOptions,
    readonly log: Log,
  ) {
    const { topics, bundles, queue, reading } = options;
    this.#intake = new Intake({ topics, bundles, maxAgeMs: queue.maxAgeMs, reading });
    const { batch, parallel } = options.inference;
    this.#dispatcher = new Dispatcher({
      ...{ queue, batch, parallel },
      ready: (route, changed) => this.#tails.ready(route, changed),
      run: (jobs) => this.#process(jobs),
      drop: (job) => this.#drop(job),
      expired: (job, begins) => this.#expired(job, begins),
      unload: (route) => this.#tails.unload(route),
    });
    this.#tails = new TailPool(options.inference, log);
    this.#references = new ReferenceStore(options.referenceBytes);
    if (options.inference.measure) {
      const measured = {
        pool: this.#tails,
        routes: [...bundles.values()].flatMap(({ routes, raw }) => [...routes, raw]),
        batch,
        frames: () => this.#counters.frames,
        idle: () => !this.#dispatcher.busy && this.#load.share() < BUSY,
        measured: (route: Route, batch: number, ms: number) =>
          this.#dispatcher.batching(route).times.observe(batch, ms),
      };
      this.#profile = new TailProfile(measured, log);
    }
  }

  /** Called for every answer, sent or not. Listeners must be quick: they stand in the frame's way. */
  onAnswer(listener: (event: AnsweredFrame) => void): void {
    this.#listeners.push(listener);
  }

  stats(): WorkerStats {
    return this.#counters.stats();
  }

  /** How busy the inference threads were lately, 0 to 1. */
  get load(): number {
    return this.#load.share();
  }

  /** What is known of the tails' times: by bundle id, then partition id. */
  tailTimes(): NonNullable<EdgeStatus['tails_ms']> {
    return this.#profile?.times() ?? {};
  }

  /**
   * Runs every tail of a bundle once, and keeps them loaded as far as there is room: its first frames need not wait.
   * @throws what a tail throws
   */
  async warm({ routes, raw }: EdgeBundle): Promise<void> {
    for (const route of [...routes, raw]) {
      this.#dispatcher.reinstate(route);
      const once = async (tail: Tail): Promise<void> => {
        const input = tail.buffer(1);
        route.decode(route.sample(), 0, input);
        await tail.run(input, [0]);
      };
      if (await this.#tails.hasRoom(route)) await this.#tails.use(route, once);
      else await this.#tails.borrow(route, once);
    }
  }

  /** Gives a bundle back that is served no more: its models go when its last frames are answered. */
  retire({ routes, raw }: EdgeBundle): void {
    this.#dispatcher.retire([...routes, raw]);
  }

  /** Frames that wait for their turn. */
  get waiting(): number {
    return this.#dispatcher.waiting;
  }

  /** How long a frame that comes now waits until all before it are done, ms, as far as their times are known. */
  get backlogMs(): number {
    return this.#dispatcher.backlogMs;
  }

  /** Memory of the loaded models, bytes. */
  get modelBytes(): number {
    return this.#tails.bytes;
  }

  /** Whether frames wait or are in work. */
  get busy(): boolean {
    return this.#dispatcher.busy;
  }

  /** Resolves when every loaded model's thread has answered a call; rejects when one has ended. */
  prove(): Promise<void> {
    return this.#tails.prove();
  }

  /** How many models are loaded. */
  get models(): number {
    return this.#tails.size;
  }

  /** Takes a message in. Never throws. */
  handle(topic: string, message: Uint8Array, properties: FrameProperties = {}): void {
    const now = performance.now();
    this.#counters.frames++;
    this.#counters.bytes += message.length;
    try {
      const outcome = this.#intake.accept(topic, message, properties, now);
      if (!isRefusal(outcome)) {
        this.#dispatcher.accept(outcome, now);
        return;
      }
      this.#counters.drop(outcome.cause);
      this.#say(topic, outcome.cause, outcome.answer?.message);
      if (outcome.answer === undefined) return;
      const { to, identity, code, message: text, hint } = outcome.answer;
      this.#fail(to, identity, code, text, hint);
    } catch (error) {
      this.#counters.drop('internal');
      this.log.error('a message could not be handled', { topic, error });
    }
  }

  /** Finishes what runs, refuses what waits and what still comes, ends all inference threads. */
  async close(): Promise<void> {
    await this.#dispatcher.close();
    await this.#profile?.close();
    await this.#tails.close();
  }

  #expired(job: Job, begins: number): void {
    this.#counters.drop('expired');
    const text = `the frame waited ${Math.round(begins - job.arrivedAt)} ms, too long to be of use`;
    this.#fail(job.to, identityOf(job.frame), 'overloaded', text, undefined, job);
  }

  /** One batch: all of one route. Never rejects. */
  async #process(jobs: Job[]): Promise<void> {
    let open = jobs;
    try {
      await this.#tails.use(jobs[0].route, async (tail) => {
        const start = performance.now();
        const decoded = await this.#decode(tail, jobs);
        open = decoded.jobs;
        if (decoded.jobs.length === 0) return;
        const before = performance.now();
        const rates = decoded.jobs.map((job) => job.frame.rate);
        const run = await this.#load.during(() => tail.run(decoded.input, rates));
        this.#counters.batch(rates.length);
        const spent = decoded.ms.reduce((sum, ms) => sum + ms, run.runMs);
        this.#dispatcher.batching(tail.route).times.observe(rates.length, spent);
        const waited = Math.max(0, performance.now() - before - run.runMs);
        for (const [i, job] of decoded.jobs.entries()) {
          const queue = start - job.arrivedAt + waited;
          this.#answer(job, run, i, { queue, decode: decoded.ms[i], tail: run.runMs });
        }
      });
    } catch (error) {
      this.log.error('inference failed', { model: jobs[0].route.model, error });
      for (const job of open) this.#broken(job, error);
    }
  }

  /** Decodes a batch; frames that do not decode are answered and leave it. */
  async #decode(tail: Tail, jobs: Job[]): Promise<{ input: Uint8Array; jobs: Job[]; ms: number[] }> {
    const { cells } = tail.route;
    const input = tail.buffer(jobs.length);
    const good: Job[] = [];
    const ms: number[] = [];
    const pictures = jobs.map(({ route, frame }) => timed(() => route.decodePicture?.(frame.payload, frame)));
    for (const [i, job] of jobs.entries()) {
      const start = performance.now();
      const at = good.length * cells;
      try {
        if (job.route.decodePicture) {
          const picture = await pictures[i];
          if (picture.error) throw picture.error;
          input.set(picture.value as Uint8Array, at);
          good.push(job);
          ms.push(picture.ms);
          continue;
        }
        if (!decodeSymbols(job, this.#references, input.subarray(at, at + cells))) {
          this.#needKeyFrame(job);
          continue;
        }
        good.push(job);
        ms.push(performance.now() - start);
      } catch (error) {
        if (!(error instanceof HuffmanError || error instanceof JpegError)) throw error;
        this.#counters.drop('bad_payload');
        this.#say(job.device, 'bad_payload', error.message);
        this.#fail(job.to, identityOf(job.frame), 'bad_payload', error.message, undefined, job);
      }
    }
    return { input, jobs: good, ms };
  }

  #needKeyFrame(job: Job): void {
    const { frame } = job;
    this.#counters.drop('need_key_frame');
    const text = `frame ${frame.frame - frame.reference}, which this one is predicted from, is not here`;
    this.#fail(job.to, identityOf(frame), 'need_key_frame', text, 'Send a frame that stands alone.', job);
  }

  #answer(job: Job, run: TailRun, index: number, times: { queue: number; decode: number; tail: number }): void {
    try {
      const result = answerOf(job, run.outputs, index, this.options.name, times);
      if (this.options.publish(job.to, encodeResult(result))) {
        this.#counters.results++;
        this.#counters.times(result.edge_ms);
      } else {
        this.#counters.drop('unsent');
      }
      this.#tell({ device: job.device, answer: result, job });
    } catch (error) {
      this.log.error('a frame could not be answered', { device: job.device, error });
      this.#broken(job, error);
    }
  }

  #broken(job: Job, error: unknown): void {
    this.#counters.drop('internal');
    const text = error instanceof Error ? error.message.slice(0, 500) : 'unknown error';
    this.#fail(job.to, identityOf(job.frame), 'internal', text, undefined, job);
  }

  #drop(job: Job): void {
    this.#counters.drop('overloaded');
    const [why, hint] = this.#dispatcher.closed
      ? ['this edge is stopping', 'Nothing to do: another edge takes the next frames, or the device runs alone.']
      : [
          'more frames come than can be answered in time',
          'Send fewer frames a second, use a lower rate, or run on the device.',
        ];
    this.#fail(job.to, identityOf(job.frame), 'overloaded', why, hint, job, this.backlogMs);
  }

  /** Answers with an error, unless this device has been told often enough. */
  #fail(
    to: Address,
    identity: FrameIdentity,
    code: FrameFailureCode,
    message: string,
    hint?: string,
    job?: Job,
    waitMs?: number,
  ): void {
    const answer = failureOf(identity, this.options.name, code, message, hint, waitMs);
    if (this.#errorLimit.allow(to.device, performance.now()) && this.options.publish(to, encodeResult(answer))) {
      this.#counters.errors++;
    }
    this.#tell({ device: to.device, answer, job });
  }

  #tell(event: AnsweredFrame): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        this.log.error('a listener failed', { error });
      }
    }
  }

  /** One line per device and cause in a minute: a broken device must not fill the disk. */
  #say(where: string, cause: string, message?: string): void {
    if (this.#seldom.now(`${where} ${cause}`)) {
      this.log.warn(`frame refused: ${cause}`, { from: where, reason: message });
    }
  }
}

/** Awaits a promise, whatever comes of it, and says how long that took, ms. */
async function timed<T>(work: () => Promise<T> | undefined): Promise<{ value?: T; error?: unknown; ms: number }> {
  const start = performance.now();
  try {
    return { value: await work(), ms: performance.now() - start };
  } catch (error) {
    return { error, ms: performance.now() - start };
  }
}
