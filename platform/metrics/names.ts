/** The rest of what is too much for labels of its own. */
export const OTHER = 'other';

/** Values of one label, bounded: names come from outside, and every new one would be a time series for good. */
export class Names {
  readonly #known = new Set<string>();

  /** @param most different names; at least 1 */
  constructor(readonly most: number) {}

  /** @returns the name itself, or `other` for one too many */
  of(name: string): string {
    if (this.#known.has(name)) return name;
    if (this.#known.size >= this.most) return OTHER;
    this.#known.add(name);
    return name;
  }
}

/** Sums by name, those too many together as `other`. */
export function summed(names: Names, counts: Iterable<readonly [name: string, count: number]>): Map<string, number> {
  const sums = new Map<string, number>();
  for (const [name, count] of counts) {
    const key = names.of(name);
    sums.set(key, (sums.get(key) ?? 0) + count);
  }
  return sums;
}
