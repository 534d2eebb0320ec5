import type { Detection } from '../../../protocol/result.js';
import { type Backdrop, hall, openSite } from './backdrop.js';
import { type Behaviour, waiting, walking, working } from './behaviour.js';
import { ellipse, group, n } from './draw.js';
import { type Light, lightAt } from './light.js';
import { drawPerson, type Looks, randomHelmetColours, randomLooks } from './person.js';
import { Random } from './random.js';
import { excavator, foreground, forklift, smallThing, type Thing, truck } from './things.js';

export const SOURCE_WIDTH = 1280;
export const SOURCE_HEIGHT = 720;
/** Pixels that one metre covers at one metre's distance. */
const FOCAL = 1000;
/** Of a head, this much must be seen for it to be in the ground truth. */
const VISIBLE = 0.4;
/** Heads lower than this, in source pixels, are too small to tell; nobody is drawn that far away. */
const SMALLEST = 16;

type Box = [number, number, number, number];

interface Person {
  looks: Looks;
  behaviour: Behaviour;
}

interface Placed {
  thing: Thing;
  flip: boolean;
  at(seconds: number): { x: number; z: number };
}

/** A drawn frame: SVG in source pixels, the light to develop it with, and what is on it. */
export interface Frame {
  svg: string;
  light: Light;
  truth: Detection[];
}

/** One work site. Everything follows from the seed; any moment can be drawn without those before it. */
export class Scene {
  readonly #horizon: number;
  readonly #height: number;
  readonly #backdrop: Backdrop;
  readonly #people: Person[] = [];
  readonly #things: Placed[] = [];
  readonly #front: { svg: string; solid: Box[] };
  readonly #lightStart: number;
  readonly #sunLeft: boolean;
  readonly #inside: boolean;

  constructor(seed: number) {
    const random = new Random(seed, 0x5ce4e);
    this.#height = random.range(1.75, 2.9);
    this.#horizon = random.range(190, 320);
    this.#inside = random.chance(0.22);
    this.#lightStart = random.next();
    this.#sunLeft = random.chance(0.5);
    this.#backdrop = (this.#inside ? hall : openSite)(random, SOURCE_WIDTH, SOURCE_HEIGHT, this.#horizon);
    this.#placeThings(random);
    this.#placePeople(random);
    this.#front = foreground(random, SOURCE_WIDTH, SOURCE_HEIGHT);
  }

  /** The nearest a person may come so that the head stays on the picture, and the farthest so that it can be told. */
  get #depths(): [number, number] {
    const room = 560 - this.#horizon;
    const nearest = Math.max(FOCAL / 330, (FOCAL * (this.#height - 1.45)) / room);
    return [nearest, Math.max(nearest * 1.6, Math.min(13.5, (FOCAL * 0.26) / SMALLEST))];
  }

  #depth(random: Random): number {
    const [near, far] = this.#depths;
    return near * (far / near) ** (random.next() ** 0.85);
  }

  /** A point on the ground that is in view at this depth. */
  #across(random: Random, z: number, margin = 0.1): number {
    const half = (SOURCE_WIDTH / 2 / FOCAL) * z;
    return random.range(-half * (1 - margin), half * (1 - margin));
  }

  #placeThings(random: Random): void {
    const [near, far] = this.#depths;
    for (let i = random.int(0, 2); i > 0; i--) {
      const z = random.range(Math.max(8, near * 1.5), 16);
      const x = this.#across(random, z, -0.1);
      const flip = random.chance(0.5);
      const speed = random.range(0.5, 1.6);
      const span = random.range(6, 14);
      const phase = random.range(0, 60);
      const shift = (t: number): number => Math.sin(((t + phase) * speed) / span) * span;
      const kind = random.pick(['excavator', 'truck', 'truck', 'forklift'] as const);
      const moves = kind !== 'excavator' && random.chance(0.7);
      const rolls = moves ? (t: number): number => shift(t) * (flip ? -1 : 1) : () => 0;
      const thing =
        kind === 'excavator' ? excavator(random) : kind === 'truck' ? truck(random, rolls) : forklift(random, rolls);
      this.#things.push({ thing, flip, at: (t) => ({ x: moves ? x + shift(t) : x, z }) });
    }
    for (let i = random.int(2, 7); i > 0; i--) {
      const z = near * 1.35 * ((far * 1.1) / near) ** random.next();
      const x = this.#across(random, z, -0.05);
      this.#things.push({ thing: smallThing(random), flip: random.chance(0.5), at: () => ({ x, z }) });
    }
  }

  #placePeople(random: Random): void {
    const helmets = random.pick([0.25, 0.5, 0.6, 0.75, 0.9]);
    const favourites = randomHelmetColours(random);
    const add = (behaviour: Behaviour): void => {
      this.#people.push({ looks: randomLooks(random, helmets, favourites), behaviour });
    };
    const wanted = random.int(4, 11);
    while (this.#people.length < wanted) {
      const z = this.#depth(random);
      const x = this.#across(random, z);
      const kind = random.next();
      if (kind < 0.34) {
        const z2 = random.chance(0.55) ? z * random.range(0.92, 1.08) : this.#depth(random);
        const x2 = this.#across(random, z2, -0.15);
        const apart = Math.hypot(x2 - x, z2 - z);
        if (apart > 1.2) add(walking(random, [x, z], [x2, z2]));
      } else if (kind < 0.58) {
        // a group that talks
        const size = random.int(2, 4);
        for (let i = 0; i < size; i++) {
          const a = (i / size) * Math.PI * 2 + random.range(-0.4, 0.4);
          const px = x + Math.cos(a) * random.range(0.6, 0.95);
          const pz = Math.max(this.#depths[0], z + Math.sin(a) * random.range(0.3, 0.7));
          add(waiting(random, px, pz, Math.atan2(x - px, -(z - pz)) + random.range(-0.5, 0.5)));
        }
      } else if (kind < 0.8) {
        add(working(random, x, z, random.range(0, Math.PI * 2)));
      } else {
        add(waiting(random, x, z, random.range(-1.2, 1.2)));
      }
    }
  }

  /** The scene at a moment, in seconds from its start. */
  at(seconds: number): Frame {
    const light = lightAt(this.#lightStart, seconds);
    const drawn: { z: number; svg: string; solid: Box[]; head?: { box: Box; helmet: boolean } }[] = [];
    const shadow = this.#inside ? light.shadow * 0.6 : light.shadow;
    const sun = this.#sunLeft ? 1 : -1;

    for (const placed of this.#things) {
      const { x, z } = placed.at(seconds);
      const scale = FOCAL / z / 100;
      const px = SOURCE_WIDTH / 2 + (x * FOCAL) / z;
      const py = this.#horizon + (this.#height * FOCAL) / z;
      const half = placed.thing.half;
      const mirror = placed.flip ? -1 : 1;
      const shade = ellipse(
        px + sun * half * 0.12 * scale,
        py,
        half * 1.06 * scale,
        Math.max(4, half * 0.16) * scale,
        '#0b0f1c',
        `opacity="${n(shadow * 10)}e-1"`,
      );
      drawn.push({
        z: z + 0.01,
        svg:
          shade +
          group(
            `translate(${n(px)} ${n(py)}) scale(${(scale * mirror).toFixed(4)} ${scale.toFixed(4)})`,
            placed.thing.draw(seconds),
          ),
        solid: placed.thing.solid.map(([bx, by, w, h]) => [
          px + (mirror < 0 ? -(bx + w) : bx) * scale,
          py + by * scale,
          w * scale,
          h * scale,
        ]),
      });
    }

    for (const person of this.#people) {
      const moment = person.behaviour(seconds);
      const scale = FOCAL / moment.z / 100;
      const px = SOURCE_WIDTH / 2 + (moment.x * FOCAL) / moment.z;
      const py = this.#horizon + ((this.#height - moment.floor) * FOCAL) / moment.z;
      const detail = Math.min(1, scale * 0.6);
      const figure = drawPerson(person.looks, moment.pose, detail, 'shade');
      const shade =
        `<ellipse cx="${n(px + sun * 34 * scale)}" cy="${n(py)}" rx="${n(58 * scale)}" ry="${n(9 * scale)}" fill="#0b0f1c" opacity="${n(shadow * 10)}e-1"/>` +
        ellipse(px, py, 26 * scale, 6 * scale, '#0b0f1c', `opacity="${n(shadow * 10)}e-1"`);
      const toSource = ([x, y, w, h]: Box): Box => [px + x * scale, py + y * scale, w * scale, h * scale];
      drawn.push({
        z: moment.z,
        svg: shade + group(`translate(${n(px)} ${n(py)}) scale(${scale.toFixed(4)})`, figure.svg),
        solid: figure.solid.map(toSource),
        head: { box: toSource(figure.head), helmet: figure.helmet },
      });
    }

    drawn.sort((a, b) => b.z - a.z);
    const truth: Detection[] = [];
    drawn.forEach((item, at) => {
      if (!item.head) return;
      const hiders = drawn.slice(at + 1).flatMap((nearer) => nearer.solid);
      const box = visibleBox(item.head.box, hiders.concat(this.#front.solid));
      if (box)
        truth.push({ class: item.head.helmet ? 1 : 0, label: item.head.helmet ? 'helmet' : 'head', score: 1, box });
    });

    const [dark, clear] = this.#sunLeft ? ['1', '0'] : ['0', '1'];
    const svg =
      `<linearGradient id="shade" x1="${clear}" y1="0" x2="${dark}" y2="0.35"><stop offset="0.35" stop-color="#0b0f1c" stop-opacity="0"/><stop offset="1" stop-color="#0b0f1c" stop-opacity="${(0.16 + shadow * 0.55).toFixed(2)}"/></linearGradient>` +
      this.#backdrop.behind(seconds, light.skyTop, light.skyLow) +
      drawn.map((item) => item.svg).join('') +
      this.#front.svg;
    return { svg, light, truth };
  }
}

/** The part of a head's box on the picture, or null where too little of the head can be seen. */
function visibleBox([x, y, w, h]: Box, hiders: readonly Box[]): Box | null {
  const steps = 9;
  let inside = 0;
  let seen = 0;
  for (let i = 0; i < steps; i++) {
    for (let k = 0; k < steps; k++) {
      const u = ((i + 0.5) / steps) * 2 - 1;
      const v = ((k + 0.5) / steps) * 2 - 1;
      if (u * u + v * v > 1) continue;
      inside++;
      const px = x + ((u + 1) / 2) * w;
      const py = y + ((v + 1) / 2) * h;
      if (px < 0 || py < 0 || px >= SOURCE_WIDTH || py >= SOURCE_HEIGHT) continue;
      if (!hiders.some(([bx, by, bw, bh]) => px >= bx && px < bx + bw && py >= by && py < by + bh)) seen++;
    }
  }
  if (seen / inside < VISIBLE || h < SMALLEST) return null;
  const x0 = Math.max(0, x);
  const y0 = Math.max(0, y);
  const x1 = Math.min(SOURCE_WIDTH, x + w);
  const y1 = Math.min(SOURCE_HEIGHT, y + h);
  return [tenth(x0), tenth(y0), tenth(x1 - x0), tenth(y1 - y0)];
}

function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}
