/** How long to wait before each next attempt. */
export interface RetrySchedule {
  /** First delay, ms. */
  first: number;
  /** Longest delay, ms. */
  longest: number;
  /** Growth from one delay to the next. */
  factor: number;
  /** Share of the delay that is random, 0..1: 0.5 spreads delays over 75%..125%. */
  jitter: number;
}

/** Half a second, doubling to ten seconds, spread so that a fleet does not come back all at once. */
export const defaultRetry: RetrySchedule = { first: 500, longest: 10_000, factor: 2, jitter: 0.5 };

/** Endless jittered delays in ms; start a new iterator after a success. `random` is for tests. */
export function* retryDelays(
  schedule: RetrySchedule = defaultRetry,
  random: () => number = Math.random,
): Generator<number, never> {
  let delay = schedule.first;
  for (;;) {
    yield Math.round(delay * (1 + schedule.jitter * (random() - 0.5)));
    delay = Math.min(delay * schedule.factor, schedule.longest);
  }
}
