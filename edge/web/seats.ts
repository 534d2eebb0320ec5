import { Seldom } from '../../platform/log/seldom.js';
import type { Log } from '../../platform/log.js';

/** Why the edge ended a stream. */
const reasons = {
  user: 'You have too many of these open; the oldest was ended.',
  room: 'Others need the room, and you have the most of these open; the oldest was ended.',
  slow: 'It was not read.',
  stopping: 'The edge is stopping.',
} as const;
export type EndReason = keyof typeof reasons;

export interface SeatLimits {
  /** Streams in all, and of one user. A page open on one screen has two. */
  all: number;
  user: number;
}

/** Half of the connections that the server takes, and more, are left to requests. */
export const SEATS: SeatLimits = { all: 120, user: 32 };

/** A stream's place, until it ends. */
export interface Seat {
  /** It is over. @param why the edge ended it without a word */
  leave(why?: 'slow'): void;
}

interface Taken {
  user: string;
  end(farewell: string): void;
}

/**
 * Places for open streams of all kinds. Nobody's forgotten tabs lock others out: beyond a user's own share the oldest of theirs
 * ends, and where there is no room at all the oldest of who has the most makes room for who has fewer.
 */
export class Seats {
  /** The oldest first. */
  readonly #taken = new Set<Taken>();
  readonly #ended: Record<EndReason, number> = { user: 0, room: 0, slow: 0, stopping: 0 };
  readonly #seldom = new Seldom();
  #refused = 0;

  constructor(
    readonly limits: SeatLimits = SEATS,
    readonly log?: Log,
  ) {}

  get open(): number {
    return this.#taken.size;
  }

  /** How many the edge has ended, by reason; and how many it did not let in. */
  get counts(): Readonly<Record<EndReason | 'refused', number>> {
    return { ...this.#ended, refused: this.#refused };
  }

  /**
   * @param end ends the stream with this as its last words
   * @returns undefined where there is no room, and nobody who has more than this user would
   */
  take(user: string, end: (farewell: string) => void): Seat | undefined {
    const own = this.#of(user);
    if (own.length >= this.limits.user) this.#end(own[0], 'user');
    else if (this.#taken.size >= this.limits.all) {
      const most = this.#most();
      if (most.length <= own.length + 1) {
        this.#refused++;
        return undefined;
      }
      this.#end(most[0], 'room');
    }
    const taken: Taken = { user, end };
    this.#taken.add(taken);
    return {
      leave: (why) => {
        if (this.#taken.delete(taken) && why !== undefined) this.#count(why, user);
      },
    };
  }

  /** Ends all of them. */
  close(): void {
    for (const taken of [...this.#taken]) this.#end(taken, 'stopping');
  }

  #of(user: string): Taken[] {
    return [...this.#taken].filter((taken) => taken.user === user);
  }

  /** Those of the user who has the most. */
  #most(): Taken[] {
    const users = new Set([...this.#taken].map(({ user }) => user));
    const all = [...users].map((user) => this.#of(user));
    return all.reduce((most, own) => (own.length > most.length ? own : most), []);
  }

  #end(taken: Taken, why: EndReason): void {
    this.#taken.delete(taken);
    this.#count(why, taken.user);
    taken.end(`event: end\ndata: ${JSON.stringify({ code: why, message: reasons[why] })}\n\n`);
  }

  #count(why: EndReason, user: string): void {
    this.#ended[why]++;
    if (why !== 'stopping' && this.#seldom.now(`${why} ${user}`)) {
      this.log?.info('a stream of the page was ended', { user, why: reasons[why] });
    }
  }
}
