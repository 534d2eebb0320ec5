import type { Colour } from './draw.js';
import { Random } from './random.js';

/** How the scene is lit at one moment. */
export interface Light {
  /** Sky colours, top and at the horizon. */
  skyTop: Colour;
  skyLow: Colour;
  /** Gains of red, green and blue. */
  gain: Colour;
  /** Below 1 brightens the middle tones, above 1 darkens them. */
  gamma: number;
  /** Haze added to every pixel, 0-255. */
  haze: number;
  /** Strength of cast shadows, 0-1. */
  shadow: number;
  /** Standard deviation of the camera's noise, in grey levels. */
  noise: number;
}

const dawn: Light = {
  skyTop: [128, 158, 206],
  skyLow: [255, 214, 184],
  gain: [1.0, 0.92, 0.88],
  gamma: 1.08,
  haze: 12,
  shadow: 0.22,
  noise: 2.6,
};
const noon: Light = {
  skyTop: [86, 154, 222],
  skyLow: [206, 230, 246],
  gain: [1.04, 1.03, 1.0],
  gamma: 0.94,
  haze: 0,
  shadow: 0.36,
  noise: 1.4,
};
const overcast: Light = {
  skyTop: [168, 178, 188],
  skyLow: [214, 219, 222],
  gain: [0.9, 0.93, 0.96],
  gamma: 1.0,
  haze: 14,
  shadow: 0.12,
  noise: 2.2,
};
const dusk: Light = {
  skyTop: [72, 82, 138],
  skyLow: [250, 170, 120],
  gain: [0.86, 0.74, 0.74],
  gamma: 1.16,
  haze: 8,
  shadow: 0.2,
  noise: 3.6,
};

const day: readonly Light[] = [dawn, noon, noon, overcast, noon, dusk, dusk, overcast];

/** Seconds from one kind of light to the next. */
const STEP_S = 40;

/** The light at a moment: a slow walk through the kinds of light, from a start that the seed chose. */
export function lightAt(start: number, seconds: number): Light {
  const position = start * day.length + seconds / STEP_S;
  const at = Math.floor(position) % day.length;
  const t = position - Math.floor(position);
  const amount = t * t * (3 - 2 * t);
  const a = day[at] as Light;
  const b = day[(at + 1) % day.length] as Light;
  const between = (x: number, y: number): number => x + (y - x) * amount;
  const colour = (x: Colour, y: Colour): Colour => [between(x[0], y[0]), between(x[1], y[1]), between(x[2], y[2])];
  return {
    skyTop: colour(a.skyTop, b.skyTop),
    skyLow: colour(a.skyLow, b.skyLow),
    gain: colour(a.gain, b.gain),
    gamma: between(a.gamma, b.gamma),
    haze: between(a.haze, b.haze),
    shadow: between(a.shadow, b.shadow),
    noise: between(a.noise, b.noise),
  };
}

const NOISE_SIZE = 1 << 16;
/** Triangular noise of standard deviation 16, fixed: scaled and shifted for each frame. */
const NOISE: Int8Array = (() => {
  const random = new Random(0x6e6f6973);
  const table = new Int8Array(NOISE_SIZE);
  for (let i = 0; i < NOISE_SIZE; i++) table[i] = Math.round((random.next() + random.next() - 1) * 39.2);
  return table;
})();

/**
 * What the camera's sensor makes of the drawing, in place: gains, tone curve, haze and noise.
 * @param pixels RGB, 3 bytes per pixel
 * @param seed decides the noise: the same seed gives the same bytes
 */
export function develop(pixels: Uint8Array, width: number, light: Light, seed: number): void {
  const curves = light.gain.map((gain) => {
    const curve = new Float32Array(256);
    for (let v = 0; v < 256; v++) {
      const toned = 255 * (v / 255) ** light.gamma * gain;
      curve[v] = toned + light.haze * (1 - toned / 255);
    }
    return curve;
  });
  const [red, green, blue] = curves as [Float32Array, Float32Array, Float32Array];
  const random = new Random(seed, 0x6e);
  const scale = light.noise / 16;
  const row = width * 3;
  for (let start = 0; start < pixels.length; start += row) {
    let at = Math.floor(random.next() * NOISE_SIZE);
    const end = Math.min(start + row, pixels.length);
    for (let i = start; i < end; i += 3) {
      pixels[i] = clamp((red[pixels[i] as number] as number) + (NOISE[at++ & 0xffff] as number) * scale);
      pixels[i + 1] = clamp((green[pixels[i + 1] as number] as number) + (NOISE[at++ & 0xffff] as number) * scale);
      pixels[i + 2] = clamp((blue[pixels[i + 2] as number] as number) + (NOISE[at++ & 0xffff] as number) * scale);
    }
  }
}

function clamp(value: number): number {
  return value < 0 ? 0 : value > 255 ? 255 : (value + 0.5) | 0;
}
