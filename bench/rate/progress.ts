/** What is done of all that is to do, and how long the rest will take, on standard error. */
export class Progress {
  readonly #total: number;
  readonly #write: (text: string) => void;
  readonly #live: boolean;
  #done = 0;
  #spent = 0;
  #timed = 0;
  #at = performance.now();

  /** @param total pictures over all methods */
  constructor(total: number, stream: { write(text: string): unknown; isTTY?: boolean } = process.stderr) {
    this.#total = total;
    this.#write = (text) => stream.write(text);
    this.#live = stream.isTTY === true;
  }

  /** Time before this moment does not count. */
  begin(): void {
    this.#at = performance.now();
  }

  /** One picture more. */
  step(what: string): void {
    const now = performance.now();
    this.#spent += now - this.#at;
    this.#at = now;
    this.#timed++;
    this.#done++;
    if (this.#live) this.#write(`\r${this.#line(what)}\x1b[K`);
  }

  /** A method's row is there. @param skipped pictures that the cache had */
  row(what: string, result: string, skipped = 0): void {
    this.#done += skipped;
    this.#write(`${this.#live ? '\r\x1b[K' : ''}${this.#line(what)}: ${result}${skipped > 0 ? ' (kept)' : ''}\n`);
  }

  #line(what: string): string {
    const share = Math.floor((100 * this.#done) / this.#total);
    if (this.#timed === 0 || this.#done >= this.#total) return `${share}% ${what}`;
    const left = Math.round(((this.#total - this.#done) * this.#spent) / this.#timed / 1000);
    const text = left < 90 ? `${left} s` : `${Math.round(left / 60)} min`;
    return `${share}%, ${text} left, ${what}`;
  }
}
