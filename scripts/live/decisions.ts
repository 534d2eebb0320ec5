import type { Decision } from '../../protocol/decision.js';

/** Says why, where a decision takes another point or rate than the one before. */
export class DecisionNotes {
  #last?: Decision;

  /** @returns a line where the choice changed */
  next(decision: Decision): string | undefined {
    const before = this.#last;
    this.#last = decision;
    if (before?.partition === decision.partition && before.rate === decision.rate) return undefined;
    const from = before ? `${point(before)} -> ` : '';
    return `frame ${decision.frame}: ${from}${point(decision)}: ${decision.why}`;
  }
}

const point = ({ partition, rate }: Decision) => partition + (rate > 0 ? `/${rate}` : '');
