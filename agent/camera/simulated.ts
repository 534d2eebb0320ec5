import { loadSharp } from '../../platform/sharp.js';
import { Ahead } from './ahead.js';
import type { Camera, Fit, OpenCamera, Picture } from './camera.js';
import { Pace } from './pace.js';
import { develop } from './simulated/light.js';
import { Scene, SOURCE_HEIGHT, SOURCE_WIDTH } from './simulated/scene.js';

/** Scene time between two frames: frame k shows second k / 15, whatever the pace. */
export const SCENE_FPS = 15;
export const DEFAULT_SEED = 244;

/**
 * Draws frame `index` of the site `scene`. The same seed and index give the same bytes on one version of sharp,
 * in whatever order frames are asked for. Drawing happens on sharp's threads.
 */
export async function drawFrame(
  scene: Scene,
  seed: number,
  index: number,
  size: { width: number; height: number },
): Promise<{ data: Uint8Array; truth: Picture['truth'] }> {
  const frame = scene.at(index / SCENE_FPS);
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" width="${size.width}" height="${size.height}" ` +
    `viewBox="0 0 ${SOURCE_WIDTH} ${SOURCE_HEIGHT}" preserveAspectRatio="none" ` +
    `stroke-linecap="round" stroke-linejoin="round">${frame.svg}</svg>`;
  const sharp = await loadSharp();
  const { data, info } = await sharp(Buffer.from(svg)).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  if (info.width !== size.width || info.height !== size.height || info.channels !== 3) {
    throw new Error(`the drawing came out as ${info.width}x${info.height}x${info.channels}`);
  }
  const pixels = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  develop(pixels, size.width, frame.light, seed * 1_000_003 + index);
  return { data: pixels, truth: frame.truth };
}

/** An animated work site, drawn; with ground truth. For the demo, for tests, and as training data. */
export const openSimulated: OpenCamera = async (options, fit: Fit): Promise<Camera> => {
  const seed = options.seed ?? DEFAULT_SEED;
  const scene = new Scene(seed);
  const size = fit(SOURCE_WIDTH, SOURCE_HEIGHT);
  const pace = new Pace(options.fps);
  let index = 0;
  const frames = new Ahead(async () => {
    const frame = index++;
    return { ...(await drawFrame(scene, seed, frame, size)), name: `site ${seed} frame ${frame}` };
  }, options.frames);
  return {
    description: `simulated work site (seed ${seed}, ${SOURCE_WIDTH}x${SOURCE_HEIGHT} drawn at ${size.width}x${size.height})`,
    async next(signal) {
      if (!frames.more) return null;
      await pace.wait(signal);
      const capturedAt = performance.now();
      const frame = await frames.take(signal);
      if (!frame) return null;
      return {
        ...frame,
        ...{ width: size.width, height: size.height, sourceWidth: SOURCE_WIDTH, sourceHeight: SOURCE_HEIGHT },
        capturedAt,
        captureMs: performance.now() - capturedAt,
      };
    },
    close: () => frames.close(),
  };
};
