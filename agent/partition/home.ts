import type { EdgeStatus } from '../../protocol/status.js';
import type { EdgeWatch } from './edges.js';

/** An edge that did not answer is not asked by name for so long, doubled each time up to the longest, ms. */
const AVOID_MS = 2000;
const AVOID_LONGEST_MS = 60_000;
/** An overloaded edge is left for one whose threads are busy for less than this share of the time ... */
const FREE_LOAD = 0.8;
/** ... by one device in so many each time: not by all of them at once. */
const ONE_IN = 4;

/** Where a frame goes. */
export interface Destination {
  /** The edge that it is sent to by name; undefined: the broker chooses one. */
  to?: string;
  /** The edge that will get it, where that is certain. */
  certain?: string;
}

/**
 * Which edge this device's frames go to while there are several. The first frame goes to whoever the broker chooses;
 * who answers it is the device's home from then on: it has what later frames are predicted from. The device leaves its
 * home when that is gone, does not answer, or is overloaded while another is not.
 */
export class Home {
  #home: string | undefined;
  readonly #avoided = new Map<string, { until: number; ms: number }>();

  /**
   * @param shares whether the broker gives each frame to one edge: MQTT 5. Before that it gives it to all of them, and
   *   the device has to choose
   * @param clock ms
   * @param random 0 to 1
   */
  constructor(
    readonly edges: EdgeWatch,
    readonly device: string,
    readonly shares: () => boolean,
    readonly clock: () => number = () => performance.now(),
    readonly random: () => number = Math.random,
  ) {}

  /** Where the next frame goes. */
  next(): Destination {
    const { only } = this.edges;
    if (only !== undefined) return { certain: only };
    if (this.#home !== undefined && !this.#canTake(this.#home)) this.#home = undefined;
    if (this.#home === undefined && !this.shares()) this.#home = this.#choose();
    return this.#home === undefined ? {} : { to: this.#home, certain: this.#home };
  }

  /** What the edges that may get the next frame say of themselves. */
  get statuses(): EdgeStatus[] {
    const { certain } = this.next();
    const status = certain === undefined ? undefined : this.edges.status(certain);
    return status ? [status] : this.edges.statuses;
  }

  /** A frame was answered with a result. */
  answered(worker: string): void {
    this.#avoided.delete(worker);
    if (this.#home === undefined && this.#canTake(worker)) this.#home = worker;
  }

  /** A frame that was sent to an edge by name was not answered: it hangs, or the broker does not let such frames through. */
  unanswered(worker: string): void {
    const ms = Math.min(AVOID_LONGEST_MS, 2 * (this.#avoided.get(worker)?.ms ?? AVOID_MS / 2));
    this.#avoid(worker, ms);
  }

  /** An edge has more to do than it can. */
  overloaded(worker: string): void {
    if (worker !== this.#home || this.random() * ONE_IN >= 1) return;
    const free = (name: string) => name !== worker && this.#canTake(name) && this.#load(name) < FREE_LOAD;
    if (this.edges.online.some(free)) this.#avoid(worker, AVOID_MS);
  }

  #avoid(worker: string, ms: number): void {
    this.#avoided.set(worker, { until: this.clock() + ms, ms });
    if (this.#home === worker) this.#home = undefined;
  }

  #canTake(worker: string): boolean {
    const avoided = this.#avoided.get(worker);
    return this.edges.status(worker)?.direct === true && (avoided === undefined || this.clock() >= avoided.until);
  }

  #load(worker: string): number {
    return this.edges.status(worker)?.load ?? 1;
  }

  /** Each device another one, and the same one as long as it is there: the highest hash of both names. */
  #choose(): string | undefined {
    let best: string | undefined;
    let highest = -1;
    for (const worker of this.edges.online) {
      const hash = fnv1a(`${this.device} ${worker}`);
      if (hash <= highest || !this.#canTake(worker)) continue;
      best = worker;
      highest = hash;
    }
    return best;
  }
}

/** FNV-1a with a last mixing, so that names which differ in their last letter alone are far apart. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
