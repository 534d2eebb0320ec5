import { type DeviceTimes, everyPoint, type Measurable, measureDevice } from '../../../agent/partition/measure.js';
import type { StoredTimeModel } from '../../../agent/partition/profile.js';
import {
  fitTimeModel,
  leaveOneOut,
  measuredModel,
  predictTime,
  type TimeModel,
} from '../../../agent/partition/time-model/model.js';
import { operationOf } from '../../../agent/partition/time-model/ops.js';
import { type Colours, headFor, serviceFor } from '../../../agent/pipeline/colours.js';
import { Heads } from '../../../agent/pipeline/head.js';
import { LocalService } from '../../../agent/pipeline/local.js';
import type { Bundle } from '../../../platform/bundle.js';
import { DeepcodError, ExitCode } from '../../../platform/errors.js';
import { readOperators, timeOperators } from '../../../platform/inference/inspect.js';

type Model = Omit<StoredTimeModel, 'fingerprint'>;

/**
 * Times every point of a bundle as the agent runs it, then operator by operator, and fits the time model.
 * @param colours in which the camera gives its pictures: with planes, what reads them is timed
 * @param say told of progress
 */
export async function measureBundle(
  bundle: Bundle,
  threads: number | undefined,
  colours: Colours,
  runs: number,
  say: (line: string) => void,
): Promise<{ times: DeviceTimes; model: Model }> {
  const points = everyPoint(bundle.manifest);
  const heads = new Heads(bundle, threads);
  const service = new LocalService(bundle, threads);
  let times: DeviceTimes;
  try {
    say(`measuring ${points.map(({ id }) => id).join(', ')}: ${runs} runs each`);
    times = await measureDevice(points, heads, service, colours, runs);
  } finally {
    await Promise.all([heads.close(), service.close()]);
  }
  say('measuring their operators');
  const measured = [];
  for (const point of points.filter(hasModel)) {
    const operators = await inspect(bundle, point, colours, (model) => timeOperators({ model, threads }, runs));
    measured.push(measuredModel(operators, times.inside[point.id], times.mean[point.id]));
  }
  const left = leaveOneOut(measured);
  const known = points.filter(hasModel).flatMap(({ id }, i) => (left[i] === undefined ? [] : [[id, left[i]] as const]));
  return { times, model: { ...fitTimeModel(measured), left_out_ms: Object.fromEntries(known) } };
}

/** What the model expects of every point of a bundle, ms; points that it cannot predict are said and left out. */
export async function predictBundle(
  bundle: Bundle,
  threads: number | undefined,
  colours: Colours,
  model: TimeModel,
  say: (line: string) => void,
): Promise<Record<string, number>> {
  const expected: Record<string, number> = {};
  for (const point of everyPoint(bundle.manifest).filter(hasModel)) {
    const operators = await inspect(bundle, point, colours, (model) => readOperators({ model, threads }));
    try {
      expected[point.id] = predictTime(model, operators.map(operationOf));
    } catch (error) {
      say(`${point.id} cannot be predicted: ${(error as Error).message}`);
    }
  }
  return expected;
}

/** Whether a point runs a network: compressing a picture does not. */
const hasModel = ({ id }: Measurable): boolean => id !== 'jpeg';

/** Opens the model of a point. @throws DeepcodError `model_unreadable` (exit code 3) */
async function inspect<T>(
  { manifest, file }: Bundle,
  { id, partition }: Measurable,
  colours: Colours,
  work: (model: string) => Promise<T>,
): Promise<T> {
  const model = file(id === 'device' ? serviceFor(manifest, colours) : headFor(manifest, partition, colours));
  try {
    return await work(model);
  } catch (error) {
    throw new DeepcodError('model_unreadable', `${model}: ${(error as Error).message}`, undefined, ExitCode.bundle);
  }
}
