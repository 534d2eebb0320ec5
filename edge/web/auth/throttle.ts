/** Failures that cost nothing, and the longest delay, ms. */
interface Patience {
  free: number;
  longest: number;
}

/** One address may be a whole office; but who guesses waits long. A name waits less, or anybody could lock anybody out. */
const ADDRESS: Patience = { free: 10, longest: 15 * 60_000 };
const NAME: Patience = { free: 5, longest: 30_000 };
/** Failures are forgotten after so long without one, ms. */
const FORGOTTEN_MS = 15 * 60_000;
/** So many are remembered; then the one that was quiet for longest is forgotten. */
const MOST = 10_000;

interface Failures {
  count: number;
  at: number;
  until: number;
}

/** Slows down who guesses passwords: by address and by name, each failure twice as long as the one before. */
export class Throttle {
  readonly #failures = new Map<string, Failures>();

  /** @returns milliseconds until this address may try this name again; 0: now */
  wait(address: string, name: string, now: number): number {
    const until = Math.max(...keys(address, name).map(([key]) => this.#failures.get(key)?.until ?? 0));
    return Math.max(0, until - now);
  }

  /** Noted before the password is checked, so that many at once do not slip through. */
  failed(address: string, name: string, now: number): void {
    for (const [key, { free, longest }] of keys(address, name)) {
      const { count, at } = this.#failures.get(key) ?? { count: 0, at: now };
      const all = (now - at > FORGOTTEN_MS ? 0 : count) + 1;
      const delay = all <= free ? 0 : Math.min(longest, 1000 * 2 ** Math.min(30, all - free - 1));
      this.#failures.delete(key);
      this.#failures.set(key, { count: all, at: now, until: now + delay });
      if (this.#failures.size > MOST) {
        const [oldest] = this.#failures.keys();
        this.#failures.delete(oldest as string);
      }
    }
  }

  /**
   * Takes back what `failed` noted before the password was checked. Other failures of the address stay, or one good account
   * would pay for guessing others.
   */
  succeeded(address: string, name: string): void {
    const [[addressKey], [nameKey]] = keys(address, name);
    this.#failures.delete(nameKey);
    const failures = this.#failures.get(addressKey);
    if (failures) this.#failures.set(addressKey, { ...failures, count: Math.max(0, failures.count - 1), until: 0 });
  }

  get size(): number {
    return this.#failures.size;
  }
}

const keys = (address: string, name: string): [[string, Patience], [string, Patience]] => [
  [`address ${address}`, ADDRESS],
  [`name ${name.slice(0, 64)}`, NAME],
];
