import type { Log } from '../../platform/log.js';
import type { EdgeStatus } from '../../protocol/status.js';
import type { Topics } from '../../protocol/topics.js';
import type { Failure } from './answer.js';
import type { EdgeBundle } from './bundles.js';
import { Counters, type WorkerStats } from './counters.js';
import { decodeBatch } from './decode.js';
import { Dispatcher } from './dispatch.js';
import { type FrameProperties, Intake, isRefusal } from './intake.js';
import type { Address, Job } from './job.js';
import { Load } from './load.js';
import { TailProfile } from './profile.js';
import type { QueueLimits } from './queue.js';
import { ReferenceStore } from './references.js';
import { type AnsweredFrame, Replies } from './replies.js';
import type { Route } from './route.js';
import type { Tail } from './tail.js';
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
  readonly #replies: Replies;
  readonly #load = new Load();
  readonly #profile: TailProfile | undefined;

  constructor(
    readonly options: WorkerOptions,
    readonly log: Log,
  ) {
    const { name, topics, bundles, queue, reading } = options;
    this.#replies = new Replies(name, (to, text) => options.publish(to, text), this.#counters, log);
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
    this.#replies.onAnswer(listener);
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
      if (isRefusal(outcome)) this.#replies.refused(topic, outcome);
      else this.#dispatcher.accept(outcome, now);
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

  /** One batch: all of one route. Never rejects. */
  async #process(jobs: Job[]): Promise<void> {
    let open = jobs;
    try {
      await this.#tails.use(jobs[0].route, async (tail) => {
        const start = performance.now();
        const batch = await decodeBatch(tail, jobs, this.#references);
        open = batch.jobs;
        for (const { job, failure } of batch.failed) this.#unreadable(job, failure);
        if (batch.jobs.length === 0) return;
        const before = performance.now();
        const rates = batch.jobs.map((job) => job.frame.rate);
        const run = await this.#load.during(() => tail.run(batch.input, rates));
        this.#counters.batch(rates.length);
        const spent = batch.ms.reduce((sum, ms) => sum + ms, run.runMs);
        this.#dispatcher.batching(tail.route).times.observe(rates.length, spent);
        const waited = Math.max(0, performance.now() - before - run.runMs);
        for (const [i, job] of batch.jobs.entries()) {
          const queue = start - job.arrivedAt + waited;
          this.#replies.result(job, run, i, { queue, decode: batch.ms[i], tail: run.runMs });
        }
      });
    } catch (error) {
      this.log.error('inference failed', { model: jobs[0].route.model, error });
      for (const job of open) this.#replies.broken(job, error);
    }
  }

  #unreadable(job: Job, failure: Failure): void {
    if (failure.code === 'bad_payload') this.#replies.say(job.device, failure.code, failure.message);
    this.#replies.failed(job, failure);
  }

  #expired(job: Job, begins: number): void {
    const message = `the frame waited ${Math.round(begins - job.arrivedAt)} ms, too long to be of use`;
    this.#replies.failed(job, { code: 'overloaded', message }, 'expired');
  }

  #drop(job: Job): void {
    const [message, hint] = this.#dispatcher.closed
      ? ['this edge is stopping', 'Nothing to do: another edge takes the next frames, or the device runs alone.']
      : [
          'more frames come than can be answered in time',
          'Send fewer frames a second, use a lower rate, or run on the device.',
        ];
    this.#replies.failed(job, { code: 'overloaded', message, hint, waitMs: this.backlogMs });
  }
}
