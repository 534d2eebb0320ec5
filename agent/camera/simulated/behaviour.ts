import type { Pose } from './person.js';
import type { Random } from './random.js';

/** Where a person is (metres on the ground: x right of the middle, z away from the camera) and what they do. */
export interface Moment {
  x: number;
  z: number;
  /** Height of what they stand on, in metres. */
  floor: number;
  pose: Pose;
}

/** Position and pose at any time in seconds: closed form, so that any frame can be drawn without those before it. */
export type Behaviour = (seconds: number) => Moment;

function standing(facing: number): Pose {
  return {
    facing,
    look: 0,
    lean: 0,
    tilt: 0,
    crouch: 0,
    feet: [
      { along: 0, lift: 0 },
      { along: 0, lift: 0 },
    ],
    hands: [
      { along: 3, out: 6, down: 54 },
      { along: 3, out: 6, down: 54 },
    ],
    holds: 'nothing',
  };
}

/** Turning the head now and then: two slow waves that do not repeat together. */
function glance(phase: number, t: number): { look: number; tilt: number } {
  return {
    look: 0.55 * Math.sin(t * 0.43 + phase) + 0.3 * Math.sin(t * 1.13 + phase * 2.7),
    tilt: 3 * Math.sin(t * 0.71 + phase * 1.9),
  };
}

/** To and fro between two points, with a pause to turn around at each end. */
export function walking(random: Random, from: [number, number], to: [number, number], floor = 0): Behaviour {
  const speed = random.range(0.7, 1.35);
  const phase = random.range(0, 100);
  const pause = random.range(1, 2.5);
  const length = Math.hypot(to[0] - from[0], to[1] - from[1]);
  const leg = length / speed;
  const holds = random.pick(['nothing', 'nothing', 'nothing', 'plank', 'box', 'barrow', 'radio', 'shovel'] as const);
  const heading = Math.atan2(to[0] - from[0], -(to[1] - from[1]));
  const stride = random.range(22, 30);
  const away = random.chance(0.5) ? 1 : -1;
  return (seconds) => {
    const t = (seconds + phase * 3) % (2 * (leg + pause));
    const back = t >= leg + pause;
    const local = back ? t - leg - pause : t;
    const moving = local < leg;
    const u = moving ? local / leg : 1;
    const at = back ? 1 - u : u;
    const turned = moving ? 0 : smooth((local - leg) / pause);
    const pose = standing(heading + (back ? Math.PI : 0) + away * Math.PI * turned);
    const step = (seconds * speed * 2.6 * Math.PI) / 1.5 + phase;
    const amount = moving ? Math.min(1, local * 3, (leg - local) * 3) : 0;
    const swing = Math.sin(step) * amount;
    pose.feet = [
      { along: stride * swing, lift: Math.max(0, Math.cos(step)) * 9 * amount },
      { along: -stride * swing, lift: Math.max(0, -Math.cos(step)) * 9 * amount },
    ];
    pose.holds = holds;
    const g = glance(phase, seconds);
    pose.look = g.look * 0.6;
    pose.tilt = g.tilt * 0.6;
    pose.lean = 3 * Math.sin(pose.facing) * amount;
    if (holds === 'nothing' || holds === 'radio') {
      pose.hands = [
        { along: -24 * swing + 4, out: 5, down: 50 },
        { along: 24 * swing + 4, out: 5, down: 50 },
      ];
      if (holds === 'radio') pose.hands[1] = { along: 14, out: -2, down: 2 };
    } else if (holds === 'barrow') {
      pose.hands = [
        { along: 24, out: 0, down: 44 },
        { along: 24, out: 0, down: 44 },
      ];
    } else if (holds === 'plank') {
      pose.hands = [
        { along: 18, out: -2, down: 6 },
        { along: 20, out: -2, down: 8 },
      ];
    } else {
      pose.hands = [
        { along: 26, out: -6, down: 30 },
        { along: 28, out: -6, down: 32 },
      ];
    }
    return { x: from[0] + (to[0] - from[0]) * at, z: from[1] + (to[1] - from[1]) * at, floor, pose };
  };
}

/** On one spot: talks, points, reads, looks around. */
export function waiting(random: Random, x: number, z: number, facing: number, floor = 0): Behaviour {
  const phase = random.range(0, 100);
  const kind = random.pick(['talk', 'talk', 'hips', 'tablet', 'crossed', 'point', 'radio'] as const);
  return (seconds) => {
    const pose = standing(facing + 0.25 * Math.sin(seconds * 0.21 + phase));
    const g = glance(phase, seconds);
    pose.look = g.look;
    pose.tilt = g.tilt;
    pose.lean = 1.5 * Math.sin(seconds * 0.5 + phase);
    const wave = Math.sin(seconds * 2.1 + phase) * Math.max(0, Math.sin(seconds * 0.37 + phase));
    if (kind === 'talk') {
      pose.hands[0] = { along: 20, out: 4 + 6 * wave, down: 32 - 14 * wave };
      pose.hands[1] = { along: 18, out: 4 - 5 * wave, down: 34 + 8 * wave };
    } else if (kind === 'hips') {
      pose.hands = [
        { along: 0, out: 4, down: 40 },
        { along: 0, out: 4, down: 40 },
      ];
    } else if (kind === 'tablet') {
      pose.hands = [
        { along: 26, out: -9, down: 28 },
        { along: 26, out: -9, down: 28 },
      ];
      pose.holds = 'tablet';
      pose.look *= 0.3;
      pose.tilt += 4 * Math.sin(pose.facing);
    } else if (kind === 'crossed') {
      pose.hands = [
        { along: 14, out: -24, down: 24 },
        { along: 14, out: -24, down: 27 },
      ];
    } else if (kind === 'point') {
      const up = smooth(Math.max(0, Math.sin(seconds * 0.5 + phase)));
      pose.hands[1] = { along: 20 + 26 * up, out: 8 + 26 * up, down: 50 - 56 * up };
    } else {
      pose.hands[1] = { along: 12, out: -6, down: -2 };
      pose.holds = 'radio';
    }
    return { x, z, floor, pose };
  };
}

/** On one spot, with a tool: digs, hammers, kneels over something. */
export function working(random: Random, x: number, z: number, facing: number, floor = 0): Behaviour {
  const phase = random.range(0, 100);
  const kind = random.pick(['shovel', 'hammer', 'squat', 'reach'] as const);
  const pace = random.range(1.4, 2.4);
  return (seconds) => {
    const pose = standing(facing);
    const g = glance(phase, seconds * 0.7);
    const side = Math.sin(facing) >= 0 ? 1 : -1;
    const beat = Math.sin(seconds * pace + phase);
    pose.look = g.look * 0.4;
    if (kind === 'shovel') {
      pose.lean = side * (22 + 14 * beat);
      pose.crouch = 0.15 + 0.1 * beat;
      pose.feet = [
        { along: -16, lift: 0 },
        { along: 16, lift: 0 },
      ];
      pose.hands = [
        { along: 14, out: 0, down: 30 },
        { along: 26, out: 0, down: 44 - 8 * beat },
      ];
      pose.holds = 'shovel';
    } else if (kind === 'hammer') {
      const hit = Math.max(-0.2, beat);
      pose.lean = side * (8 + 5 * hit);
      pose.hands = [
        { along: 28, out: 0, down: 26 },
        { along: 20 + 12 * (1 - hit), out: 4, down: 34 - 38 * hit },
      ];
      pose.holds = 'hammer';
    } else if (kind === 'squat') {
      pose.crouch = 0.8 + 0.1 * beat;
      pose.lean = side * (14 + 4 * beat);
      pose.hands = [
        { along: 34, out: -4, down: 38 + 5 * beat },
        { along: 36, out: -4, down: 40 - 5 * beat },
      ];
    } else {
      pose.lean = side * 3;
      pose.hands = [
        { along: 22, out: 2, down: -26 + 10 * beat },
        { along: 24, out: 2, down: -18 - 10 * beat },
      ];
      pose.tilt = -6 * side;
    }
    return { x, z, floor, pose };
  };
}

function smooth(t: number): number {
  const x = Math.max(0, Math.min(1, t));
  return x * x * (3 - 2 * x);
}
