import { darker, ellipse, lighter, limb, n, path, polygon, rect } from './draw.js';
import type { Random } from './random.js';

/** A vehicle or a thing that stands about, in centimetres: origin on the ground in its middle, y down. */
export interface Thing {
  draw(seconds: number): string;
  /** What it hides, as boxes [x, y, width, height] in cm. */
  solid: [number, number, number, number][];
  /** Half of its width on the ground, in cm. */
  half: number;
}

const PAINTS = ['#f0b51d', '#e8891c', '#e5e2d8', '#3a78b8', '#c63d2f', '#4a8f57', '#f2c230'];

function wheel(x: number, y: number, r: number, turn: number): string {
  const hub = Array.from({ length: 5 }, (_, i) => {
    const a = turn + (i * Math.PI * 2) / 5;
    return ellipse(x + Math.cos(a) * r * 0.33, y + Math.sin(a) * r * 0.33, r * 0.08, r * 0.08, '#3c4147');
  }).join('');
  return (
    ellipse(x, y, r, r, '#22252a') +
    ellipse(x, y, r * 0.72, r * 0.72, '#33383e') +
    ellipse(x, y, r * 0.52, r * 0.52, '#a9afb3') +
    hub
  );
}

const glass = (points: [number, number][]): string =>
  polygon(points, '#33475a') + polygon(points.slice(0, 3), '#7c9bb3', 'opacity="0.45"');

export function excavator(random: Random): Thing {
  const paint = random.pick(PAINTS);
  const phase = random.range(0, 20);
  const speed = random.range(0.35, 0.6);
  return {
    half: 260,
    solid: [
      [-190, -110, 380, 110],
      [-190, -220, 300, 120],
      [-20, -320, 130, 110],
    ],
    draw(t) {
      const a = -0.75 + 0.28 * Math.sin(t * speed + phase);
      const b = 1.35 + 0.45 * Math.sin(t * speed * 1.3 + phase * 1.7);
      const c = 1.5 + 0.6 * Math.sin(t * speed * 1.7 + phase * 0.6);
      const p0: [number, number] = [80, -190];
      const p1: [number, number] = [p0[0] + Math.cos(a) * 270, p0[1] + Math.sin(a) * 270];
      const p2: [number, number] = [p1[0] + Math.cos(a + b) * 200, p1[1] + Math.sin(a + b) * 200];
      const p3: [number, number] = [p2[0] + Math.cos(a + b + c) * 70, p2[1] + Math.sin(a + b + c) * 70];
      const mid: [number, number] = [(p0[0] + p1[0]) / 2 - 20, (p0[1] + p1[1]) / 2 - 46];
      let tracks = rect(-185, -84, 370, 84, '#2a2d31', 'rx="42"') + rect(-172, -72, 344, 60, '#41464b', 'rx="30"');
      for (let i = -2; i <= 2; i++)
        tracks += ellipse(i * 66, -40, 24, 24, '#2a2d31') + ellipse(i * 66, -40, 10, 10, '#6d7378');
      const body =
        rect(-60, -112, 130, 34, '#3a3f44') +
        path('M-190 -112V-196Q-190 -216 -168 -216H-30V-112Z', paint) +
        path('M-190 -112V-150H-30V-112Z', darker(paint, 0.28)) +
        path('M-30 -112V-300Q-30 -318 -8 -318H62Q84 -318 92 -292L112 -206V-112Z', lighter(paint, 0.1)) +
        glass([
          [-14, -206],
          [-14, -302],
          [58, -302],
          [74, -288],
          [92, -206],
        ]) +
        limb(
          [
            [36, -302],
            [36, -206],
          ],
          5,
          darker(paint, 0.2),
        ) +
        rect(-176, -186, 100, 5, darker(paint, 0.4)) +
        rect(-176, -172, 100, 5, darker(paint, 0.4)) +
        ellipse(-4, -328, 10, 7, '#f07a1a');
      const arm =
        limb([p0, mid, p1], 40, darker(paint, 0.12)) +
        limb([[p0[0] - 5, p0[1]], [mid[0] - 4, mid[1] - 4], p1], 14, lighter(paint, 0.18)) +
        limb([[100, -140], mid], 13, '#8d949a') +
        limb([p1, p2], 27, paint) +
        limb(
          [
            [mid[0], mid[1] - 16],
            [p1[0] + 8, p1[1] - 18],
          ],
          10,
          '#8d949a',
        ) +
        limb([p2, p3], 20, '#4a4f54') +
        polygon(
          [
            [p2[0] - 8, p2[1]],
            [p2[0] + 44, p2[1] + 20],
            [p3[0] + 30, p3[1] + 22],
            [p3[0] - 26, p3[1] + 30],
            [p3[0] - 34, p3[1] - 6],
          ],
          '#4f555b',
        );
      return arm + tracks + body;
    },
  };
}

export function truck(random: Random, rolls: (t: number) => number): Thing {
  const paint = random.pick(PAINTS);
  const bed = random.pick(['#c9952b', '#6f777d', '#a5452f', '#3f6d8f', '#c7c2b5']);
  const mixer = random.chance(0.35);
  return {
    half: 370,
    solid: [
      [-370, -270, 500, 220],
      [150, -280, 200, 230],
    ],
    draw(t) {
      const turn = rolls(t) / 0.52;
      const load = mixer
        ? path('M-330 -130Q-350 -250 -190 -320Q-20 -340 90 -240L110 -130Z', '#e4e1d8') +
          [0, 1, 2, 3]
            .map((i) => {
              const u = (((t * 0.25 + i * 0.25) % 1) + 1) % 1;
              const x = -320 + u * 400;
              return limb(
                [
                  [x, -150],
                  [x + 60, -285 + Math.abs(u - 0.45) * 120],
                ],
                22,
                paint,
                'opacity="0.85"',
              );
            })
            .join('') +
          polygon(
            [
              [-370, -330],
              [-280, -330],
              [-310, -250],
              [-340, -250],
            ],
            '#6f777d',
          )
        : path('M-372 -288L130 -288L110 -122L-350 -122Z', bed) +
          path('M-372 -288L130 -288L128 -272L-370 -272Z', lighter(bed, 0.2)) +
          [-260, -150, -40, 60].map((x) => rect(x, -270, 10, 148, darker(bed, 0.22))).join('') +
          path('M-350 -288Q-240 -340 -110 -322Q20 -338 110 -288Z', '#9a7d55');
      return (
        rect(-350, -124, 700, 30, '#30353a') +
        load +
        path('M160 -94V-270Q160 -290 182 -290H286Q306 -290 314 -270L346 -176V-94Z', paint) +
        glass([
          [196, -192],
          [196, -270],
          [282, -270],
          [298, -258],
          [322, -192],
        ]) +
        path('M160 -120H346V-94H160Z', darker(paint, 0.35)) +
        rect(330, -140, 20, 22, '#fff1c4') +
        wheel(-270, -50, 52, turn) +
        wheel(-150, -50, 52, turn) +
        wheel(250, -50, 52, turn)
      );
    },
  };
}

export function forklift(random: Random, rolls: (t: number) => number): Thing {
  const paint = random.pick(PAINTS);
  const phase = random.range(0, 10);
  return {
    half: 170,
    solid: [
      [-150, -130, 240, 110],
      [120, -190, 110, 120],
    ],
    draw(t) {
      const lift = 40 + 50 * (0.5 + 0.5 * Math.sin(t * 0.3 + phase));
      const turn = rolls(t) / 0.34;
      return (
        rect(112, -260, 12, 250, '#3a3f45') +
        rect(124, -18 - lift, 100, 8, '#2a2e33') +
        rect(132, -98 - lift, 92, 78, '#b88a52') +
        rect(132, -62 - lift, 92, 5, '#8d6636') +
        rect(170, -98 - lift, 6, 78, '#8d6636') +
        path('M-160 -40V-110Q-160 -136 -130 -136H-40L-30 -96H110V-40Z', paint) +
        path('M-160 -62H110V-40H-160Z', darker(paint, 0.35)) +
        limb(
          [
            [-120, -136],
            [-96, -238],
            [74, -238],
            [104, -100],
          ],
          10,
          '#33383e',
        ) +
        limb(
          [
            [20, -150],
            [44, -168],
          ],
          5,
          '#22262b',
        ) +
        rect(-60, -150, 56, 14, '#23272c', 'rx="5"') +
        ellipse(-80, -247, 9, 6, '#f07a1a') +
        wheel(-100, -34, 34, turn) +
        wheel(82, -34, 34, turn)
      );
    },
  };
}

export function smallThing(random: Random): Thing {
  const kind = random.pick([
    'cone',
    'cone',
    'barrel',
    'barrel',
    'barrier',
    'bricks',
    'pipes',
    'pile',
    'sign',
    'bags',
    'spool',
    'mixer',
  ] as const);
  const still = (half: number, tall: number, svg: string): Thing => ({
    half,
    solid: [[-half, -tall, half * 2, tall]],
    draw: () => svg,
  });
  switch (kind) {
    case 'cone':
      return still(
        16,
        40,
        rect(-22, -5, 44, 6, '#2d3034') +
          polygon(
            [
              [-16, -5],
              [16, -5],
              [5, -72],
              [-5, -72],
            ],
            '#f0641e',
          ) +
          polygon(
            [
              [-12, -22],
              [12, -22],
              [9, -36],
              [-9, -36],
            ],
            '#f6f3ee',
          ) +
          polygon(
            [
              [-8, -46],
              [8, -46],
              [6, -56],
              [-6, -56],
            ],
            '#f6f3ee',
          ),
      );
    case 'barrel': {
      const colour = random.pick(['#2f6fb5', '#d8402f', '#f0a11d', '#3d7f55', '#8a8f94', '#f2c81d']);
      return still(
        30,
        88,
        rect(-30, -84, 60, 84, colour, 'rx="4"') +
          rect(8, -84, 22, 84, darker(colour, 0.25), 'rx="4"') +
          ellipse(0, -85, 30, 8, lighter(colour, 0.2)) +
          rect(-31, -60, 62, 4, darker(colour, 0.3)) +
          rect(-31, -30, 62, 4, darker(colour, 0.3)),
      );
    }
    case 'barrier': {
      let stripes = '';
      for (let i = 0; i < 6; i++)
        stripes += polygon(
          [
            [-96 + i * 33, -96],
            [-80 + i * 33, -96],
            [-94 + i * 33, -66],
            [-110 + i * 33 + 0, -66],
          ],
          '#f4f1ea',
        );
      return still(
        100,
        96,
        limb(
          [
            [-84, 0],
            [-84, -98],
          ],
          7,
          '#8c9298',
        ) +
          limb(
            [
              [84, 0],
              [84, -98],
            ],
            7,
            '#8c9298',
          ) +
          rect(-104, -96, 206, 30, '#d63a2c') +
          stripes +
          rect(-104, -48, 206, 12, '#d63a2c'),
      );
    }
    case 'bricks': {
      let rows = '';
      for (let r = 0; r < 5; r++)
        for (let c = 0; c < 5; c++)
          rows += rect(
            -70 + c * 28 + (r % 2) * 5,
            -22 - r * 16,
            26,
            14,
            random.pick(['#b5523b', '#a4472f', '#c0614a']),
          );
      return still(
        72,
        96,
        rect(-78, -8, 156, 8, '#9a7240') + rect(-76, -20, 24, 12, '#8a6436') + rect(52, -20, 24, 12, '#8a6436') + rows,
      );
    }
    case 'pipes': {
      let out = '';
      for (let r = 0; r < 3; r++)
        for (let c = 0; c < 4 - r; c++)
          out +=
            ellipse(-66 + c * 44 + r * 22, -22 - r * 38, 22, 22, '#9aa0a3') +
            ellipse(-66 + c * 44 + r * 22, -22 - r * 38, 15, 15, '#3b4044');
      return still(88, 118, out);
    }
    case 'pile': {
      const colour = random.pick(['#c2a36b', '#8d8377', '#a7937a', '#7a6a55']);
      return still(
        120,
        80,
        path('M-200 0Q-120 -60 -60 -108Q-10 -140 40 -104Q120 -54 200 0Z', colour) +
          path('M20 -124Q60 -96 110 -54Q160 -20 200 0H60Q70 -60 20 -124Z', darker(colour, 0.16)),
      );
    }
    case 'sign': {
      const colour = random.pick(['#2f6fb5', '#f0c419', '#d63a2c', '#2f8f57']);
      return {
        half: 34,
        solid: [[-36, -180, 72, 72]],
        draw: () =>
          limb(
            [
              [0, 0],
              [0, -120],
            ],
            6,
            '#7f868c',
          ) +
          rect(-36, -180, 72, 72, colour, 'rx="6"') +
          rect(-24, -166, 48, 8, '#ffffff') +
          rect(-24, -150, 48, 8, '#ffffff') +
          rect(-24, -134, 30, 8, '#ffffff'),
      };
    }
    case 'bags': {
      let out = '';
      for (let r = 0; r < 4; r++)
        out += rect(-52 + (r % 2) * 6, -22 - r * 20, 100, 21, r % 2 ? '#d8d2c4' : '#c9c1b0', 'rx="9"');
      return still(52, 84, out);
    }
    case 'spool':
      return still(
        64,
        120,
        ellipse(0, -64, 64, 64, '#a87b45') +
          ellipse(0, -64, 54, 54, '#b98d55') +
          ellipse(0, -64, 22, 22, '#3a3026') +
          limb(
            [
              [-46, -64],
              [46, -64],
            ],
            3,
            '#8a6436',
          ) +
          limb(
            [
              [0, -110],
              [0, -18],
            ],
            3,
            '#8a6436',
          ),
      );
    case 'mixer': {
      const colour = random.pick(['#e0701f', '#3f8a5a', '#3a78b8']);
      return {
        half: 60,
        solid: [[-50, -120, 100, 110]],
        draw: (t) =>
          limb(
            [
              [-40, 0],
              [0, -60],
              [44, 0],
            ],
            8,
            '#4a5056',
          ) +
          `<g transform="rotate(-28 0 -80)">${rect(-40, -122, 78, 84, colour, 'rx="26"')}${polygon(
            [
              [-28, -120],
              [28, -120],
              [16, -152],
              [-16, -152],
            ],
            darker(colour, 0.2),
          )}${rect(-40, n2(-90 + 10 * Math.sin(t * 2)), 78, 7, darker(colour, 0.35))}</g>` +
          ellipse(-40, -14, 15, 15, '#23272b'),
      };
    }
  }
}

const n2 = (v: number): number => Number(n(v));

/** Tubes close to the camera, in front of everything: [x, y, width, height] in source pixels. */
export function foreground(
  random: Random,
  width: number,
  height: number,
): { svg: string; solid: [number, number, number, number][] } {
  const kind = random.pick(['none', 'none', 'none', 'tubes', 'tubes', 'rail', 'net'] as const);
  const solid: [number, number, number, number][] = [];
  let svg = '';
  const tube = random.pick(['#b98f2c', '#8f969c', '#a5662f']);
  if (kind === 'tubes') {
    for (let i = 0; i < random.int(1, 3); i++) {
      const x = random.range(0, width);
      const w = random.range(12, 26);
      svg +=
        rect(x, 0, w, height, tube) +
        rect(x, 0, w * 0.3, height, lighter(tube, 0.35)) +
        rect(x + w * 0.7, 0, w * 0.3, height, darker(tube, 0.35));
      solid.push([x, 0, w, height]);
    }
  } else if (kind === 'rail') {
    const y = random.range(height * 0.82, height * 0.93);
    svg =
      rect(0, y, width, 16, tube) +
      rect(0, y, width, 5, lighter(tube, 0.35)) +
      rect(0, y + 12, width, 4, darker(tube, 0.3));
    for (let x = random.range(0, 200); x < width; x += random.range(240, 420))
      svg += rect(x, y, 14, height - y, darker(tube, 0.12));
    solid.push([0, y, width, 16]);
  } else if (kind === 'net') {
    const left = random.chance(0.5);
    const w = random.range(60, 130);
    const x = left ? 0 : width - w;
    svg = path(
      `M${n(x)} 0H${n(x + w)}Q${n(x + w * 0.8)} ${height / 2} ${n(x + w)} ${height}H${n(x)}Z`,
      random.pick(['#3f8f5f', '#2f7fa8']),
      'opacity="0.94"',
    );
    for (let y = 20; y < height; y += 26)
      svg += limb(
        [
          [x, y],
          [x + w * 0.9, y + 6],
        ],
        1.5,
        '#ffffff',
        'opacity="0.16"',
      );
    solid.push([x, 0, w * 0.9, height]);
  }
  return { svg, solid };
}
