import type { Socket } from 'node:net';
import type { Shaper } from './shaper.js';

/** Waiting to be sent, as in a router's buffer. */
const MOST_WAITING = 64 * 1024;
/** Waiting, under way and not yet taken by the other side: what 800 Mbit/s keep under way in 80 ms. */
const MOST_HELD = 8 * 1024 * 1024;

/**
 * One direction of one connection: from a socket through the shaper and a delay into another, every byte, in order. Where too
 * much is held the reading socket is paused: TCP tells its sender to wait, and nothing is dropped.
 */
export class Pipe {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #shaper: Shaper;
  readonly #delayMs: () => number;
  /** Under way: sent, and not there yet. `null` is the end of the stream. */
  readonly #underWay: { data: Buffer | null; due: number }[] = [];
  #waiting = 0;
  #held = 0;
  #lastDue = 0;
  #blocked = false;
  #timer?: NodeJS.Timeout;

  constructor(from: Socket, to: Socket, shaper: Shaper, delayMs: () => number) {
    this.#from = from;
    this.#to = to;
    this.#shaper = shaper;
    this.#delayMs = delayMs;
    from.on('data', (data: Buffer) => this.#read(data));
    from.on('end', () => this.#send(null));
    to.on('drain', () => {
      this.#blocked = false;
      this.#deliver();
    });
  }

  /** Forgets what is under way. */
  close(): void {
    clearTimeout(this.#timer);
    this.#underWay.length = 0;
  }

  #read(data: Buffer): void {
    this.#waiting += data.length;
    this.#held += data.length;
    const { piece } = this.#shaper;
    for (let at = 0; at < data.length; at += piece) this.#send(data.subarray(at, at + piece));
    if (this.#full()) this.#from.pause();
  }

  #send(data: Buffer | null): void {
    const bytes = data?.length ?? 0;
    this.#shaper.push(bytes, (at) => {
      if (this.#to.destroyed) return;
      this.#waiting -= bytes;
      // A delay that was made shorter must not let one piece pass another.
      this.#lastDue = Math.max(this.#lastDue, at + this.#delayMs());
      this.#underWay.push({ data, due: this.#lastDue });
      if (this.#underWay.length === 1) this.#deliver();
      this.#resume();
    });
  }

  #deliver(): void {
    clearTimeout(this.#timer);
    const now = performance.now();
    let arrived = 0;
    while (!this.#blocked && arrived < this.#underWay.length && this.#underWay[arrived].due <= now) {
      const { data } = this.#underWay[arrived++];
      if (data === null) this.#to.end();
      else {
        this.#held -= data.length;
        this.#blocked = !this.#to.write(data);
      }
    }
    this.#underWay.splice(0, arrived);
    const next = this.#underWay[0];
    if (next && !this.#blocked) this.#timer = setTimeout(() => this.#deliver(), next.due - now);
    this.#resume();
  }

  #full(): boolean {
    return this.#waiting > MOST_WAITING || this.#held > MOST_HELD;
  }

  #resume(): void {
    if (this.#from.isPaused() && !this.#full()) this.#from.resume();
  }
}
