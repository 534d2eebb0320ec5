import type { Shown, Snapshot } from './live-types.js';

/** Pictures and answers that wait for each other. */
const WAITING = 4;
/** A picture or an answer that found no partner in this time is shown alone, ms. */
const PATIENCE_MS = 1500;

/**
 * Brings a frame's picture and its boxes together, whichever comes first: boxes are never drawn on another frame's
 * picture.
 */
export class LivePictures {
  readonly #pictures = new Map<string, { snapshot: Snapshot; at: number }>();
  readonly #answers = new Map<string, { shown: Shown; at: number }>();
  #shown: { shown: Shown; at: number } | undefined;

  /** Of all pictures kept. */
  get bytes(): number {
    let sum = this.#shown?.shown.snapshot?.data.length ?? 0;
    for (const { snapshot } of this.#pictures.values()) sum += snapshot.data.length;
    return sum;
  }

  picture(snapshot: Snapshot, at: number): void {
    const id = key(snapshot);
    const answer = this.#answers.get(id);
    if (answer) this.#show({ ...answer.shown, snapshot }, at);
    else keep(this.#pictures, id, { snapshot, at });
  }

  answer(shown: Shown, at: number): void {
    const id = key(shown);
    const picture = this.#pictures.get(id);
    if (picture) this.#show({ ...shown, snapshot: picture.snapshot }, at);
    else keep(this.#answers, id, { shown, at });
  }

  /** The newest pair; without one for a while, the newest answer or picture alone. */
  shown(now: number): Shown | undefined {
    const pair = this.#shown;
    if (pair && now - pair.at < PATIENCE_MS) return pair.shown;
    const answer = last(this.#answers);
    const picture = last(this.#pictures);
    const since = pair?.at ?? Number.NEGATIVE_INFINITY;
    if (answer && answer.at > since && (!pair || now - pair.at >= PATIENCE_MS)) return answer.shown;
    if (picture && picture.at > since && now - picture.at >= PATIENCE_MS) {
      const { session, frame, width, height } = picture.snapshot;
      return { session, frame, width, height, detections: [], snapshot: picture.snapshot, answered: false };
    }
    return pair?.shown;
  }

  drop(): void {
    this.#pictures.clear();
    if (this.#shown) this.#shown = { at: this.#shown.at, shown: { ...this.#shown.shown, snapshot: undefined } };
  }

  /** What waits and is older than this pair has lost its chance. */
  #show(shown: Shown, at: number): void {
    this.#shown = { shown, at };
    const before = (other: { session: number; frame: number }): boolean =>
      other.session !== shown.session || other.frame <= shown.frame;
    for (const [id, { snapshot }] of this.#pictures) if (before(snapshot)) this.#pictures.delete(id);
    for (const [id, answer] of this.#answers) if (before(answer.shown)) this.#answers.delete(id);
  }
}

function keep<T>(map: Map<string, T>, id: string, value: T): void {
  map.delete(id);
  map.set(id, value);
  if (map.size > WAITING) map.delete(map.keys().next().value as string);
}

const last = <T>(map: ReadonlyMap<string, T>): T | undefined => [...map.values()].at(-1);
const key = (of: { session: number; frame: number }): string => `${of.session}/${of.frame}`;
