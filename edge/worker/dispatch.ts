import { Batching } from './batching.js';
import type { Job } from './job.js';
import { FairQueue, type QueueLimits } from './queue.js';
import type { Route } from './route.js';

export interface DispatchOptions {
  queue: QueueLimits;
  /** Frames in one run, at most. */
  batch: number;
  /** Batches in work at the same time: one runs while the next is decoded. */
  parallel: number;
  /** Whether a route's model is there. @param changed called when it is worth asking again */
  ready(route: Route, changed: () => void): boolean;
  /** Works on a batch, all of one route. Never rejects. */
  run(jobs: Job[]): Promise<void>;
  /** More came than can be answered in time, or no more is taken. */
  drop(job: Job): void;
  /** It waited too long. @param begins performance.now() when it would have been run */
  expired(job: Job, begins: number): void;
  /** The last frame of a route that was retired is done. */
  unload(route: Route): void;
}

/** A batch in work. */
interface Running {
  route: Route;
  done: Promise<void>;
  /** performance.now() when it is expected to end. */
  endsAt: number;
}

/** Of its lifetime a frame may spend so much here: the answer has a way to go, too. */
const OUR_SHARE = 0.5;
/** The next batch is put together so long before the one that runs is expected to end: a share of its time, and ms. */
const LEAD = 0.1;
const LEAD_MS = 2;

const keyOf = (job: Job): string => job.route.key;

/** Which frames are run together, and when: from the frames that come to batches that run. */
export class Dispatcher {
  readonly #queue: FairQueue<Job>;
  readonly #running = new Set<Running>();
  /** By route key. */
  readonly #batching = new Map<string, Batching>();
  /** Of bundles that are served no more, while their last frames are there; by key. */
  readonly #retired = new Map<string, Route>();
  #wake: NodeJS.Immediate | undefined;
  /** Wakes the pump when a frame that is waited for should have come. */
  #alarm: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(readonly options: DispatchOptions) {
    this.#queue = new FairQueue(
      options.queue,
      (job) => options.drop(job),
      (job) => this.batching(job.route).cost(),
    );
  }

  /** Frames that wait for their turn. */
  get waiting(): number {
    return this.#queue.size;
  }

  /** Whether frames wait or are in work. */
  get busy(): boolean {
    return this.#running.size > 0 || this.#queue.size > 0;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** How long a frame that comes now waits until all before it are done, ms, as far as their times are known. */
  get backlogMs(): number {
    return this.#queue.work + this.#remaining(performance.now());
  }

  /** What is known of a route's batches. */
  batching(route: Route): Batching {
    let batching = this.#batching.get(route.key);
    if (batching === undefined) {
      batching = new Batching(this.options.batch);
      this.#batching.set(route.key, batching);
    }
    return batching;
  }

  /** Only what can be answered in time may wait: whoever sends more is told so at once. */
  accept(job: Job, now: number): void {
    if (this.#closed) {
      this.options.drop(job);
      return;
    }
    this.batching(job.route).arrived(now);
    const room = OUR_SHARE * (job.expiresAt - now) - this.#remaining(now);
    this.#queue.push(job, room);
    this.#schedule();
  }

  /** They get no more frames: each is unloaded when its last one is done. */
  retire(routes: readonly Route[]): void {
    for (const route of routes) this.#retired.set(route.key, route);
    this.#giveBack();
  }

  /** It gets frames again. */
  reinstate(route: Route): void {
    this.#retired.delete(route.key);
  }

  /** Finishes what runs, drops what waits and what still comes. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#wake) clearImmediate(this.#wake);
    clearTimeout(this.#alarm);
    this.#queue.clear();
    await Promise.all([...this.#running].map(({ done }) => done));
  }

  /** How long what runs now will still take, ms. */
  #remaining(now: number): number {
    let until = now;
    for (const { endsAt } of this.#running) until = Math.max(until, endsAt);
    return until - now;
  }

  /** Not at once: messages that arrived together can then share a batch. */
  #schedule(): void {
    if (this.#closed) return;
    this.#wake ??= setImmediate(() => {
      this.#wake = undefined;
      this.#pump();
    });
  }

  #giveBack(): void {
    for (const [key, route] of this.#retired) {
      const busy = this.#queue.some((job) => keyOf(job) === key);
      if (busy || [...this.#running].some((running) => running.route.key === key)) continue;
      this.#retired.delete(key);
      this.#batching.delete(key);
      this.options.unload(route);
    }
  }

  #pump(): void {
    clearTimeout(this.#alarm);
    if (this.#retired.size > 0) this.#giveBack();
    while (!this.#closed && this.#running.size < this.options.parallel) {
      const next = this.#queue.peek(keyOf, this.#ready);
      if (next === undefined) return;
      const waitMs = this.#waitFor(next.item, next.alike, performance.now());
      if (waitMs > 0) {
        this.#alarm = setTimeout(() => {
          this.#start();
          this.#pump();
        }, waitMs);
        return;
      }
      this.#start();
    }
  }

  readonly #ready = (job: Job): boolean => this.options.ready(job.route, () => this.#schedule());

  /**
   * How long the next batch should wait for more frames, ms. While another runs nothing is lost until shortly before its
   * end, and the newest frame of each device is the one that is run.
   */
  #waitFor(job: Job, alike: number, now: number): number {
    const batching = this.batching(job.route);
    const slack = job.expiresAt - now;
    if (this.#running.size === 0) return batching.wait(alike, now - job.arrivedAt, slack);
    const ms = batching.times.estimate(Math.max(1, alike));
    if (ms === undefined || alike >= batching.size(batching.most, slack)) return 0;
    return this.#remaining(now) - LEAD * ms - LEAD_MS;
  }

  /** Takes a batch from the queue, as large as pays and as its first frame has time for, and works on it. */
  #start(): void {
    const next = this.#queue.peek(keyOf, this.#ready);
    if (this.#closed || next === undefined) return;
    const { item: job, alike } = next;
    const batching = this.batching(job.route);
    const begins = performance.now() + this.#remaining(performance.now());
    const size = batching.size(alike, job.expiresAt - begins);
    const jobs = this.#fresh(this.#queue.take(size, keyOf, this.#ready), begins);
    if (jobs.length === 0) return;
    const running: Running = {
      route: job.route,
      endsAt: begins + (batching.times.estimate(jobs.length) ?? 0),
      done: this.options.run(jobs).finally(() => {
        this.#running.delete(running);
        this.#pump();
      }),
    };
    this.#running.add(running);
  }

  /** @param begins performance.now() when their run is expected to begin */
  #fresh(jobs: Job[], begins: number): Job[] {
    return jobs.filter((job) => {
      if (begins <= job.expiresAt) return true;
      this.options.expired(job, begins);
      return false;
    });
  }
}
