import type { LinkEstimator } from '../bandwidth/estimate.js';
import type { Choice } from './choices.js';
import { energyOf, type PowerModel } from './energy.js';
import type { PayloadModel } from './payloads.js';
import type { TimeEstimator } from './times.js';
import type { Waiting } from './waiting.js';

/** What a choice is expected to cost. */
export interface Prediction {
  choice: Choice;
  /** Of the frame message in the long run. */
  bytes: number;
  /** ms */
  device: number;
  edge: number;
  network: number;
  total: number;
  /** Above doing nothing, mJ; undefined where nothing is known of this device's power. */
  energy?: number;
  /** What is minimised: latency, plus what passed-over pictures, lacking accuracy, energy and bytes are worth in ms. */
  cost: number;
  /** What the first frame after a change costs more, for it stands alone; ms. */
  entry: number;
}

/** What energy and data are worth, in ms of latency. */
export interface Prices {
  ms_per_mj: number;
  ms_per_kb: number;
}

export interface PredictorParts {
  device: TimeEstimator;
  edge: TimeEstimator;
  waiting: Waiting;
  link: LinkEstimator;
  payloads: PayloadModel;
  prices: Prices;
  power?: PowerModel;
  /** The device is planned as so many times slower than it is. */
  deviceScale: number;
  /** Time between pictures, ms; 0: the next is taken when there is room for it. */
  periodMs: number;
}

/** A device that is busy for this share of the time may as well be busy all of it. */
const NEARLY = 0.9;

/** Of an uncertain expectation so many standard deviations may be hoped for, and at most this share of it. */
const HOPE = 2;
const LEAST_SHARE = 0.02;
/**
 * A point of accuracy (relative to the uncompressed service) is worth a hundredth of the latency: it decides between
 * rates where the link makes no difference, and no more than that.
 */
const ACCURACY_WORTH = 1;
/** A side's time may be so much shorter where nobody measured it, and where no frame has shown whether the profile is right. */
const UNKNOWN_SHARE = 0.5;
const UNSEEN_SHARE = 0.3;

/** Expected cost of choices: the terms of equation 14, with bytes / B replaced by base + bytes / rate. */
export class Predictor {
  constructor(readonly parts: PredictorParts) {}

  /** t_device(p) + t_link(bytes(p)) + t_edge(p) + waiting */
  predict(choice: Choice): Prediction {
    const { prices, payloads, link } = this.parts;
    const device = this.parts.device.estimate(choice.id, choice.deviceFlops) * this.parts.deviceScale;
    if (choice.edgeFlops === 0) {
      const energy = this.#energy(device, 0);
      const cost = device + this.#passedOver(device) + prices.ms_per_mj * (energy ?? 0);
      return {
        choice,
        bytes: 0,
        device,
        edge: 0,
        network: 0,
        total: device,
        energy,
        cost,
        entry: 0,
      };
    }
    const bytes = payloads.usual(choice);
    const network = link.estimate(bytes + payloads.answer);
    const own = this.parts.edge.estimate(choice.id, choice.edgeFlops);
    const edge = own + this.parts.waiting.ms;
    const total = device + network + edge;
    const energy = this.#energy(device, network);
    const lacking = total * ACCURACY_WORTH * Math.max(0, 1 - choice.accuracy);
    const passed = this.#passedOver(device);
    const cost = total + passed + lacking + prices.ms_per_mj * (energy ?? 0) + (prices.ms_per_kb * bytes) / 1024;
    const entry = link.estimate(payloads.key(choice) + payloads.answer) - network;
    return {
      choice,
      bytes,
      device,
      edge,
      network,
      total,
      energy,
      cost,
      entry,
    };
  }

  /**
   * What a choice may cost at best, as things stand with another one in use: the link may be better than it seems from what
   * was sent, and times shorter that no frame has shown. What is unknown to both alike counts for neither.
   */
  hope({ choice, bytes, network, device: ofDevice, cost }: Prediction, current: Prediction): number {
    const { link, edge, device, payloads } = this.parts;
    const hopeOf = (side: TimeEstimator) =>
      side.saw(choice.id) ? 0 : side.knows(choice.id) ? UNSEEN_SHARE : UNKNOWN_SHARE;
    const here = hopeOf(device) * ofDevice;
    if (choice.edgeFlops === 0) return cost - here;
    const other = current.choice.edgeFlops === 0 ? undefined : current.bytes + payloads.answer;
    const better = Math.min((1 - LEAST_SHARE) * network, HOPE * link.deviation(bytes + payloads.answer, other));
    const there = hopeOf(edge) * edge.estimate(choice.id, choice.edgeFlops);
    return cost - better - here - there;
  }

  /**
   * A device that is busy for longer than a picture's period works without a pause: the newest picture then waits half of that
   * time on average before its turn. From a little below on, since times vary.
   */
  #passedOver(device: number): number {
    const { periodMs } = this.parts;
    if (periodMs === 0) return 0;
    const share = Math.max(0, Math.min(1, (device / periodMs - NEARLY) / (1 - NEARLY)));
    return (share * device) / 2;
  }

  #energy(device: number, network: number): number | undefined {
    const { power } = this.parts;
    return power && energyOf(power, device, network);
  }
}
