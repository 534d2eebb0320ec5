import { blend, type Colour, darker, ellipse, hex, lighter, limb, n, path, polygon, rect } from './draw.js';
import type { Random } from './random.js';

/** What stands behind the people: drawn once per scene but for the sky and the crane. All in source pixels. */
export interface Backdrop {
  /** Behind everything, at a moment under these sky colours. */
  behind(seconds: number, skyTop: Colour, skyLow: Colour): string;
}

const WALLS = ['#c9c2b4', '#b8a895', '#d6d0c4', '#a9b0b5', '#c7b299', '#9fa7a4', '#bfae8e'];
const NETS = ['#3f8f5f', '#2f7fa8', '#4a9a6a', '#5a7f9a'];
const GROUNDS = ['#b59c74', '#a98f6b', '#9a8d7a', '#a8a295', '#b3895d', '#8f8878', '#c2ad86'];

export function openSite(random: Random, width: number, height: number, horizon: number): Backdrop {
  const fixed = [hills(random, width, horizon)];
  const count = random.int(2, 4);
  const edges = Array.from({ length: count }, (_, i) => (width * (i + random.range(-0.2, 0.35))) / count);
  for (const x of edges) {
    const w = random.range(160, 380);
    const h = random.range(90, horizon * 0.95);
    fixed.push(random.chance(0.55) ? skeleton(random, x, horizon + 6, w, h) : block(random, x, horizon + 6, w, h));
  }
  const crane = random.chance(0.8) ? towerCrane(random, random.range(width * 0.12, width * 0.88), horizon) : () => '';
  if (random.chance(0.5)) fixed.push(trees(random, width, horizon));
  if (random.chance(0.75)) fixed.push(fence(random, width, horizon));
  if (random.chance(0.6)) fixed.push(huts(random, random.range(-50, width - 250), horizon));
  const ground = groundPlane(random, width, height, horizon);
  const clouds = Array.from({ length: random.int(2, 6) }, () => ({
    x: random.range(0, width),
    y: random.range(10, horizon * 0.6),
    size: random.range(0.5, 1.5),
    speed: random.range(3, 9),
  }));
  const still = fixed.join('') + ground;
  return {
    behind(seconds, skyTop, skyLow) {
      const sky =
        `<linearGradient id="sky" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="${hex(skyTop)}"/><stop offset="1" stop-color="${hex(skyLow)}"/></linearGradient>` +
        rect(0, 0, width, horizon + 10, 'url(#sky)');
      const drift = clouds
        .map((cloud) => {
          const x = ((cloud.x + cloud.speed * seconds + 200) % (width + 400)) - 200;
          return `<g transform="translate(${n(x)} ${n(cloud.y)}) scale(${cloud.size.toFixed(2)})" fill="${hex(skyLow)}" opacity="0.75"><ellipse rx="80" ry="14"/><ellipse cx="-26" cy="-10" rx="34" ry="15"/><ellipse cx="22" cy="-14" rx="42" ry="20"/></g>`;
        })
        .join('');
      return sky + drift + crane(seconds) + still;
    },
  };
}

/** Inside: a factory hall, or a shell under construction. */
export function hall(random: Random, width: number, height: number, horizon: number): Backdrop {
  const wall = random.pick(['#8d9499', '#a39a8c', '#7d8a86', '#b0aaa0', '#6f7780']);
  const parts: string[] = [];
  const base = horizon + 26;
  parts.push(rect(0, 0, width, base + 6, wall));
  const bays = random.int(4, 7);
  const bay = width / bays;
  const panes = random.chance(0.7);
  const low = random.range(base * 0.3, base * 0.5);
  for (let i = 0; i < bays; i++) {
    const x = i * bay;
    if (panes) {
      parts.push(rect(x + bay * 0.16, base * 0.12, bay * 0.68, low, '#dfeaf2'));
      for (let k = 1; k < 4; k++)
        parts.push(rect(x + bay * 0.16 + (bay * 0.68 * k) / 4, base * 0.12, 3, low, darker(wall, 0.3)));
      parts.push(rect(x + bay * 0.16, base * 0.12 + low / 2, bay * 0.68, 3, darker(wall, 0.3)));
    }
    parts.push(rect(x - 9, 0, 18, base, darker(wall, 0.28)), rect(x - 9, 0, 5, base, lighter(wall, 0.08)));
  }
  const beam = random.pick(['#c9952b', '#a33a2f', '#4a6278', '#d1a53a']);
  parts.push(rect(0, base * 0.04, width, 16, beam), rect(0, base * 0.04 + 12, width, 4, darker(beam, 0.35)));
  for (let i = 0; i < random.int(3, 6); i++) {
    const x = random.range(-20, width - 60);
    const w = random.range(50, 170);
    const h = random.range(40, 120);
    const colour = random.pick(['#3f6a8a', '#6d747a', '#b0762d', '#4f7a55', '#8a4038', '#d0c8b6']);
    parts.push(rect(x, base - h, w, h, colour), rect(x, base - h, w, 6, lighter(colour, 0.2)));
    parts.push(rect(x + w * 0.15, base - h * 0.7, w * 0.3, h * 0.3, darker(colour, 0.35)));
    if (random.chance(0.5))
      parts.push(ellipse(x + w * 0.75, base - h * 0.6, 5, 5, random.pick(['#e34b3b', '#57c46a', '#f1c232'])));
  }
  const still =
    parts.join('') +
    groundPlane(random, width, height, base, random.pick(['#8b8a86', '#9a958b', '#77797a', '#a5a199']));
  return {
    behind(_seconds, skyTop, skyLow) {
      // daylight through the windows takes the sky's colour
      const tone = blend(hex(skyTop), hex(skyLow), 0.7);
      return `${still}<rect width="${width}" height="${n(base)}" fill="${tone}" opacity="0.12"/>`;
    },
  };
}

function hills(random: Random, width: number, horizon: number): string {
  const colour = random.pick(['#8fa3a0', '#9aa88c', '#a3a9b5', '#8c9a80', '#b3ab98']);
  let d = `M0 ${n(horizon + 8)}`;
  for (let x = 0; x <= width; x += width / 8) d += `L${n(x)} ${n(horizon - random.range(12, 80))}`;
  return path(`${d}L${width} ${n(horizon + 8)}Z`, colour, 'opacity="0.8"');
}

/** A concrete frame with floors, columns, bars on top, and scaffolding on its face. */
function skeleton(random: Random, x: number, base: number, w: number, h: number): string {
  const concrete = random.pick(WALLS);
  const floors = Math.max(2, Math.round(h / random.range(46, 64)));
  const step = h / floors;
  const columns = Math.max(3, Math.round(w / 62));
  const gap = w / (columns - 1);
  const parts = [rect(x, base - h, w, h, darker(concrete, 0.55))];
  for (let f = 0; f < floors; f++) {
    for (let c = 0; c < columns - 1; c++) {
      if (random.chance(0.25))
        parts.push(
          rect(x + c * gap, base - (f + 1) * step, gap, step, blend(concrete, '#a8583e', random.range(0, 0.5))),
        );
    }
  }
  for (let f = 0; f <= floors; f++)
    parts.push(
      rect(x - 5, base - f * step - 5, w + 10, 8, concrete),
      rect(x - 5, base - f * step + 1, w + 10, 2.5, darker(concrete, 0.3)),
    );
  for (let c = 0; c < columns; c++)
    parts.push(
      rect(x + c * gap - 4, base - h - 4, 8, h, lighter(concrete, 0.05)),
      rect(x + c * gap + 1, base - h - 4, 3, h, darker(concrete, 0.2)),
    );
  let bars = '';
  for (let b = 0; b < w; b += 9) bars += `M${n(x + b)} ${n(base - h)}v${n(-random.range(8, 20))}`;
  parts.push(path(bars, 'none', 'stroke="#8a4b33" stroke-width="1.6"'));
  if (random.chance(0.75))
    parts.push(
      scaffold(random, x + random.range(-14, 10), base, w * random.range(0.5, 1), h * random.range(0.6, 1.02)),
    );
  return parts.join('');
}

function scaffold(random: Random, x: number, base: number, w: number, h: number): string {
  const tube = random.pick(['#c9a227', '#a9afb5', '#8f7f4a', '#d0732f']);
  const lifts = Math.max(2, Math.round(h / 44));
  const bays = Math.max(2, Math.round(w / 52));
  let net = '';
  if (random.chance(0.4)) net = rect(x, base - h, w, h * random.range(0.3, 0.8), random.pick(NETS), 'opacity="0.55"');
  let lines = '';
  for (let b = 0; b <= bays; b++) lines += `M${n(x + (b * w) / bays)} ${n(base)}V${n(base - h - 12)}`;
  for (let l = 1; l <= lifts; l++)
    lines += `M${n(x)} ${n(base - (l * h) / lifts)}h${n(w)}M${n(x)} ${n(base - (l * h) / lifts - 16)}h${n(w)}`;
  for (let b = 0; b < bays; b++)
    lines += `M${n(x + (b * w) / bays)} ${n(base)}L${n(x + ((b + 1) * w) / bays)} ${n(base - h / lifts)}`;
  let decks = '';
  for (let l = 1; l <= lifts; l++) decks += rect(x - 2, base - (l * h) / lifts - 2, w + 4, 4, '#b98d55');
  return net + path(lines, 'none', `stroke="${tube}" stroke-width="2.4"`) + decks;
}

function block(random: Random, x: number, base: number, w: number, h: number): string {
  const wall = random.pick(WALLS);
  const parts = [
    rect(x, base - h, w, h, wall),
    rect(x + w * 0.78, base - h, w * 0.22, h, darker(wall, 0.18)),
    rect(x - 4, base - h - 6, w + 8, 8, darker(wall, 0.3)),
  ];
  const cols = Math.max(3, Math.round(w / 36));
  const rows = Math.max(2, Math.round(h / 40));
  const glass = random.pick(['#5f7c93', '#4c5f70', '#7f9aae', '#3d4b59']);
  let panes = '';
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < cols; c++)
      panes += `M${n(x + ((c + 0.22) * w) / cols)} ${n(base - h + ((r + 0.25) * h) / rows)}h${n((0.52 * w) / cols)}v${n((0.5 * h) / rows)}h${n((-0.52 * w) / cols)}z`;
  parts.push(path(panes, glass));
  return parts.join('');
}

function towerCrane(random: Random, x: number, horizon: number): (seconds: number) => string {
  const colour = random.pick(['#e8b321', '#d94b35', '#e9e4d8', '#3f6fb0', '#e07d22']);
  const top = random.range(14, horizon * 0.35);
  const phase = random.range(0, 10);
  const span = random.range(260, 420);
  const mast = 9;
  let lattice = '';
  for (let y = top; y < horizon; y += 16)
    lattice += `M${n(x - mast)} ${n(y)}L${n(x + mast)} ${n(y + 16)}M${n(x + mast)} ${n(y)}L${n(x - mast)} ${n(y + 16)}`;
  const tower =
    path(
      `M${n(x - mast)} ${n(top)}V${n(horizon + 6)}M${n(x + mast)} ${n(top)}V${n(horizon + 6)}`,
      'none',
      `stroke="${colour}" stroke-width="3"`,
    ) + path(lattice, 'none', `stroke="${colour}" stroke-width="1.3"`);
  return (seconds) => {
    // a jib that slews looks shorter and longer from the ground
    const slew = Math.cos(seconds * 0.07 + phase);
    const reach = span * (Math.abs(slew) < 0.12 ? 0.12 * Math.sign(slew || 1) : slew);
    const tip = x + reach;
    const tail = x - reach * 0.32;
    const y = top + 4;
    let bars = '';
    for (let i = 0; i < 12; i++)
      bars += `M${n(x + (reach * i) / 12)} ${n(y)}L${n(x + (reach * (i + 0.5)) / 12)} ${n(y - 9)}L${n(x + (reach * (i + 1)) / 12)} ${n(y)}`;
    const trolley = x + reach * (0.55 + 0.3 * Math.sin(seconds * 0.11 + phase * 2));
    const hook = y + (horizon - y) * (0.45 + 0.25 * Math.sin(seconds * 0.17 + phase));
    return (
      tower +
      path(
        `M${n(tail)} ${n(y)}L${n(tip)} ${n(y)}M${n(x)} ${n(y - 9)}L${n(tip)} ${n(y - 4)}M${n(x)} ${n(y - 24)}L${n(x + reach * 0.7)} ${n(y - 6)}M${n(x)} ${n(y - 24)}L${n(tail)} ${n(y - 2)}M${n(x)} ${n(y)}V${n(y - 24)}`,
        'none',
        `stroke="${colour}" stroke-width="2.2"`,
      ) +
      path(bars, 'none', `stroke="${colour}" stroke-width="1.2"`) +
      rect(Math.min(tail, x - reach * 0.2), y, Math.abs(reach * 0.12), 14, '#6b6f73') +
      rect(x - 8, y + 2, 16, 15, lighter(colour, 0.3)) +
      limb(
        [
          [trolley, y],
          [trolley, hook],
        ],
        1.1,
        '#3d4247',
      ) +
      rect(trolley - 16, hook, 32, 7, '#9a6a44') +
      limb(
        [
          [trolley - 14, hook],
          [trolley, hook - 9],
          [trolley + 14, hook],
        ],
        1,
        '#3d4247',
      )
    );
  };
}

function trees(random: Random, width: number, horizon: number): string {
  let out = '';
  for (let i = 0; i < random.int(3, 9); i++) {
    const x = random.range(0, width);
    const h = random.range(26, 70);
    const green = random.pick(['#5d7d4a', '#6f8a4f', '#4a6b46', '#7f8f57']);
    out +=
      rect(x - 2, horizon - h * 0.4, 4, h * 0.45, '#6a5038') +
      ellipse(x, horizon - h * 0.6, h * 0.34, h * 0.42, green) +
      ellipse(x - h * 0.1, horizon - h * 0.7, h * 0.2, h * 0.24, lighter(green, 0.14));
  }
  return out;
}

function fence(random: Random, width: number, horizon: number): string {
  const h = random.range(20, 44);
  const y = horizon + 12 - h;
  const colour = random.pick(['#3d7ab5', '#d8dbdc', '#6aa06f', '#8f969b', '#c9d4da']);
  let seams = '';
  for (let x = 0; x < width; x += 42) seams += `M${x} ${n(y)}v${n(h)}`;
  return (
    rect(0, y, width, h, colour) +
    rect(0, y + h * 0.72, width, h * 0.28, darker(colour, 0.14)) +
    path(seams, 'none', `stroke="${darker(colour, 0.3)}" stroke-width="1.6"`)
  );
}

function huts(random: Random, x: number, horizon: number): string {
  let out = '';
  const rows = random.int(1, 2);
  const colour = random.pick(['#e6e8e8', '#3d79b8', '#d9d2c0', '#c65a3a']);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < 3; c++) {
      const px = x + c * 92;
      const py = horizon + 16 - (r + 1) * 50;
      out +=
        rect(px, py, 90, 48, colour) +
        rect(px, py, 90, 5, '#3b6ea5') +
        rect(px + 12, py + 15, 22, 16, '#5a7488') +
        rect(px + 52, py + 14, 18, 34, darker(colour, 0.3));
    }
  }
  return out;
}

function groundPlane(
  random: Random,
  width: number,
  height: number,
  horizon: number,
  colour = random.pick(GROUNDS),
): string {
  const parts = [
    `<linearGradient id="ground" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="${lighter(colour, 0.22)}"/><stop offset="1" stop-color="${darker(colour, 0.16)}"/></linearGradient>`,
    rect(0, horizon + 4, width, height - horizon, 'url(#ground)'),
  ];
  for (let i = 0; i < 16; i++) {
    const depth = random.next() ** 1.6;
    const y = horizon + 14 + depth * (height - horizon);
    const size = 0.15 + depth;
    const tone = random.chance(0.5)
      ? lighter(colour, random.range(0.05, 0.2))
      : darker(colour, random.range(0.06, 0.2));
    parts.push(
      ellipse(
        random.range(0, width),
        y,
        random.range(60, 240) * size,
        random.range(8, 22) * size,
        tone,
        'opacity="0.55"',
      ),
    );
  }
  // wheel tracks towards the horizon
  const vanish = random.range(width * 0.2, width * 0.8);
  const foot = random.range(-200, width + 200);
  for (const off of [0, 170])
    parts.push(
      polygon(
        [
          [vanish + off * 0.08, horizon + 10],
          [vanish + off * 0.08 + 5, horizon + 10],
          [foot + off * 1.6 + 60, height],
          [foot + off * 1.6, height],
        ],
        darker(colour, 0.22),
        'opacity="0.4"',
      ),
    );
  let pebbles = '';
  for (let i = 0; i < 70; i++) {
    const depth = random.next() ** 1.3;
    const y = horizon + 16 + depth * (height - horizon);
    pebbles += `M${n(random.range(0, width))} ${n(y)}h${n(2 + 12 * depth)}`;
  }
  parts.push(
    path(pebbles, 'none', `stroke="${darker(colour, 0.35)}" stroke-width="2.4" stroke-linecap="round" opacity="0.5"`),
  );
  return parts.join('');
}
