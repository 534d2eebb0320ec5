/** One way a sensor can be read out. */
export interface SensorMode {
  width: number;
  height: number;
  /** Bits of a raw pixel, and whether they are packed: what --mode wants to know. */
  bits: number;
  packed: boolean;
  /** Most pictures per second. */
  fps: number;
  /** Which part of the sensor it shows, in the sensor's pixels; absent where the camera was in use and did not tell. */
  crop?: { x: number; y: number; width: number; height: number };
}

/** A camera of `rpicam-hello --list-cameras`. */
export interface ListedCamera {
  index: number;
  /** imx708_wide: the sensor, and which lens or filter. */
  model: string;
  /** Pixels of the sensor; 0 where it does not say. */
  width: number;
  height: number;
  /** Where it is in the device tree. */
  id: string;
  modes: SensorMode[];
}

const CAMERA = /^\s*(\d+) : (\S+) \[(?:(\d+)x(\d+))?[^\]]*\] \(([^)]*)\)/;
const FORMAT = /'(\w+)'\s*:/;
const MODE = /(\d+)x(\d+)\s+\[(\d+(?:\.\d+)?|nan|inf) fps - \((\d+), (\d+)\)\/(\d+)x(\d+) crop\]/g;
/** What the list says of a crop that it could not ask for, because the camera is in use. */
const UNKNOWN = 65535;

/** Reads the list that rpicam-hello prints. What is no camera and no mode is passed over. */
export function parseCameras(text: string): ListedCamera[] {
  const cameras: ListedCamera[] = [];
  let bits = 0;
  let packed = false;
  for (const line of text.split('\n')) {
    const found = CAMERA.exec(line);
    if (found) {
      const [, index, model, width, height, id] = found;
      cameras.push({
        index: Number(index),
        model,
        width: Number(width ?? 0),
        height: Number(height ?? 0),
        id,
        modes: [],
      });
      continue;
    }
    const format = FORMAT.exec(line)?.[1];
    if (format) {
      bits = Number(/\d+/.exec(format)?.[0] ?? 0);
      packed = format.includes('CSI2P');
    }
    for (const [, width, height, fps, x, y, w, h] of line.matchAll(MODE)) {
      const crop = { x: Number(x), y: Number(y), width: Number(w), height: Number(h) };
      const isKnown = crop.width < UNKNOWN && crop.width > 0;
      cameras.at(-1)?.modes.push({
        width: Number(width),
        height: Number(height),
        bits,
        packed,
        fps: Number(fps) || 0,
        ...(isKnown && { crop }),
      });
    }
  }
  return cameras;
}

const NAMES: Readonly<Record<string, string>> = {
  ov5647: 'Camera Module 1',
  imx219: 'Camera Module 2',
  imx708: 'Camera Module 3',
  imx477: 'HQ Camera',
  imx296: 'Global Shutter Camera',
  imx500: 'AI Camera',
};

/** `Camera Module 3 (imx708_wide)`, or the sensor alone. */
export function cameraName(model: string): string {
  const name = NAMES[model.split('_')[0]];
  return name ? `${name} (${model})` : model;
}
