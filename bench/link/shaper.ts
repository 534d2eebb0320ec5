/** What a link carries now; both directions alike. */
export interface LinkState {
  /** Mbit/s (10^6 bits) in each direction; 0 stalls the link, Infinity is no limit. */
  mbps: number;
  /** One way, in milliseconds. */
  delayMs: number;
  /** Down: existing connections are cut, and new ones too as soon as they are made. */
  up: boolean;
}

/** About a packet. */
const PACKET = 1448;

interface Waiting {
  bytes: number;
  arrived: number;
  /** @param at when the last bit left, in milliseconds of performance.now() */
  release(at: number): void;
}

/**
 * One direction of a link, shared by all its connections: first come, first served, at so many bits a second. A token bucket
 * as deep as one piece: an idle link saves up nothing, a busy one loses nothing where a timer comes late.
 */
export class Shaper {
  readonly #waiting: Waiting[] = [];
  #mbps: number;
  /** When the last piece had left. */
  #free = 0;
  #timer?: NodeJS.Timeout;

  constructor(mbps: number) {
    this.#mbps = mbps;
  }

  /** Holds from the piece that is being sent: it starts anew. */
  set(mbps: number): void {
    this.#mbps = mbps;
    this.#free = performance.now();
    this.#serve();
  }

  /** Bytes to push at a time, so that connections share the link fairly: a packet, or what leaves in a millisecond. */
  get piece(): number {
    return Math.max(PACKET, Math.round(this.#mbps * 125));
  }

  /** Calls `release` once the link has carried what came before and these bytes too. */
  push(bytes: number, release: (at: number) => void): void {
    this.#waiting.push({ bytes, arrived: performance.now(), release });
    if (this.#waiting.length === 1) this.#serve();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#waiting.length = 0;
  }

  #serve(): void {
    clearTimeout(this.#timer);
    for (let head = this.#waiting[0]; head; head = this.#waiting[0]) {
      if (this.#mbps === 0) return;
      const done = Math.max(this.#free, head.arrived) + (head.bytes * 8) / (this.#mbps * 1000);
      const left = done - performance.now();
      if (left > 0) {
        this.#timer = setTimeout(() => this.#serve(), left);
        return;
      }
      this.#free = done;
      this.#waiting.shift();
      head.release(done);
    }
  }
}
