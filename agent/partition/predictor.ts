import type { Choice } from './choices.js';
import type { TimeEstimator } from './times.js';

/** What a choice is expected to cost, ms. */
export interface Prediction {
  choice: Choice;
  device: number;
  edge: number;
  network: number;
  total: number;
}

/** Expected latency of choices: the terms of equation 14. */
export class Predictor {
  /**
   * @param deviceScale the device is planned as so many times slower than it is
   * @param bandwidth of the link
   */
  constructor(
    readonly device: TimeEstimator,
    readonly edge: TimeEstimator,
    readonly bandwidth: { readonly bps: number },
    readonly deviceScale = 1,
  ) {}

  /** t_edge(p) + t_device(p) + bytes(p) / B */
  predict(choice: Choice): Prediction {
    const device = this.device.estimate(choice.id, choice.deviceFlops) * this.deviceScale;
    const edge = choice.edgeFlops > 0 ? this.edge.estimate(choice.id, choice.edgeFlops) : 0;
    const network = ((choice.bytes * 8) / this.bandwidth.bps) * 1000;
    return { choice, device, edge, network, total: device + edge + network };
  }
}
