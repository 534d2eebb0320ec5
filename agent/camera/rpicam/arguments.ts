import type { CameraOptions } from '../camera.js';
import type { Yuv420 } from '../yuv.js';
import type { SensorMode } from './list.js';
import { modeArgument } from './mode.js';

/** What rpicam-vid is told, for pictures of this size (even) on its standard output. */
export function rpicamArguments(
  options: CameraOptions,
  mode: SensorMode | undefined,
  size: { width: number; height: number },
  fps: number,
): string[] {
  const upsideDown = options.rotation === 180;
  const { shutter_us: shutter, gain, lens_position: lens } = options;
  return [
    ...['--camera', String(options.index ?? 0), '--codec', 'yuv420', '-n', '-t', '0', '--flush', '-o', '-'],
    ...['--width', String(size.width), '--height', String(size.height), '--framerate', String(fps)],
    ...(mode ? ['--mode', modeArgument(mode)] : []),
    ...(upsideDown !== (options.hflip ?? false) ? ['--hflip'] : []),
    ...(upsideDown !== (options.vflip ?? false) ? ['--vflip'] : []),
    ...(shutter === undefined ? [] : ['--shutter', String(shutter)]),
    ...(gain === undefined ? [] : ['--gain', String(gain)]),
    ...(lens === undefined ? [] : ['--autofocus-mode', 'manual', '--lens-position', String(lens)]),
  ];
}

/**
 * How rows may be padded, the usual way first: to 64 bytes on all Raspberry Pis so far (the processors before Pi 5 need it
 * for the V plane to begin on 32 bytes, Pi 5 reads and writes memory so); other drivers' 128, 32, 16, or not at all.
 */
export function layouts(size: { width: number; height: number }): Yuv420[] {
  const strides = new Set([64, 128, 32, 16, 2].map((unit) => Math.ceil(size.width / unit) * unit));
  return [...strides].map((stride) => ({ stride, rows: size.height }));
}
