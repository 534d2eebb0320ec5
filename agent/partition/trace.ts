import { DECISIONS_MAX, type Decision, type DecisionOption, type DecisionReason } from '../../protocol/decision.js';
import type { LinkModel } from '../bandwidth/link-model.js';
import type { Prediction } from './predictor.js';

/** What the decision was made from, besides the predictions. */
export interface Circumstances {
  link: Pick<LinkModel, 'base' | 'bps' | 'transfers'>;
  harmonicBps: number;
  deviceSlowdown: number;
  edgeSlowdown: number;
  edgeQueueMs: number;
}

/** One decision as it is kept and shown: why this point, what the others would have cost. */
export function describeDecision(
  frame: number,
  at: number,
  reason: DecisionReason,
  chosen: Prediction,
  predictions: readonly Prediction[],
  { link, harmonicBps, deviceSlowdown, edgeSlowdown, edgeQueueMs }: Circumstances,
): Decision {
  return {
    frame,
    at,
    partition: chosen.choice.id,
    rate: chosen.choice.rate,
    reason,
    why: sentence(reason, chosen, predictions),
    link: {
      base_ms: round(link.base),
      mbps: round(link.bps / 1e6),
      harmonic_mbps: round(harmonicBps / 1e6),
      transfers: link.transfers,
    },
    device_slowdown: round(deviceSlowdown),
    edge_slowdown: round(edgeSlowdown),
    edge_queue_ms: round(edgeQueueMs),
    options: predictions.map(optionOf),
  };
}

function optionOf({ choice, bytes, device, network, edge, total, energy, cost }: Prediction): DecisionOption {
  return {
    partition: choice.id,
    rate: choice.rate,
    bytes: Math.round(bytes),
    device_ms: round(device),
    link_ms: round(network),
    edge_ms: round(edge),
    total_ms: round(total),
    ...(energy !== undefined && { energy_mj: round(energy) }),
    cost_ms: round(cost),
    accuracy: round(choice.accuracy),
  };
}

function sentence(reason: DecisionReason, chosen: Prediction, predictions: readonly Prediction[]): string {
  const name = nameOf(chosen);
  const others = predictions.filter((p) => p !== chosen);
  const next = others.reduce((a: Prediction | undefined, b) => (a && a.cost <= b.cost ? a : b), undefined);
  const beside = next ? `${nameOf(next)} would take ${ms(next)}` : '';
  switch (reason) {
    case 'only':
      return `${name} is the only choice the settings allow`;
    case 'first':
      return `${name} is expected to be fastest to begin with (${ms(chosen)}); ${beside}`;
    case 'best':
      return `${name} is the best choice (${ms(chosen)}); ${beside}`;
    case 'margin':
      return `${name} stays (${ms(chosen)}): ${beside}, not enough better to change`;
    case 'better':
      return `${name} became better (${ms(chosen)}); ${beside}`;
    case 'probe':
      return `${name} is tried for one frame: what was sent does not tell whether it is better`;
    case 'no_edge':
      return 'no edge answers: the service runs on this device';
    case 'try_edge':
      return `one frame goes to the edge (${name}) to see whether it answers again`;
  }
}

const nameOf = ({ choice: { id, rate } }: Prediction): string =>
  id === 'device' || id === 'raw' ? id : `${id} at rate ${rate}`;

/** Energy and data have a price: the cost is shown beside the time where they differ clearly. */
function ms({ total, cost }: Prediction): string {
  return cost > 1.1 * total ? `${whole(total)} ms, cost ${whole(cost)}` : `${whole(total)} ms`;
}

const whole = (value: number): string => (value < 10 ? value.toFixed(1) : value.toFixed(0));
const round = (value: number): number => Math.round(value * 1000) / 1000;

/** Options of a decision that goes with the health message at most. */
const BRIEF = 40;

/** A decision with its cheapest options alone, where there are very many: health messages stay short. */
export function inBrief(decision: Decision): Decision {
  if (decision.options.length <= BRIEF) return decision;
  const chosen = ({ partition, rate }: DecisionOption) => partition === decision.partition && rate === decision.rate;
  const options = [...decision.options].sort((a, b) => Number(chosen(b)) - Number(chosen(a)) || a.cost_ms - b.cost_ms);
  return { ...decision, options: options.slice(0, BRIEF) };
}

/** The last decisions, oldest first. */
export class DecisionTrace {
  readonly #kept: Decision[] = [];

  add(decision: Decision): void {
    this.#kept.push(decision);
    if (this.#kept.length > DECISIONS_MAX) this.#kept.shift();
  }

  get latest(): Decision | undefined {
    return this.#kept.at(-1);
  }

  /** @param count at most so many, the newest */
  last(count: number): Decision[] {
    return count > 0 ? this.#kept.slice(-count) : [];
  }
}
