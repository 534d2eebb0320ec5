import type { Notifier } from '../../platform/systemd/notify.js';
import { Watchdog } from '../../platform/systemd/watchdog.js';
import type { Outcome } from '../pipeline/trip.js';
import { type Doing, idleReason } from './idle.js';

/** What the watchdog asks the agent for; the rest it sees itself. */
export type Circumstances = Omit<Doing, 'now' | 'pictureAt' | 'startedAt' | 'losses'>;

/** The agent's watchdog: fed by frames that got all the way through, or while there is a good reason for none. */
export class FrameWatchdog {
  readonly #watchdog: Watchdog;
  readonly #clock: () => number;
  #pictureAt: number;
  #startedAt = 0;
  #losses = 0;

  /** @param clock ms */
  constructor(
    notifier: Pick<Notifier, 'watchdogMs' | 'watchdog' | 'status'>,
    circumstances: () => Circumstances,
    clock: () => number = () => performance.now(),
  ) {
    this.#clock = clock;
    this.#pictureAt = clock();
    this.#watchdog = new Watchdog(
      notifier,
      () => {
        const [pictureAt, startedAt, losses] = [this.#pictureAt, this.#startedAt, this.#losses];
        return idleReason({ ...circumstances(), now: clock(), pictureAt, startedAt, losses });
      },
      clock,
    );
  }

  /** The camera gave a picture, or was opened. */
  picture(): void {
    this.#pictureAt = this.#clock();
  }

  /** A frame began its trip. */
  started(): void {
    this.#startedAt = this.#clock();
  }

  /** A trip is over. */
  ended(outcome: Outcome | undefined): void {
    if (outcome === 'result' || outcome === 'local') {
      this.#losses = 0;
      this.#watchdog.progress();
    } else {
      this.#losses++;
    }
  }

  /** Looks whether all is well; a timer does. */
  check(): Promise<void> {
    return this.#watchdog.check();
  }

  close(): void {
    this.#watchdog.close();
  }
}
