/** Lets the same event through once a minute: what happens with every frame must not fill the log. */
export class Seldom {
  readonly #said = new Map<string, number>();

  constructor(
    readonly everyMs = 60_000,
    readonly most = 64,
  ) {}

  /** Whether this should be said now. @param now performance.now() */
  now(key: string, now = performance.now()): boolean {
    if (now - (this.#said.get(key) ?? Number.NEGATIVE_INFINITY) < this.everyMs) return false;
    this.#said.delete(key);
    this.#said.set(key, now);
    if (this.#said.size > this.most) this.#said.delete(this.#said.keys().next().value as string);
    return true;
  }

  /** What comes next is news again. */
  clear(): void {
    this.#said.clear();
  }
}
