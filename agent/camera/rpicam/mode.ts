import type { ListedCamera, SensorMode } from './list.js';

/**
 * The mode that shows the whole view and is still fast enough; of these the smallest that is no smaller than what is wanted
 * of it, so that the camera's scaler never invents pixels and the sensor reads out no more than it must. Without this choice
 * rpicam-vid takes the mode nearest in size, which with many sensors shows the middle of the view only.
 * @param size what is wanted of a picture of this size
 * @param fps pictures per second
 * @returns undefined when the camera does not tell what its modes show
 */
export function chooseMode(
  camera: ListedCamera,
  size: (mode: SensorMode) => { width: number; height: number },
  fps: number,
): SensorMode | undefined {
  const area = (mode: SensorMode) => (mode.crop ? mode.crop.width * mode.crop.height : 0);
  const known = camera.modes.filter((mode) => mode.crop);
  const widest = Math.max(0, ...known.map(area));
  // sensors lose a few rows here and there
  const whole = known.filter((mode) => area(mode) > 0.97 * widest);
  const fast = whole.filter((mode) => mode.fps >= fps);
  const enough = fast.filter((mode) => mode.width >= size(mode).width && mode.height >= size(mode).height);
  const bySize = (a: SensorMode, b: SensorMode) => a.width * a.height - b.width * b.height || b.bits - a.bits;
  if (enough.length > 0) return enough.sort(bySize)[0];
  if (fast.length > 0) return fast.sort(bySize).at(-1);
  return whole.sort((a, b) => b.fps - a.fps || bySize(a, b))[0];
}

/** The mode of a size that a person asked for: the one with the most bits that is fast enough, else the fastest. */
export function namedMode(camera: ListedCamera, width: number, height: number, fps: number): SensorMode | undefined {
  const modes = camera.modes.filter((mode) => mode.width === width && mode.height === height);
  const fast = modes.filter((mode) => mode.fps >= fps);
  return fast.sort((a, b) => b.bits - a.bits)[0] ?? modes.sort((a, b) => b.fps - a.fps)[0];
}

/** As rpicam-vid's --mode wants it: 2304:1296:10:P */
export function modeArgument({ width, height, bits, packed }: SensorMode): string {
  return `${width}:${height}:${bits}:${packed ? 'P' : 'U'}`;
}
