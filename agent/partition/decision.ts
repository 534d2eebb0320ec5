import type { Choice } from './choices.js';
import type { Prediction, Predictor } from './predictor.js';

/** Another choice must promise to be so much faster before it is taken: no flutter between equals. */
const ADVANTAGE = 0.05;

/** Equation 14: the choice of least expected latency. */
export class Decision {
  #current: Choice | undefined;

  /** @param choices at least one */
  constructor(
    readonly choices: readonly Choice[],
    readonly predictor: Predictor,
  ) {
    if (choices.length === 0) throw new RangeError('nothing to choose from');
  }

  /** The choice for the next frame. */
  choose(): Choice {
    if (this.choices.length === 1) return this.choices[0];
    const predictions = this.explain();
    const best = predictions.reduce((a, b) => (b.total < a.total ? b : a));
    const current = predictions.find(({ choice }) => choice === this.#current);
    if (!current || best.total < current.total * (1 - ADVANTAGE)) this.#current = best.choice;
    return this.#current as Choice;
  }

  /** What every choice is expected to cost now. */
  explain(): Prediction[] {
    return this.choices.map((choice) => this.predictor.predict(choice));
  }
}
