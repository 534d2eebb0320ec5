/** Starts of one device that are remembered. */
const SESSIONS = 4;
/** Stretches of frames without a gap, of one start. */
const STRETCHES = 128;

/**
 * Which frames of a device were answered: what a device kept while the broker was away may come twice. Bounded; what is
 * forgotten first are the lowest numbers, whose answers have come for certain.
 */
export class SeenFrames {
  /** Stretches [first, last] in rising order, by session; the session heard of last is the last. */
  readonly #sessions = new Map<number, [first: number, last: number][]>();

  /** Notes a frame. @returns false if it was there already */
  add(session: number, frame: number): boolean {
    const stretches = this.#sessions.get(session) ?? [];
    this.#sessions.delete(session);
    this.#sessions.set(session, stretches);
    if (this.#sessions.size > SESSIONS) this.#sessions.delete(this.#sessions.keys().next().value as number);
    const below = stretches.findLastIndex(([first]) => first <= frame);
    if (below >= 0 && frame <= stretches[below][1]) return false;
    const [before, after] = [stretches[below], stretches[below + 1]];
    const follows = before?.[1] === frame - 1;
    const precedes = after?.[0] === frame + 1;
    if (follows && precedes) {
      before[1] = after[1];
      stretches.splice(below + 1, 1);
    } else if (follows) before[1] = frame;
    else if (precedes) after[0] = frame;
    else stretches.splice(below + 1, 0, [frame, frame]);
    if (stretches.length > STRETCHES) stretches.shift();
    return true;
  }
}
