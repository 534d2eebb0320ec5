import type { Manifest } from '../../protocol/manifest.js';
import type { Heads } from '../pipeline/head.js';
import type { LocalService } from '../pipeline/local.js';
import type { Choice } from './choices.js';

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

/** What can be measured: a head, or `device`. */
export type Measurable = Pick<Choice, 'id' | 'partition' | 'rate'>;

/** Every head of a bundle, and the whole service. */
export function everyPoint(manifest: Manifest): Measurable[] {
  const heads = manifest.partitions.map(({ id }, partition) => ({ id, partition, rate: 0 }));
  return [...heads, { id: 'device', partition: -1, rate: 0 }];
}

/**
 * Times every point of the choices on this device with a grey picture.
 * @param inputBytes size of the service's input
 * @param runs timed runs per point, after one to warm up; at least 1
 */
export async function measureDevice(
  choices: readonly Measurable[],
  heads: Heads,
  service: LocalService,
  inputBytes: number,
  runs = BRIEF_RUNS,
): Promise<DeviceTimes> {
  const times: DeviceTimes = { mean: {}, deviation: {}, runs, inside: {} };
  let picture: Uint8Array = new Uint8Array(inputBytes).fill(114);
  for (const choice of choices) {
    if (choice.id in times.mean || choice.id === 'raw') continue;
    const all: number[] = [];
    const inside: number[] = [];
    for (let run = 0; run <= runs; run++) {
      const start = performance.now();
      const result =
        choice.id === 'device'
          ? await service.run(picture, { width: 1, height: 1 })
          : await heads.run(choice.partition, choice.rate, picture);
      picture = result.picture;
      if (run === 0) continue;
      all.push(performance.now() - start);
      inside.push(result.runMs);
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
