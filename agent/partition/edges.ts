import type { EdgeStatus } from '../../protocol/status.js';

/** So many frames without an answer in a row, and the edge counts as silent. */
const SILENT_AFTER = 3;
/**
 * How long until a silent edge is tried again, doubled each time up to the longest; and one that cannot help (none
 * announced, or it refuses); ms.
 */
const TRY_SILENT_MS = 2000;
const TRY_SILENT_LONGEST_MS = 16_000;
const TRY_USELESS_MS = 10_000;

/** Whether the next frame should go to an edge: yes; as a trial; no. */
export type EdgeAdvice = 'use' | 'try' | 'avoid';

/** Whether there is an edge that answers: learnt from announcements and from what came of frames. */
export class EdgeWatch {
  readonly #online = new Map<string, EdgeStatus>();
  readonly #announced: (() => void)[] = [];
  #unanswered = 0;
  #refused = false;
  #triedAt = Number.NEGATIVE_INFINITY;
  #tries = 0;

  /** Names of the edges that say they are there. */
  get online(): string[] {
    return [...this.#online.keys()];
  }

  /** What the edges that are there say of themselves. */
  get statuses(): EdgeStatus[] {
    return [...this.#online.values()];
  }

  /** What one of them says of itself. */
  status(worker: string): EdgeStatus | undefined {
    return this.#online.get(worker);
  }

  /** What they say of themselves, by name. */
  get byName(): ReadonlyMap<string, EdgeStatus> {
    return this.#online;
  }

  /** Name of the edge if exactly one says it is there. */
  get only(): string | undefined {
    const [name, second] = this.#online.keys();
    return second === undefined ? name : undefined;
  }

  /**
   * A status message. A new edge, or one with other bundles, is a reason to try again at once.
   * @returns whether it is news: an edge came or went, or has other bundles
   */
  announce(worker: string, status: EdgeStatus): boolean {
    const before = this.#online.get(worker);
    if (!status.online) return this.#online.delete(worker);
    this.#online.set(worker, status);
    const ids = (s: EdgeStatus | undefined) => JSON.stringify((s?.bundles ?? []).map(({ id }) => id));
    const isNews = !before || ids(before) !== ids(status);
    if (isNews) this.reconsider();
    for (const resolve of this.#announced.splice(0)) resolve();
    return isNews;
  }

  /** The connection is gone: what was announced is not known any more. */
  forget(): void {
    this.#online.clear();
  }

  /** Resolves when an edge is there, at the latest after `timeoutMs`. */
  async waitForOne(timeoutMs: number): Promise<boolean> {
    if (this.#online.size > 0) return true;
    await new Promise<void>((resolve) => {
      const announced = () => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#announced.splice(this.#announced.indexOf(announced), 1);
        resolve();
      }, timeoutMs).unref();
      this.#announced.push(announced);
    });
    return this.#online.size > 0;
  }

  /** A frame was answered with a result. */
  answered(): void {
    this.#unanswered = 0;
    this.#tries = 0;
    this.#refused = false;
  }

  /** A frame was not answered. */
  unanswered(): void {
    this.#unanswered++;
  }

  /** Frames are others from now on: what edges made of those before says nothing about them. */
  reconsider(): void {
    this.#refused = false;
    this.#unanswered = 0;
    this.#tries = 0;
  }

  /** A frame was refused for a reason that the next one will meet too. */
  refused(): void {
    this.#refused = true;
  }

  /** @param now performance.now() */
  advice(now: number): EdgeAdvice {
    const useless = this.#refused || this.#online.size === 0;
    if (!useless && this.#unanswered < SILENT_AFTER) return 'use';
    const silent = Math.min(TRY_SILENT_LONGEST_MS, TRY_SILENT_MS * 2 ** Math.max(0, this.#tries - 1));
    return now - this.#triedAt >= (useless ? TRY_USELESS_MS : silent) ? 'try' : 'avoid';
  }

  /** A trial was started. @param now performance.now() */
  tried(now: number): void {
    this.#triedAt = now;
    this.#tries++;
  }
}
