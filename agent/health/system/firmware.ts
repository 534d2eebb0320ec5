import { execFile } from 'node:child_process';

/** Each question costs a process, so it is asked seldom, ms. */
export const ASK_EVERY_MS = 60_000;
const ASK_TIMEOUT_MS = 5000;

/** Asks the firmware of a Raspberry Pi: `vcgencmd` and a word. Resolves to undefined where there is none, or it fails. */
export type AskFirmware = (question: string) => Promise<string | undefined>;

/** Without a shell. */
export const vcgencmd: AskFirmware = (question) =>
  new Promise((resolve) => {
    execFile('vcgencmd', [question], { timeout: ASK_TIMEOUT_MS }, (error, stdout) =>
      resolve(error ? undefined : stdout),
    );
  });

/** One answer that is asked for again and again, seldom, and remembered. */
export class Asked<T> {
  #latest: T | undefined;
  #askedAt = Number.NEGATIVE_INFINITY;
  #asking = false;

  /** @param read undefined where the answer says nothing */
  constructor(
    readonly ask: AskFirmware,
    readonly question: string,
    readonly read: (answer: string) => T | undefined,
  ) {}

  /** What is known; asks where that is old. Never throws. @param now performance.now() */
  latest(now: number): T | undefined {
    if (!this.#asking && now - this.#askedAt >= ASK_EVERY_MS) void this.#again(now);
    return this.#latest;
  }

  async #again(now: number): Promise<void> {
    this.#asking = true;
    this.#askedAt = now;
    try {
      this.#latest = this.read((await this.ask(this.question)) ?? '');
    } finally {
      this.#asking = false;
    }
  }
}
