import type { DecisionReason } from '../../protocol/decision.js';
import type { Choice } from './choices.js';
import type { Prediction } from './predictor.js';
import { ProbeBudget } from './probes.js';

/** Regret below this share of the present cost is noise and is forgiven each frame. */
const FORGIVEN = 0.01;
/** Regret that adds up to this share of the present cost, beside what the change itself costs, makes the change. */
const ENOUGH = 0.2;
/** What might be saved must be at least this share of the present cost to be worth a trial. */
const WORTH_A_TRIAL = 0.1;

type Hope = (prediction: Prediction, current: Prediction) => number;

export interface Chosen {
  prediction: Prediction;
  reason: Extract<DecisionReason, 'only' | 'first' | 'best' | 'margin' | 'better' | 'probe'>;
}

/**
 * The choice of least expected cost (equation 14), without flutter: another choice is taken once the regret of not having
 * taken it has added up to more than noise and than the change costs. A large advantage does that in one frame, a
 * small lasting one in some frames, a passing one never. What may be better but cannot be judged from what was sent is
 * tried now and then, as long as trials cost little (`ProbeBudget`).
 */
export class Decider {
  #current: Choice | undefined;
  readonly #regret = new Map<Choice, number>();
  readonly #probes: ProbeBudget;

  /** @param clock ms */
  constructor(clock: () => number) {
    this.#probes = new ProbeBudget(clock);
  }

  /** What was chosen last, trials aside. */
  get current(): Choice | undefined {
    return this.#current;
  }

  /** What there is to choose from has changed: the next choice is a first one. */
  restart(): void {
    this.#current = undefined;
    this.#regret.clear();
  }

  /**
   * The choice for the next frame.
   * @param predictions of all choices, at least one
   * @param hope what a choice may cost at best with another one in use
   */
  choose(predictions: readonly Prediction[], hope: Hope): Chosen {
    if (predictions.length === 0) throw new RangeError('nothing to choose from');
    const [only] = predictions;
    if (predictions.length === 1) return { prediction: only, reason: 'only' };
    const best = predictions.reduce((a, b) => (b.cost < a.cost ? b : a));
    const current = predictions.find(({ choice }) => choice === this.#current);
    if (!current) return this.#take(best, 'first');
    for (const prediction of predictions) {
      const gain = current.cost - prediction.cost - FORGIVEN * current.cost;
      const before = this.#regret.get(prediction.choice) ?? 0;
      this.#regret.set(prediction.choice, Math.max(0, Math.min(before + gain, current.cost)));
    }
    this.#probes.earn(current.cost);
    const due = predictions
      .filter((p) => p !== current && p.cost < current.cost && this.#due(p, current))
      .reduce((a: Prediction | undefined, b) => (a && a.cost <= b.cost ? a : b), undefined);
    if (due) return this.#take(due, 'better');
    const probe = this.#probe(predictions, current, hope);
    if (probe) return { prediction: probe, reason: 'probe' };
    return { prediction: current, reason: best === current ? 'best' : 'margin' };
  }

  #due({ choice, entry }: Prediction, current: Prediction): boolean {
    const limit = Math.min(current.cost, ENOUGH * current.cost + Math.max(0, entry) / 2);
    return (this.#regret.get(choice) ?? 0) >= limit;
  }

  #take(prediction: Prediction, reason: 'first' | 'better'): Chosen {
    this.#current = prediction.choice;
    this.#regret.clear();
    return { prediction, reason };
  }

  /** What the last trial cost, beyond what it was expected to; ms. */
  settle(surplus: number): void {
    this.#probes.settle(surplus);
  }

  /** What promises most, if that may well be better than what is in use and a trial can be afforded. */
  #probe(predictions: readonly Prediction[], current: Prediction, hope: Hope): Prediction | undefined {
    const hopeful = predictions
      .filter((p) => p !== current && p.cost > current.cost)
      .map((prediction) => ({ prediction, hoped: hope(prediction, current) }))
      .filter(({ hoped }) => hoped < (1 - WORTH_A_TRIAL) * current.cost);
    if (hopeful.length === 0) return undefined;
    const { prediction } = hopeful.reduce((a, b) => (b.hoped < a.hoped ? b : a));
    // Going there and coming back each begin with a frame that stands alone.
    const extra = prediction.cost - current.cost + prediction.entry + current.entry;
    return this.#probes.spend(extra) ? prediction : undefined;
  }
}
