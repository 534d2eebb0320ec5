import type { Shown, Snapshot } from './live-types.js';

/** Pictures and answers that wait for each other. */
const WAITING = 4;
/** For so long a pair stands before what came alone, ms: a picture without boxes must not flicker between pairs. */
const PATIENCE_MS = 4000;

/**
 * Brings a frame's picture and its boxes together, whichever comes first: boxes are never drawn on another frame's
 * picture.
 */
export class LivePictures {
  readonly #pictures = new Map<string, { snapshot: Snapshot; at: number }>();
  readonly #answers = new Map<string, { shown: Shown; at: number }>();
  #shown: { shown: Shown; at: number } | undefined;

  /** @param paired hears of every pair */
  constructor(readonly paired: (shown: Shown) => void = () => {}) {}

  /** Of all pictures kept. */
  get bytes(): number {
    let sum = this.#shown?.shown.snapshot?.data.length ?? 0;
    for (const { snapshot } of this.#pictures.values()) sum += snapshot.data.length;
    return sum;
  }

  picture(snapshot: Snapshot, at: number): void {
    if (this.#isLate(snapshot)) return;
    const id = key(snapshot);
    const answer = this.#answers.get(id);
    if (answer) this.#show({ ...answer.shown, snapshot }, at);
    else keep(this.#pictures, id, { snapshot, at });
  }

  answer(shown: Shown, at: number): void {
    if (this.#isLate(shown)) return;
    const id = key(shown);
    const picture = this.#pictures.get(id);
    if (picture) this.#show({ ...shown, snapshot: picture.snapshot }, at);
    else keep(this.#answers, id, { shown, at });
  }

  /**
   * The newest pair. When none came for a while: the newest answer alone (a device that sends no pixels), else the
   * newest picture alone (nobody answers).
   */
  shown(now: number): Shown | undefined {
    const pair = this.#shown;
    const recent = (at: number): boolean => now - at < PATIENCE_MS;
    if (pair && recent(pair.at)) return pair.shown;
    const answer = last(this.#answers);
    if (answer && recent(answer.at)) return answer.shown;
    const picture = last(this.#pictures);
    if (picture) {
      const { session, frame, width, height } = picture.snapshot;
      return { session, frame, width, height, detections: [], snapshot: picture.snapshot, answered: false };
    }
    return answer?.shown ?? pair?.shown;
  }

  drop(): void {
    this.#pictures.clear();
    if (this.#shown) this.#shown = { at: this.#shown.at, shown: { ...this.#shown.shown, snapshot: undefined } };
  }

  /** Whether something newer of the same session is shown already. */
  #isLate({ session, frame }: { session: number; frame: number }): boolean {
    return this.#shown?.shown.session === session && frame <= this.#shown.shown.frame;
  }

  /** What waits and is older than this pair has lost its chance. */
  #show(shown: Shown, at: number): void {
    this.#shown = { shown, at };
    this.paired(shown);
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
