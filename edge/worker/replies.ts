import { Seldom } from '../../platform/log/seldom.js';
import type { Log } from '../../platform/log.js';
import { type FrameIdentity, identityOf } from '../../protocol/frame.js';
import { encodeResult, type ResultMessage } from '../../protocol/result.js';
import { answerOf, type Failure, failureOf } from './answer.js';
import type { Counters } from './counters.js';
import type { Refusal } from './intake.js';
import type { Address, Job } from './job.js';
import { RateLimiter } from './limiter.js';
import type { TailRun } from './tail.js';

/** What the edge did with one frame: for the live page, the history, metrics. */
export interface AnsweredFrame {
  device: string;
  answer: ResultMessage;
  /** There unless the frame was refused before it was understood. */
  job?: Job;
}

/** What leaves the worker: every frame's result or error, sent, counted, and told to whoever listens. */
export class Replies {
  readonly #errorLimit = new RateLimiter(20, 5);
  readonly #seldom = new Seldom();
  readonly #listeners: ((event: AnsweredFrame) => void)[] = [];

  /**
   * @param worker this edge's name
   * @param publish sends an answer; false if it could not be sent
   */
  constructor(
    readonly worker: string,
    readonly publish: (to: Address, text: string) => boolean,
    readonly counters: Counters,
    readonly log: Log,
  ) {}

  /** Called for every answer, sent or not. Listeners must be quick: they stand in the frame's way. */
  onAnswer(listener: (event: AnsweredFrame) => void): void {
    this.#listeners.push(listener);
  }

  /** Answers a frame with what its tail found. Never throws. @param index of the frame in the run */
  result(job: Job, run: TailRun, index: number, times: { queue: number; decode: number; tail: number }): void {
    const { counters } = this;
    try {
      const result = answerOf(job, run.outputs, index, this.worker, times);
      if (this.publish(job.to, encodeResult(result))) {
        counters.results++;
        counters.times(result.edge_ms);
      } else {
        counters.drop('unsent');
      }
      this.#tell({ device: job.device, answer: result, job });
    } catch (error) {
      this.log.error('a frame could not be answered', { device: job.device, error });
      this.broken(job, error);
    }
  }

  /** A frame that was not let in: counted, logged, and answered where its sender is known. */
  refused(topic: string, { cause, answer }: Refusal): void {
    this.counters.drop(cause);
    this.say(topic, cause, answer?.message);
    if (answer !== undefined) this.#fail(answer.to, answer.identity, answer);
  }

  /** A frame that was let in has no result. @param cause that it is counted under */
  failed(job: Job, failure: Failure, cause: string = failure.code): void {
    this.counters.drop(cause);
    this.#fail(job.to, identityOf(job.frame), failure, job);
  }

  /** A frame came to nothing by a fault of this edge. */
  broken(job: Job, error: unknown): void {
    const message = error instanceof Error ? error.message.slice(0, 500) : 'unknown error';
    this.failed(job, { code: 'internal', message });
  }

  /** One line per device and cause in a minute: a broken device must not fill the disk. */
  say(where: string, cause: string, message?: string): void {
    if (this.#seldom.now(`${where} ${cause}`)) {
      this.log.warn(`frame refused: ${cause}`, { from: where, reason: message });
    }
  }

  /** Answers with an error, unless this device has been told often enough. */
  #fail(to: Address, identity: FrameIdentity, failure: Failure, job?: Job): void {
    const answer = failureOf(identity, this.worker, failure);
    if (this.#errorLimit.allow(to.device, performance.now()) && this.publish(to, encodeResult(answer))) {
      this.counters.errors++;
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
}
