import { Random } from '../../agent/camera/simulated/random.js';
import type { Choice } from '../../agent/partition/choices.js';
import { type LinkTrace, normal } from './trace.js';

/** How fast one side is, and how that changes over virtual time (ms). */
export interface Side {
  /** FLOP a second. */
  flops: number;
  /** Times slower than that. */
  slowdown: (ms: number) => number;
}

/** Everything that happens to an agent, decided by a seed alone. */
export interface Scenario {
  name: string;
  /** Whether device, edge and link stay as they are. */
  steady: boolean;
  seconds: number;
  fps: number;
  seed: number;
  link: LinkTrace;
  device: Side;
  edge: Side & {
    /** Waiting for a free tail, ms. */
    queue: (ms: number) => number;
    /** Whether it answers at all. */
    answers: (ms: number) => boolean;
  };
}

/** Fixed time of each head (threads, entropy coding) and each tail, ms. */
const HEAD_MS = 2;
const TAIL_MS = 3;

export { ANSWER_BYTES } from '../link/answer.js';

/** Spreads of the logarithm: of one frame's computing, of its size, of the link's delay. */
const COMPUTING = 0.05;
const SIZE = 0.12;
const DELAY = 0.15;
/** Predicted frames are so much of what they would be alone; frames that stand alone come so often at least, ms. */
const CHANGE = 0.25;
export const KEY_INTERVAL_MS = 10_000;

/** What befalls one frame whatever is chosen for it: the same luck for every policy. */
interface Luck {
  device: number;
  edge: number;
  size: number;
  delay: number;
}

/** Draws of every frame, and what choices cost in this scenario. */
export class World {
  readonly #luck: Luck[];

  constructor(readonly scenario: Scenario) {
    const random = new Random(scenario.seed, 77);
    const log = (spread: number) => Math.exp(spread * normal(random));
    this.#luck = Array.from({ length: this.frames }, () => ({
      device: log(COMPUTING),
      edge: log(COMPUTING),
      size: log(SIZE),
      delay: log(DELAY) * (random.chance(0.01) ? random.range(2, 6) : 1),
    }));
  }

  get frames(): number {
    return Math.floor(this.scenario.seconds * this.scenario.fps);
  }

  /** When frame `i` is taken, ms. */
  takenAt(i: number): number {
    return (i * 1000) / this.scenario.fps;
  }

  /** Computing on the device for a frame that starts at `now`, ms. */
  deviceMs(choice: Choice, i: number, now: number): number {
    const { device } = this.scenario;
    return this.profiledDeviceMs(choice) * device.slowdown(now) * this.#luck[i].device;
  }

  profiledDeviceMs(choice: Choice): number {
    return HEAD_MS + (choice.deviceFlops / this.scenario.device.flops) * 1000;
  }

  /** Computing at the edge, ms. */
  edgeMs(choice: Choice, i: number, now: number): number {
    return this.profiledEdgeMs(choice) * this.scenario.edge.slowdown(now) * this.#luck[i].edge;
  }

  profiledEdgeMs(choice: Choice): number {
    return TAIL_MS + (choice.edgeFlops / this.scenario.edge.flops) * 1000;
  }

  bytes(choice: Choice, i: number, key: boolean): number {
    return choice.bytes * this.#luck[i].size * (key || choice.id === 'raw' ? 1 : CHANGE);
  }

  /** Delay of the link both ways, ms. */
  delayMs(i: number, now: number): number {
    return this.scenario.link.at(now).rttMs * this.#luck[i].delay;
  }
}
