import type { Manifest } from '../../protocol/manifest.js';
import { HarmonicBandwidth } from '../bandwidth/harmonic.js';
import type { AgentConfig } from '../config/config.js';
import type { Trip } from '../pipeline/trip.js';
import { type Choice, choicesFor } from './choices.js';
import { Decision } from './decision.js';
import { type Prediction, Predictor } from './predictor.js';
import type { Profile } from './profile.js';
import { TimeEstimator } from './times.js';

/** FLOP per second before anything was measured: a Pi 4, and an edge fast enough to be worth a try. */
const ASSUMED_DEVICE_FLOPS = 10e9;
const ASSUMED_EDGE_FLOPS = 500e9;

/** Chooses where each frame is cut, and learns from what came of it. */
export class Planner {
  readonly choices: readonly Choice[];
  readonly bandwidth: HarmonicBandwidth;
  readonly #device = new TimeEstimator(ASSUMED_DEVICE_FLOPS, false);
  readonly #edge = new TimeEstimator(ASSUMED_EDGE_FLOPS, true);
  readonly #decision: Decision;

  /** @throws DeepcodError for a partition or rate that the bundle lacks */
  constructor(manifest: Manifest, config: AgentConfig) {
    this.choices = choicesFor(manifest, config);
    this.bandwidth = new HarmonicBandwidth(config.profile.bandwidth_mbps * 1e6);
    const predictor = new Predictor(this.#device, this.#edge, this.bandwidth, config.profile.device_scale);
    this.#decision = new Decision(this.choices, predictor);
  }

  /** Whether there is anything to decide. */
  get isFixed(): boolean {
    return new Set(this.choices.map(({ id }) => id)).size === 1;
  }

  /** The choice for the next frame. */
  choose(): Choice {
    return this.#decision.choose();
  }

  /** What every choice is expected to cost now. */
  explain(): Prediction[] {
    return this.#decision.explain();
  }

  /** Times from before. */
  useProfile(profile: Profile): void {
    for (const { id, deviceFlops, edgeFlops } of this.choices) {
      if (id in profile.device_ms) this.#device.profile(id, profile.device_ms[id], deviceFlops);
      if (id in profile.edge_ms && edgeFlops > 0) this.#edge.profile(id, profile.edge_ms[id], edgeFlops);
    }
    if (profile.bandwidth_bps) this.bandwidth.profiled = profile.bandwidth_bps;
  }

  /** What the edge's times are by now, for the next start. */
  edgeTimes(): Record<string, number> {
    const known = this.choices.filter(({ id, edgeFlops }) => edgeFlops > 0 && this.#edge.knows(id));
    return Object.fromEntries(known.map(({ id, edgeFlops }) => [id, this.#edge.estimate(id, edgeFlops)]));
  }

  /** A trip that ended with a result, from the edge or from here. */
  learn(trip: Trip): void {
    const choice = this.choices.find(({ id, rate }) => id === trip.partition && rate === trip.rate);
    if (!choice) return;
    const { preprocess = 0, head = 0, encode = 0, post = 0, up } = trip.steps;
    if (trip.outcome === 'local') {
      this.#device.observe(choice.id, preprocess + head + post, choice.deviceFlops);
      return;
    }
    this.#device.observe(choice.id, preprocess + head + encode, choice.deviceFlops);
    if (trip.edgeMs !== undefined) this.#edge.observe(choice.id, trip.edgeMs, choice.edgeFlops, trip.startedAt);
    if (up !== undefined) this.bandwidth.add(trip.bytes, up);
  }
}
