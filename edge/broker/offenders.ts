/** What is forgiven at once, and what is forgotten each second. */
const FORGIVEN = 100;
const FORGOTTEN_PER_S = 1;
/** How long someone who went too far stays out, ms. */
const OUT_MS = 60_000;
/** So many are remembered; then the one that was quiet for longest is forgotten. */
const MOST = 10_000;

interface Offender {
  offences: number;
  at: number;
  outUntil: number;
}

/**
 * Who breaks rules again and again: by identity, or by address where there is none, so that connecting again does not
 * help.
 */
export class Offenders {
  readonly #offenders = new Map<string, Offender>();

  /** @returns how many offences count against them; beyond {@link FORGIVEN} they should go */
  offended(who: string, now: number): 'first' | 'again' | 'too often' {
    const { offences, at, outUntil } = this.#offenders.get(who) ?? { offences: 0, at: now, outUntil: 0 };
    const left = Math.max(0, offences - ((now - at) / 1000) * FORGOTTEN_PER_S) + 1;
    this.#note(who, { offences: left, at: now, outUntil });
    return left > FORGIVEN ? 'too often' : left === 1 ? 'first' : 'again';
  }

  lockOut(who: string, now: number): void {
    this.#note(who, { offences: 0, at: now, outUntil: now + OUT_MS });
  }

  isOut(who: string, now: number): boolean {
    return (this.#offenders.get(who)?.outUntil ?? 0) > now;
  }

  #note(who: string, offender: Offender): void {
    this.#offenders.delete(who);
    this.#offenders.set(who, offender);
    if (this.#offenders.size <= MOST) return;
    const [oldest] = this.#offenders.keys();
    this.#offenders.delete(oldest as string);
  }
}
