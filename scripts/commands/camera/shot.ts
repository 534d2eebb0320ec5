import { extname, resolve } from 'node:path';
import sharp from 'sharp';
import type { Camera, Fit, Picture } from '../../../agent/camera/camera.js';
import { openCamera } from '../../../agent/camera/index.js';
import { rgbOf } from '../../../agent/camera/yuv.js';
import { loadAgentConfig } from '../../../agent/config/config.js';
import { configured } from '../../../platform/configured.js';
import { DeepcodError, ExitCode } from '../../../platform/errors.js';
import { replaceFile } from '../../../platform/files/replace.js';
import { usageError } from '../../../platform/main.js';
import { numberOption } from '../../../platform/options.js';
import { defaultBundle } from '../../../platform/root.js';
import type { CameraHealth } from '../../../protocol/health.js';
import { brightnessOf } from './brightness.js';

const PATIENCE_MS = 15_000;
/** Exposure and white balance of a live camera settle within this, ms. */
const SETTLE_MS = 1500;
const WIDTH = 1280;
const QUALITY = 92;

export interface ShotOptions {
  config?: string;
  source?: string;
  index?: string;
  device?: string;
  url?: string;
  username?: string;
  'password-file'?: string;
  size?: string;
  rotation?: string;
  width?: string;
  output?: string;
}

/** Takes one picture and writes it. @returns the exit code @throws DeepcodError `camera_*` */
export async function shot(values: ShotOptions): Promise<number> {
  const { output } = values;
  if (!output) throw usageError('-o: say where to write the picture');
  if (!['.jpg', '.jpeg', '.png', '.webp'].includes(extname(output))) throw usageError('-o: .jpg, .png or .webp');
  const most = numberOption('width', values.width, 16, 8192) ?? WIDTH;
  const { config } = configured('camera', (sources) => {
    const camera = {
      source: values.source ?? (values.config === undefined ? 'rpicam' : undefined),
      index: numberOption('index', values.index, 0, 15),
      device: values.device && resolve(values.device),
      url: values.url,
      username: values.username,
      password_file: values['password-file'] && resolve(values['password-file']),
      size: values.size,
      rotation: numberOption('rotation', values.rotation, 0, 359),
    };
    const bundle = values.config === undefined ? defaultBundle() : undefined;
    return loadAgentConfig({ ...sources, file: values.config, overrides: { camera, bundle } });
  });
  const fit: Fit = (width, height) => {
    const scale = Math.min(1, most / width);
    return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
  };
  const warn = (message: string) => void process.stderr.write(`${message}\n`);
  const trouble = new AbortController();
  const changed = ({ state }: CameraHealth) => state !== 'running' && trouble.abort();
  const camera = await openCamera({ ...config.camera, fps: Math.max(10, config.camera.fps), warn, changed }, fit);
  try {
    const picture = await settled(camera, AbortSignal.any([trouble.signal, AbortSignal.timeout(PATIENCE_MS)]));
    await write(picture, output);
    const { width, height, sourceWidth, sourceHeight } = picture;
    const { mean, hint } = brightnessOf(rgbOf(picture));
    process.stdout.write(
      `${camera.description}\n${output}: ${width}x${height}, taken at ${sourceWidth}x${sourceHeight}; ` +
        `brightness ${mean} of 255${hint ? `\n${hint}` : ''}\n`,
    );
  } finally {
    await camera.close();
  }
  return ExitCode.ok;
}

/** The picture to keep: of a live camera one that its exposure has settled for. @param patience ends it at the first trouble */
async function settled(camera: Camera, patience: AbortSignal): Promise<Picture> {
  const take = async () => {
    const picture = await camera.next(patience).catch((error) => {
      const { health } = camera;
      if (!patience.aborted || !health) throw error;
      throw new DeepcodError(
        `camera_${health.state}`,
        health.message ?? `${health.description}: no picture came`,
        undefined,
        ExitCode.camera,
      );
    });
    if (!picture)
      throw new DeepcodError('camera_no_picture', `${camera.description}: no picture came`, undefined, ExitCode.camera);
    return picture;
  };
  let picture = await take();
  const until = picture.capturedAt + SETTLE_MS;
  while (camera.health && picture.capturedAt < until) picture = await take();
  return picture;
}

async function write(picture: Picture, output: string): Promise<void> {
  const { width, height } = picture;
  const image = sharp(rgbOf(picture), { raw: { width, height, channels: 3 } });
  const kind = extname(output);
  if (kind === '.png') image.png();
  else if (kind === '.webp') image.webp({ quality: QUALITY });
  else image.jpeg({ quality: QUALITY });
  replaceFile(output, await image.toBuffer());
}
