import { Random } from '../../agent/camera/simulated/random.js';

/** What a link does at one moment. */
export interface LinkMoment {
  /** Megabits a second, each way; 0: nothing passes. */
  mbps: number;
  /** Delay both ways together, ms. */
  rttMs: number;
}

/** A link over virtual time: one moment after another, each for `STEP_MS`; the last holds. */
export class LinkTrace {
  static readonly STEP_MS = 100;

  /** @param moments at least one */
  constructor(readonly moments: readonly LinkMoment[]) {}

  at(ms: number): LinkMoment {
    const index = Math.min(this.moments.length - 1, Math.max(0, Math.floor(ms / LinkTrace.STEP_MS)));
    return this.moments[index];
  }

  /** When a transfer of so many bytes that begins at `start` has been sent, ms; Infinity if that never happens. */
  sent(bytes: number, start: number): number {
    let bits = bytes * 8;
    let now = start;
    for (;;) {
      const { mbps } = this.at(now);
      const last = now >= (this.moments.length - 1) * LinkTrace.STEP_MS;
      const until = last ? Number.POSITIVE_INFINITY : (Math.floor(now / LinkTrace.STEP_MS) + 1) * LinkTrace.STEP_MS;
      const possible = mbps > 0 ? mbps * 1000 * (until - now) : 0;
      if (mbps > 0 && possible >= bits) return now + bits / (mbps * 1000);
      if (last) return Number.POSITIVE_INFINITY;
      bits -= possible;
      now = until;
    }
  }
}

/** One phase of a trace that is put together by hand. */
export interface Phase extends LinkMoment {
  seconds: number;
}

export function phases(list: readonly Phase[]): LinkTrace {
  return new LinkTrace(
    list.flatMap(({ seconds, mbps, rttMs }) =>
      Array.from({ length: Math.round((seconds * 1000) / LinkTrace.STEP_MS) }, () => ({ mbps, rttMs })),
    ),
  );
}

/** Normal deviate (Box and Muller, 1958). */
export function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}

/** How a radio link behaves; rates in Mbit/s, times in ms unless they say seconds. */
export interface RadioModel {
  mean_mbps: number;
  /** Spread of the logarithm of the rate, and how long it remembers, seconds. */
  sigma: number;
  memory_s: number;
  rtt_ms: number;
  /** Spread of the logarithm of the delay. */
  rtt_sigma: number;
  /** Outages: mean time between, and shortest and longest, seconds. */
  outage_every_s: number;
  outage_s: readonly [number, number];
  /** Rate during one, as a share. */
  outage_share: number;
}

/** Mobile network from a moving device: slow swings, handovers that stop everything for a moment. */
export const LTE: RadioModel = {
  mean_mbps: 8,
  sigma: 0.7,
  memory_s: 6,
  rtt_ms: 48,
  rtt_sigma: 0.15,
  outage_every_s: 70,
  outage_s: [0.4, 1.6],
  outage_share: 0,
};

/** Wi-Fi in a hall: fast, with interference for seconds. */
export const WIFI: RadioModel = {
  mean_mbps: 35,
  sigma: 0.4,
  memory_s: 3,
  rtt_ms: 5,
  rtt_sigma: 0.3,
  outage_every_s: 25,
  outage_s: [1, 8],
  outage_share: 0.03,
};

/** Wi-Fi at the edge of its range: the ladder. */
export const WEAK_WIFI: RadioModel = {
  mean_mbps: 1,
  sigma: 0.9,
  memory_s: 8,
  rtt_ms: 25,
  rtt_sigma: 0.4,
  outage_every_s: 40,
  outage_s: [0.5, 4],
  outage_share: 0,
};

/**
 * A trace like a recorded one: the logarithm of the rate is an Ornstein-Uhlenbeck process, outages come as a Poisson
 * process. The same seed gives the same trace.
 */
export function radio(model: RadioModel, seconds: number, seed: number): LinkTrace {
  const random = new Random(seed);
  const step = LinkTrace.STEP_MS / 1000;
  const keep = Math.exp(-step / model.memory_s);
  let level = normal(random) * model.sigma;
  let delay = 0;
  let outage = 0;
  const moments: LinkMoment[] = [];
  for (let t = 0; t < seconds; t += step) {
    level = level * keep + normal(random) * model.sigma * Math.sqrt(1 - keep * keep);
    delay = delay * 0.7 + normal(random) * model.rtt_sigma * Math.sqrt(1 - 0.49);
    outage -= step;
    if (outage <= 0 && random.chance(step / model.outage_every_s)) outage = random.range(...model.outage_s);
    const share = outage > 0 ? model.outage_share : 1;
    moments.push({
      mbps: model.mean_mbps * Math.exp(level - model.sigma ** 2 / 2) * share,
      rttMs: model.rtt_ms * Math.exp(delay),
    });
  }
  return new LinkTrace(moments);
}
