import { fitPicture } from '../../protocol/letterbox.js';
import type { Manifest } from '../../protocol/manifest.js';
import { type Colours, pictureBytes } from '../pipeline/colours.js';
import type { Heads } from '../pipeline/head.js';
import { encodeJpeg } from '../pipeline/jpeg.js';
import type { LocalService } from '../pipeline/local.js';
import type { Choice } from './choices.js';

/** A camera's picture, as most are shaped. */
const WIDE = { width: 1280, height: 720 };
/** Runs per point at the agent's start, after one to warm up: three say enough to begin with. */
const BRIEF_RUNS = 3;

/** Times of this device, ms by partition id. */
export interface DeviceTimes {
  /** Means and standard deviations of so many runs. */
  mean: Record<string, number>;
  deviation: Record<string, number>;
  runs: number;
  /** Of the mean, the run inside ONNX Runtime. */
  inside: Record<string, number>;
}

/** What can be measured: a head, `jpeg`, or `device`. */
export type Measurable = Pick<Choice, 'id' | 'partition' | 'rate'>;

/** Every head of a bundle, compressing the picture where the bundle has qualities, and the whole service. */
export function everyPoint(manifest: Manifest): Measurable[] {
  const heads = manifest.partitions.map(({ id }, partition) => ({ id, partition, rate: 0 }));
  const jpeg = manifest.pictures ? [{ id: 'jpeg', partition: -1, rate: 0 }] : [];
  return [...heads, ...jpeg, { id: 'device', partition: -1, rate: 0 }];
}

/**
 * Times every point of the choices on this device with a grey picture.
 * @param colours in which the camera gives its pictures: with planes, what reads them is timed
 * @param runs timed runs per point, after one to warm up; at least 1
 */
export async function measureDevice(
  choices: readonly Measurable[],
  heads: Heads,
  service: LocalService,
  colours: Colours,
  runs = BRIEF_RUNS,
): Promise<DeviceTimes> {
  const times: DeviceTimes = { mean: {}, deviation: {}, runs, inside: {} };
  const { input, pictures = [] } = heads.bundle.manifest;
  const coloursFor = ({ id, partition }: Measurable): Colours => {
    if (id === 'jpeg') return 'rgb';
    return id === 'device' ? service.coloursFor(colours) : heads.coloursFor(partition, colours);
  };
  const runOne = async ({ id, partition, rate }: Measurable, picture: Uint8Array, of: Colours) => {
    if (id === 'device') return service.run(picture, { width: 1, height: 1 }, of);
    if (id !== 'jpeg') return heads.run(partition, rate, picture, of);
    await encodeJpeg(picture, input, fitPicture(input, WIDE.width, WIDE.height), pictures[rate].quality);
    return { picture, runMs: undefined };
  };
  for (const choice of choices) {
    if (choice.id in times.mean || choice.id === 'raw') continue;
    const of = coloursFor(choice);
    let picture: Uint8Array = new Uint8Array(pictureBytes(input, of)).fill(114);
    const all: number[] = [];
    const inside: number[] = [];
    for (let run = 0; run <= runs; run++) {
      const start = performance.now();
      const result = await runOne(choice, picture, of);
      picture = result.picture;
      if (run === 0) continue;
      const ms = performance.now() - start;
      all.push(ms);
      inside.push(result.runMs ?? ms);
    }
    times.mean[choice.id] = mean(all);
    times.deviation[choice.id] = deviation(all);
    times.inside[choice.id] = mean(inside);
  }
  return times;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Of a sample: divided by one less than its size; 0 for a single value. */
function deviation(values: readonly number[]): number {
  const middle = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - middle) ** 2, 0);
  return Math.sqrt(squares / Math.max(1, values.length - 1));
}
