import { blend, darker, ellipse, lighter, limb, n, path, polygon } from './draw.js';
import type { Random } from './random.js';

/** How one person looks. Fixed for a scene. */
export interface Looks {
  skin: string;
  hair: string;
  hairStyle: 'short' | 'bald' | 'long' | 'bun' | 'curly' | 'cap' | 'beanie';
  capColour: string;
  beard: boolean;
  glasses: boolean;
  helmet: string | null;
  /** Full-brim helmets have a brim all around. */
  fullBrim: boolean;
  earMuffs: boolean;
  top: string;
  legs: string;
  boots: string;
  /** Colour of a hi-vis vest, or null. */
  vest: string | null;
  sleeves: 'long' | 'short';
  gloves: boolean;
  /** Size relative to 175 cm; heads and bodies vary a little on their own. */
  tall: number;
  broad: number;
  headSize: number;
}

/** What one person does at one moment. Angles in radians unless named otherwise. */
export interface Pose {
  /** 0 faces the camera, positive turns to the right of the picture, PI shows the back. */
  facing: number;
  /** Head turn relative to the body. */
  look: number;
  /** Degrees: positive leans to the right of the picture. */
  lean: number;
  /** Degrees the head tilts. */
  tilt: number;
  /** 0 upright, 1 squatting. */
  crouch: number;
  /** Feet relative to the middle between them, in cm: along the facing direction, and lift. */
  feet: [{ along: number; lift: number }, { along: number; lift: number }];
  /** Hands relative to their shoulders, in cm: along the facing direction, outwards, and down. */
  hands: [Hand, Hand];
  holds: 'nothing' | 'shovel' | 'hammer' | 'plank' | 'tablet' | 'box' | 'barrow' | 'radio';
}

export interface Hand {
  along: number;
  out: number;
  down: number;
}

/** The drawing in centimetres, feet at the origin, y down; and where the head is. */
export interface DrawnPerson {
  svg: string;
  /** Of the head with what is worn on it, hair or helmet down to the chin: [x, y, width, height] in cm. */
  head: [number, number, number, number];
  helmet: boolean;
  /** Rough boxes of what hides things behind, in cm. */
  solid: [number, number, number, number][];
}

const SKINS = ['#f3cfb3', '#e8b894', '#d9a074', '#c68a5e', '#a86d45', '#8a5433', '#6b4028', '#f0c6a8', '#dba97f'];
const HAIRS = ['#1d1814', '#2b2018', '#4a3222', '#6e4a2c', '#a8763e', '#8c8c8c', '#c9c4bc', '#15151a', '#1d1814'];
const HELMETS = ['#f5c518', '#f7f7f2', '#e0322b', '#2f6fd0', '#f28a1c', '#3a9a53', '#ffd84a', '#d8dce0'];
const VESTS = ['#d9f23a', '#ff7a1a', '#e6ff4d', '#ff9533', '#c8e632'];
const TOPS = [
  '#34527a',
  '#5b6b7a',
  '#7a3b35',
  '#e9e7e0',
  '#2f3640',
  '#8a7a5c',
  '#3f6b52',
  '#c85a2e',
  '#92a8c4',
  '#4c4f7a',
  '#b9a27c',
  '#263a5e',
];
const LEGS = ['#2b3d5c', '#3a3f46', '#5d5344', '#27364e', '#4a4a42', '#6f6a5a', '#1f2630', '#c4632c'];

/** @param helmets chance that this person wears one @param favourites the colours most common on this site */
export function randomLooks(random: Random, helmets: number, favourites: readonly string[]): Looks {
  const top = random.pick(TOPS);
  const overall = random.chance(0.18);
  return {
    skin: random.pick(SKINS),
    hair: random.pick(HAIRS),
    hairStyle: random.pick(['short', 'short', 'short', 'short', 'bald', 'long', 'bun', 'curly', 'cap', 'beanie']),
    capColour: random.pick(['#2b3d5c', '#3a3f46', '#7a2f2a', '#4f5a3c', '#8a8174', '#1f2630']),
    beard: random.chance(0.25),
    glasses: random.chance(0.25),
    helmet: random.chance(helmets) ? (random.chance(0.65) ? random.pick(favourites) : random.pick(HELMETS)) : null,
    fullBrim: random.chance(0.15),
    earMuffs: random.chance(0.15),
    top,
    legs: overall ? top : random.pick(LEGS),
    boots: random.pick(['#2a211b', '#5a4128', '#1b1d21', '#7a5a30']),
    vest: random.chance(0.55) ? random.pick(VESTS) : null,
    sleeves: random.chance(0.75) ? 'long' : 'short',
    gloves: random.chance(0.35),
    tall: random.range(0.92, 1.08),
    broad: random.range(0.92, 1.18),
    headSize: random.range(1.14, 1.34),
  };
}

export function randomHelmetColours(random: Random): string[] {
  return [random.pick(HELMETS), random.pick(HELMETS)];
}

type Point = [number, number];

/** Thigh and shin, in cm: together a little more than the height of the hip, so that legs look straight but not stiff. */
const LEG_BONE = 41.6;

/** The middle joint of a two-bone limb; bends to the side `bend` says (+1 right, -1 left of the line). */
function joint(from: Point, to: Point, upper: number, lower: number, bend: number): Point {
  const dx = to[0] - from[0];
  const dy = to[1] - from[1];
  const distance = Math.min(Math.hypot(dx, dy), (upper + lower) * 0.999) || 1e-6;
  const along = (upper * upper - lower * lower + distance * distance) / (2 * distance);
  const off = Math.sqrt(Math.max(0, upper * upper - along * along)) * bend;
  const length = Math.hypot(dx, dy) || 1e-6;
  return [from[0] + (dx / length) * along + (dy / length) * off, from[1] + (dy / length) * along - (dx / length) * off];
}

/** The far end, pulled back to where the limb can reach. */
function reach(from: Point, to: Point, length: number): Point {
  const distance = Math.hypot(to[0] - from[0], to[1] - from[1]);
  if (distance <= length) return to;
  return [from[0] + ((to[0] - from[0]) / distance) * length, from[1] + ((to[1] - from[1]) / distance) * length];
}

function rotated([x, y]: Point, [cx, cy]: Point, degrees: number): Point {
  const a = (degrees * Math.PI) / 180;
  const c = Math.cos(a);
  const s = Math.sin(a);
  return [cx + (x - cx) * c - (y - cy) * s, cy + (x - cx) * s + (y - cy) * c];
}

/**
 * Draws one person.
 * @param detail 0 far (flat shapes), 1 near (face, seams)
 * @param shade id of the gradient that darkens the side away from the sun
 */
export function drawPerson(looks: Looks, pose: Pose, detail: number, shade: string): DrawnPerson {
  const s = Math.sin(pose.facing);
  const c = Math.cos(pose.facing);
  const turn = Math.abs(s);
  const side = s >= 0 ? 1 : -1;
  const back = c < 0;
  const parts: string[] = [];

  const hipY = -88 * looks.tall + pose.crouch * 38;
  const hip: Point = [0, hipY];
  const shoulderHalf = (21 * (1 - turn) + 12.5 * turn) * looks.broad;
  const hipHalf = (15 * (1 - turn) + 11.5 * turn) * looks.broad;
  const torso = 53 * looks.tall;
  const up = (p: Point): Point => rotated(p, hip, pose.lean);

  const leg = (index: 0 | 1): string => {
    const sign = index === 0 ? -1 : 1;
    const f = pose.feet[index];
    const from: Point = [hipX(sign), hipY + 2];
    const ankle: Point = reach(
      from,
      [hipX(sign) * 1.25 + f.along * s, -6 - f.lift - f.along * c * 0.12],
      2 * LEG_BONE * looks.tall,
    );
    const bend = turn > 0.35 ? side : sign * (back ? -0.4 : 0.4);
    const knee = joint(from, ankle, LEG_BONE * looks.tall, LEG_BONE * looks.tall, bend);
    const colour = index === far ? darker(looks.legs, 0.22) : looks.legs;
    const boot = index === far ? darker(looks.boots, 0.2) : looks.boots;
    const toe = turn > 0.3 ? side * 8 * turn : 0;
    return (
      limb([from, knee, ankle], 14.5 * looks.broad, colour) +
      (detail > 0.5 && index !== far
        ? limb(
            [from, knee, ankle].map(([x, y]) => [x - 3.5, y] as Point),
            3,
            lighter(colour, 0.12),
            'opacity="0.6"',
          )
        : '') +
      ellipse(ankle[0] + toe * 0.6, ankle[1] + 3.5, 8 + turn * 4, 5.2, boot) +
      ellipse(ankle[0] + toe * 0.2, ankle[1] - 1, 7, 5.5, boot)
    );
  };
  const hipX = (sign: number): number => sign * 8 * (1 - turn * 0.75) * looks.broad * (back ? -1 : 1);
  const far: 0 | 1 = s >= 0 ? 0 : 1;
  const near: 0 | 1 = far === 0 ? 1 : 0;

  const handAt: Point[] = [];
  const arm = (index: 0 | 1): string => {
    const sign = (index === 0 ? -1 : 1) * (back ? -1 : 1);
    const h = pose.hands[index];
    const from = up([sign * (shoulderHalf - 3) * (1 - turn * 0.65), hipY - torso + 7]);
    const hand = reach(
      from,
      [from[0] + h.along * s + h.out * sign * (1 - turn * 0.6), from[1] + h.down + h.along * c * 0.15],
      57 * looks.tall,
    );
    handAt[index] = hand;
    const elbow = joint(from, hand, 30 * looks.tall, 28 * looks.tall, turn > 0.35 ? -side : -sign * 0.8);
    const dim = index === far && turn > 0.25;
    const sleeve = dim ? darker(looks.top, 0.25) : looks.top;
    const skin = dim ? darker(looks.skin, 0.2) : looks.skin;
    const lower = looks.sleeves === 'long' ? sleeve : skin;
    const edge = detail > 0.4 ? limb([from, elbow], 13, darker(sleeve, 0.28), 'opacity="0.5"') : '';
    return (
      edge +
      limb([elbow, hand], 9.5, lower) +
      limb([from, elbow], 11.5 * looks.broad, sleeve) +
      ellipse(hand[0], hand[1], 5.4, 5.4, looks.gloves ? '#c9b037' : skin)
    );
  };

  parts.push(leg(far), leg(near));
  const armsBehind = turn > 0.25 ? [far] : [];
  const armsFront: (0 | 1)[] = turn > 0.25 ? [near] : [0, 1];
  const behind = armsBehind.map((i) => arm(i)).join('');
  const held = (): string => drawHeld(pose, handAt, side, turn, c);
  const farSolo = back && turn <= 0.25;
  if (behind) parts.push(behind);
  if (farSolo) parts.push(armsFront.map((i) => arm(i)).join(''), held());

  // torso
  const top = hipY - torso;
  const body =
    `M${n(-shoulderHalf + 5)} ${n(top)}Q${n(-shoulderHalf)} ${n(top + 1)} ${n(-shoulderHalf)} ${n(top + 9)}` +
    `L${n(-hipHalf)} ${n(hipY + 5)}Q0 ${n(hipY + 9)} ${n(hipHalf)} ${n(hipY + 5)}` +
    `L${n(shoulderHalf)} ${n(top + 9)}Q${n(shoulderHalf)} ${n(top + 1)} ${n(shoulderHalf - 5)} ${n(top)}Q0 ${n(top - 5)} ${n(-shoulderHalf + 5)} ${n(top)}Z`;
  let upper = '';
  upper += path(body, looks.vest ?? looks.top);
  if (looks.vest) {
    const strip = '#eef2f0';
    const w1 = shoulderHalf * 0.45 + hipHalf * 0.55;
    upper += `<rect x="${n(-w1)}" y="${n(hipY - 19)}" width="${n(w1 * 2)}" height="5" fill="${strip}"/>`;
    upper += `<rect x="${n(-w1)}" y="${n(hipY - 8)}" width="${n(w1 * 2)}" height="5" fill="${strip}"/>`;
    const vx = shoulderHalf * 0.52 * (1 - turn * 0.4);
    upper += `<rect x="${n(-vx - 2.5 + s * 3)}" y="${n(top + 2)}" width="5" height="${n(torso - 20)}" fill="${strip}"/>`;
    upper += `<rect x="${n(vx - 2.5 + s * 3)}" y="${n(top + 2)}" width="5" height="${n(torso - 20)}" fill="${strip}"/>`;
    if (!back && turn < 0.8) {
      upper += polygon(
        [
          [-5 + s * 8, top - 3],
          [5 + s * 8, top - 3],
          [s * 9, top + 20],
        ],
        looks.top,
      );
      upper += limb(
        [
          [s * 9, top + 20],
          [s * 8, hipY + 5],
        ],
        1.2,
        darker(looks.vest, 0.35),
      );
    }
  } else if (detail > 0.4 && !back) {
    upper += polygon(
      [
        [-5 + s * 7, top - 3],
        [5 + s * 7, top - 3],
        [s * 8, top + 9],
      ],
      blend(looks.top, looks.skin, 0.6),
    );
    upper += limb(
      [
        [s * 8, top + 9],
        [s * 7, hipY + 4],
      ],
      1.1,
      darker(looks.top, 0.4),
    );
  }
  upper += `<rect x="${n(-hipHalf)}" y="${n(hipY + 1)}" width="${n(hipHalf * 2)}" height="4.5" fill="${darker(looks.legs, 0.45)}"/>`;
  upper += path(body, `url(#${shade})`);
  parts.push(`<g transform="rotate(${n(pose.lean)} 0 ${n(hipY)})">${upper}</g>`);

  // head
  const neck = up([0 + s * 2, top - 1]);
  const k = looks.headSize;
  const headAngle = pose.lean * 0.7 + pose.tilt;
  const centre = rotated([neck[0] + s * 2.5, neck[1] - 15.5 * k], neck, headAngle);
  parts.push(limb([[neck[0], neck[1] + 3], centre], 11 * k * 0.9, darker(looks.skin, 0.16)));
  const drawn = drawHead(looks, pose.facing + pose.look, detail, shade);
  parts.push(
    `<g transform="translate(${n(centre[0])} ${n(centre[1])}) rotate(${n(headAngle)}) scale(${n(k * 10)}e-1)">${drawn.svg}</g>`,
  );

  if (!farSolo) parts.push(armsFront.map((i) => arm(i)).join(''), held());

  let x0 = Infinity;
  let y0 = Infinity;
  let x1 = -Infinity;
  let y1 = -Infinity;
  for (const [px, py] of drawn.outline) {
    const [x, y] = rotated([centre[0] + px * k, centre[1] + py * k], centre, headAngle);
    x0 = Math.min(x0, x);
    y0 = Math.min(y0, y);
    x1 = Math.max(x1, x);
    y1 = Math.max(y1, y);
  }
  const chest = up([0, top + torso / 2]);
  return {
    svg: parts.join(''),
    head: [x0, y0, x1 - x0, y1 - y0],
    helmet: looks.helmet !== null,
    solid: [
      [chest[0] - shoulderHalf - 2, chest[1] - torso / 2, shoulderHalf * 2 + 4, torso + 4],
      [x0 + 1, y0 + 1, x1 - x0 - 2, y1 - y0],
      [-hipHalf - 4, hipY, hipHalf * 2 + 8, -hipY],
    ],
  };
}

/** The head around its centre, about 23 wide and 28 high; `outline` are points that its box must hold. */
function drawHead(looks: Looks, facing: number, detail: number, shade: string): { svg: string; outline: Point[] } {
  const s = Math.sin(facing);
  const c = Math.cos(facing);
  const turn = Math.abs(s);
  const parts: string[] = [];
  const outline: Point[] = [
    [-11.2 + Math.min(0, s * 2), 0],
    [11.2 + Math.max(0, s * 2), 0],
    [s * 2, 15.2],
  ];
  const skinDark = darker(looks.skin, 0.22);
  const hairy = looks.hairStyle !== 'bald';
  const hair = hairy ? looks.hair : looks.skin;
  const style = looks.hairStyle;
  const worn = looks.helmet !== null;

  if (style === 'long' && (!worn || detail > 0)) {
    parts.push(
      path(`M-11.5 -4Q-14 10 ${n(-11 - s * 3)} 20L${n(11 - s * 3)} 20Q14 10 11.5 -4Z`, darker(looks.hair, 0.1)),
    );
    if (!worn) outline.push([-12.2 - s * 2, 12], [12.2 - s * 2, 12]);
  }
  // skull with hair, then the face over it where it shows
  const skullTop = style === 'curly' && !worn ? 2.2 : 0;
  parts.push(ellipse(-s * 1.4, 0.4, 10.9 + turn * 0.9, 11.8, darker(looks.skin, 0.06)));
  parts.push(ellipse(-s * 1.8, -4.2 - skullTop / 2, 11.5 + skullTop + turn * 0.8, 10.4 + skullTop, hair));
  if (!worn)
    outline.push([0, -14.6 - skullTop * 1.5], [-11.6 - skullTop - s * 1.6, -2], [11.6 + skullTop - s * 1.6, -2]);
  if (style === 'bun' && !worn) {
    parts.push(ellipse(-s * 11, -11 + turn * 3, 5, 5, darker(looks.hair, 0.1)));
    outline.push([-s * 11 - 4.5, -11], [-s * 11 + 4.5, -11], [-s * 11, -15.4 + turn * 3]);
  }
  if (c > -0.55) {
    const fx = s * (3.6 + (1 - Math.max(0, c)) * 1.2);
    const rx = 10.4 - turn * 1.6;
    const visible = Math.max(0, Math.min(1, (c + 0.55) / 0.55));
    const faceRx = rx * (0.45 + 0.55 * visible);
    const cx = fx + s * (rx - faceRx);
    const face = `M${n(cx - faceRx)} -1Q${n(cx - faceRx)} -9.5 ${n(cx)} -9.8Q${n(cx + faceRx)} -9.5 ${n(cx + faceRx)} -1Q${n(cx + faceRx * 0.95)} 9 ${n(cx + faceRx * 0.45)} 13.4Q${n(cx)} 16.4 ${n(cx - faceRx * 0.45)} 13.4Q${n(cx - faceRx * 0.95)} 9 ${n(cx - faceRx)} -1Z`;
    // ears
    if (c > 0.45) {
      parts.push(ellipse(-10.2 + s * 2, 1.5, 2, 3.4, skinDark), ellipse(10.2 + s * 2, 1.5, 2, 3.4, skinDark));
    }
    parts.push(path(face, looks.skin));
    if (turn > 0.45) {
      parts.push(
        polygon(
          [
            [cx + s * faceRx * 0.85, -2],
            [cx + s * (faceRx + 3.2), 4.2],
            [cx + s * faceRx * 0.8, 5.5],
          ],
          looks.skin,
        ),
      );
      parts.push(ellipse(-s * 2.2, 1.8, 2.3, 3.6, skinDark));
    }
    if (looks.beard) {
      parts.push(
        path(
          `M${n(cx - faceRx * 0.96)} 4Q${n(cx)} 8.5 ${n(cx + faceRx * 0.96)} 4Q${n(cx + faceRx)} 10 ${n(cx + faceRx * 0.45)} 14Q${n(cx)} 17.4 ${n(cx - faceRx * 0.45)} 14Q${n(cx - faceRx)} 10 ${n(cx - faceRx * 0.96)} 4Z`,
          blend(hairy ? looks.hair : '#3a2c22', looks.skin, 0.18),
        ),
      );
    }
    if (detail > 0.15) {
      const gap = 4.3 * Math.max(0.35, c);
      const ex = fx + s * 2.6;
      const eyes = turn > 0.75 ? [ex + s * 1.4] : [ex - gap, ex + gap];
      for (const x of eyes) {
        if (detail > 0.6) parts.push(ellipse(x, 0.2, 2, 1.5, '#fbf8f4'));
        parts.push(ellipse(x + s * 0.4, 0.3, 1.15, 1.35, '#231a16'));
        parts.push(
          limb(
            [
              [x - 2.2, -3],
              [x + 2.2, -3.2],
            ],
            1.1,
            darker(hairy ? looks.hair : '#5a4636', 0.1),
          ),
        );
      }
      if (looks.glasses) {
        const frame = 'fill="none" stroke="#20242a" stroke-width="1"';
        for (const x of eyes)
          parts.push(
            `<ellipse cx="${n(x)}" cy="0.4" rx="3.3" ry="2.7" fill="#cfe4ee" fill-opacity="0.45" ${frame.slice(12)}/>`,
          );
        parts.push(
          limb(
            [
              [(eyes[0] as number) + (eyes.length > 1 ? 3 : 0), 0],
              [(eyes.at(-1) as number) - 3, 0],
            ],
            0.9,
            '#20242a',
          ),
        );
      }
      if (turn <= 0.75)
        parts.push(
          limb(
            [
              [ex, 0.8],
              [ex + s * 1.4 + 0.6, 5],
              [ex - 0.8, 5.4],
            ],
            1,
            skinDark,
          ),
        );
      parts.push(
        limb(
          [
            [ex - 2.6 * Math.max(0.3, c), 9.4],
            [ex, 9.9],
            [ex + 2.6 * Math.max(0.3, c), 9.3],
          ],
          1.1,
          blend(looks.skin, '#7a2a2a', 0.55),
        ),
      );
    }
  } else {
    parts.push(ellipse(-10.6, 2, 1.8, 3.2, skinDark), ellipse(10.6, 2, 1.8, 3.2, skinDark));
    parts.push(path('M-8.5 7Q0 14 8.5 7L7.5 13.5Q0 15.6 -7.5 13.5Z', looks.skin));
  }

  if (worn) {
    parts.push(drawHelmet(looks, s, c, turn, detail, shade, outline));
  } else if (style === 'cap' || style === 'beanie') {
    const low = style === 'beanie' ? -3.5 : -5;
    parts.push(path(`M-12.2 ${low}C-12.6 -19.5 12.6 -19.5 12.2 ${low}Q0 ${low - 2.5} -12.2 ${low}Z`, looks.capColour));
    outline.push([0, -16.4], [-12.2, -6], [12.2, -6]);
    if (style === 'cap' && c > -0.4) {
      const px = s * 11;
      parts.push(ellipse(px, low - 0.2, 9.2 - turn * 1.5, 2.2, darker(looks.capColour, 0.3)));
      outline.push([px + (s > 0 ? 7 : -7) * turn, low]);
    } else if (style === 'beanie') {
      parts.push(
        path(
          `M-12.4 ${low}Q0 ${low - 2.5} 12.4 ${low}L12 ${low - 3.8}Q0 ${low - 6.4} -12 ${low - 3.8}Z`,
          lighter(looks.capColour, 0.14),
        ),
      );
    }
  }
  // soft shade over the whole head
  parts.push(ellipse(s * 0.8, 0, 11.4, 15, `url(#${shade})`, 'opacity="0.75"'));
  return { svg: parts.join(''), outline };
}

function drawHelmet(
  looks: Looks,
  s: number,
  c: number,
  turn: number,
  detail: number,
  shade: string,
  outline: Point[],
): string {
  const colour = looks.helmet as string;
  const parts: string[] = [];
  const brim = darker(colour, 0.2);
  const half = 13.6 + turn * 0.9;
  const shift = -s * 1;
  if (detail > 0.3 && c > -0.5) {
    // chin strap
    parts.push(
      limb(
        [
          [shift - 8.5 + s * 3, -3],
          [s * 5, 14.6],
          [shift + 8.5 + s * 3, -3],
        ],
        0.9,
        '#2a2d33',
        'opacity="0.75"',
      ),
    );
  }
  if (looks.earMuffs) {
    if (turn < 0.6) {
      parts.push(ellipse(-12 + s * 2, 2.5, 3, 5, '#2d3138'), ellipse(12 + s * 2, 2.5, 3, 5, '#2d3138'));
      outline.push([-14.6 + s * 2, 2], [14.6 + s * 2, 2]);
    } else parts.push(ellipse(-s * 2.2, 2.2, 4.6, 5.4, '#2d3138'));
  }
  const dome = `M${n(shift - half)} -4.5C${n(shift - half - 0.6)} -25.5 ${n(shift + half + 0.6)} -25.5 ${n(shift + half)} -4.5Q${n(shift)} ${n(-6.4 + Math.max(0, c) * 2.2)} ${n(shift - half)} -4.5Z`;
  // the far side of the brim, then the dome, then the peak
  if (looks.fullBrim) {
    parts.push(ellipse(shift, -4.6, half + 5, 3.6, brim));
    outline.push([shift - half - 5, -4.6], [shift + half + 5, -4.6]);
  }
  parts.push(path(dome, colour));
  if (detail > 0.2) {
    const ridge = shift + s * 7;
    const w = 2.6 * Math.max(0.5, Math.abs(c));
    parts.push(
      path(
        `M${n(ridge - w)} -6Q${n(shift + s * 3 - w)} -19 ${n(shift - w * 0.8)} -20.2L${n(shift + w * 0.8)} -20.2Q${n(shift + s * 3 + w)} -19 ${n(ridge + w)} -6Z`,
        lighter(colour, 0.22),
        'opacity="0.8"',
      ),
    );
    parts.push(
      limb(
        [
          [shift - half + 2, -8.5],
          [shift + half - 2, -8.5],
        ],
        0.7,
        darker(colour, 0.2),
        'opacity="0.5"',
      ),
    );
  }
  parts.push(path(dome, `url(#${shade})`));
  parts.push(ellipse(shift - 5, -14.5, 3.6, 2.6, '#ffffff', 'opacity="0.5"'));
  if (c > -0.35) {
    const reach = shift + s * 8;
    const rx = half + 0.6 - turn * 2.4;
    parts.push(
      path(
        `M${n(reach - rx)} -5.6Q${n(reach)} ${n(-9.4)} ${n(reach + rx)} -5.6Q${n(reach + s * 3)} ${n(-2.4 + Math.max(0, c) * 1.2)} ${n(reach - rx)} -5.6Z`,
        brim,
      ),
    );
    outline.push([reach + (s > 0 ? rx : -rx) * (turn > 0.15 ? 1 : 1), -5]);
  } else {
    parts.push(
      path(
        `M${n(shift - half - 0.6)} -5.4Q${n(shift)} -1.6 ${n(shift + half + 0.6)} -5.4L${n(shift + half)} -3.2Q${n(shift)} 0.4 ${n(shift - half)} -3.2Z`,
        brim,
      ),
    );
  }
  outline.push([shift - half - 0.3, -6], [shift + half + 0.3, -6], [shift, -20.6]);
  return parts.join('');
}

function drawHeld(pose: Pose, hands: readonly Point[], side: number, turn: number, c: number): string {
  const a = hands[0] as Point;
  const b = hands[1] as Point;
  const middle: Point = [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
  switch (pose.holds) {
    case 'shovel': {
      const low: Point = [b[0] + side * 34 * Math.max(0.4, turn), b[1] + 46];
      return (
        limb([a, low], 3.4, '#8b6a3f') +
        polygon(
          [
            [low[0] - 7, low[1] - 3],
            [low[0] + 7, low[1] - 3],
            [low[0] + 5, low[1] + 13],
            [low[0], low[1] + 17],
            [low[0] - 5, low[1] + 13],
          ],
          '#7d858c',
        )
      );
    }
    case 'hammer':
      return (
        limb([b, [b[0] + side * 12, b[1] - 20]], 3, '#8b6a3f') +
        limb(
          [
            [b[0] + side * 7, b[1] - 23],
            [b[0] + side * 19, b[1] - 17],
          ],
          6.5,
          '#4d545b',
        )
      );
    case 'plank':
      return (
        limb(
          [
            [middle[0] - 95 * Math.max(0.35, turn), middle[1] - 8],
            [middle[0] + 95 * Math.max(0.35, turn), middle[1] - 14],
          ],
          8,
          '#c79a5b',
        ) +
        limb(
          [
            [middle[0] - 95 * Math.max(0.35, turn), middle[1] - 5],
            [middle[0] + 95 * Math.max(0.35, turn), middle[1] - 11],
          ],
          2,
          '#9c7440',
        )
      );
    case 'tablet':
      return c < -0.3
        ? ''
        : `<rect x="${n(middle[0] - 12 * Math.max(0.3, c))}" y="${n(middle[1] - 10)}" width="${n(24 * Math.max(0.3, c))}" height="17" rx="1.5" fill="#23272e"/>`;
    case 'box':
      return c < -0.3 && turn < 0.5
        ? ''
        : `<rect x="${n(middle[0] - 19)}" y="${n(middle[1] - 22)}" width="38" height="30" rx="1" fill="#b98a54"/><rect x="${n(middle[0] - 19)}" y="${n(middle[1] - 12)}" width="38" height="4" fill="#d8b98a"/>`;
    case 'barrow': {
      const x = middle[0] + side * 70 * Math.max(0.5, turn);
      return (
        limb([middle, [x, middle[1] + 18]], 3.4, '#3a4148') +
        polygon(
          [
            [x - 34, middle[1] - 12],
            [x + 34, middle[1] - 12],
            [x + 22, middle[1] + 18],
            [x - 22, middle[1] + 18],
          ],
          '#3f7a4a',
        ) +
        ellipse(x, middle[1] - 12, 30, 9, '#b59a6a') +
        ellipse(x + side * 14, middle[1] + 34, 13, 13, '#23262b') +
        ellipse(x + side * 14, middle[1] + 34, 5, 5, '#8f969c')
      );
    }
    case 'radio':
      return (
        `<rect x="${n(b[0] - 3)}" y="${n(b[1] - 9)}" width="6" height="12" rx="1" fill="#1d2025"/>` +
        limb(
          [
            [b[0] + 2, b[1] - 9],
            [b[0] + 2, b[1] - 19],
          ],
          1.1,
          '#1d2025',
        )
      );
    default:
      return '';
  }
}
