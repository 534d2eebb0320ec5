import { DeepcodError, ExitCode } from '../../platform/errors.js';
import { didYouMean } from '../../platform/suggest.js';
import { type Accuracy, type Manifest, rawBytes } from '../../protocol/manifest.js';
import { forbidden, mayLeave, type PrivacySettings } from './privacy.js';

/** Where and how a frame can be answered. */
export interface Choice {
  /** Partition id, `raw`, `jpeg` or `device`. */
  id: string;
  /** Index in the manifest's partitions; -1 for the others. */
  partition: number;
  rate: number;
  /** Mean payload, bytes; 0 for `device`. */
  bytes: number;
  /** Share of the uncompressed service's accuracy; 1 where nothing was measured. */
  accuracy: number;
  /** Work before and after the link, FLOPs. */
  deviceFlops: number;
  edgeFlops: number;
}

export interface ChoiceSettings {
  partition: string;
  rate: 'auto' | number;
  /** Whether `auto` may send the picture itself. */
  pictures: boolean;
  accuracy_floor: number;
  privacy: PrivacySettings;
}

/** All of the service on the device. */
export function deviceChoice(manifest: Manifest): Choice {
  return {
    id: 'device',
    partition: -1,
    rate: 0,
    bytes: 0,
    accuracy: 1,
    deviceFlops: manifest.service.flops,
    edgeFlops: 0,
  };
}

/** Pixels as they are; the whole service at the edge. */
export function rawChoice(manifest: Manifest): Choice {
  return {
    id: 'raw',
    partition: -1,
    rate: 0,
    bytes: rawBytes(manifest),
    accuracy: 1,
    deviceFlops: 0,
    edgeFlops: manifest.service.flops,
  };
}

/** What compressing a picture takes, in operations per pixel: a guess that the first measurement replaces. */
const JPEG_FLOPS = 100;

/** The picture as a JPEG file, at the manifest's qualities; the whole service at the edge. */
function jpegChoices(manifest: Manifest): Choice[] {
  const { pictures = [], service, input } = manifest;
  return pictures.map(({ payload_bytes_mean: bytes, accuracy }, rate) => ({
    id: 'jpeg',
    partition: -1,
    rate,
    bytes,
    accuracy: relative(accuracy, manifest.accuracy),
    deviceFlops: JPEG_FLOPS * input.width * input.height,
    edgeFlops: service.flops,
  }));
}

/**
 * What the decision may choose from. `auto` offers every (partition, rate) pair that keeps the accuracy floor, and
 * `device`; if none keeps it, the most accurate pairs there are; in a bundle without partition points, `raw` and `device`.
 * With `pictures` it offers `raw` and `jpeg` too.
 * A point that privacy forbids is never among them.
 * @throws DeepcodError `partition_unknown`, `rate_unknown` (exit code 2) for a setting that this bundle lacks,
 *   `partition_forbidden` (2) for a point that privacy forbids
 */
export function choicesFor(manifest: Manifest, settings: ChoiceSettings): Choice[] {
  const { partition, privacy } = settings;
  const device = deviceChoice(manifest);
  if (partition === 'device') return [device];
  const asked = askedFor(manifest, settings);
  const allowed = asked.filter(({ id }) => mayLeave(manifest, id, privacy));
  if (partition !== 'auto' && allowed.length === 0) throw forbidden(manifest, partition, privacy);
  const good = allowed.filter(({ accuracy }) => accuracy >= settings.accuracy_floor);
  const best = Math.max(...allowed.map(({ accuracy }) => accuracy));
  const choices = good.length > 0 ? good : allowed.filter(({ accuracy }) => accuracy === best);
  return partition === 'auto' ? [...choices, device] : choices;
}

/** What the settings ask for, whatever it reveals. @throws DeepcodError `partition_unknown`, `rate_unknown` */
function askedFor(manifest: Manifest, { partition, rate, pictures }: ChoiceSettings): Choice[] {
  const { partitions, service } = manifest;
  const raw = rawChoice(manifest);
  if (partition === 'raw') return [raw];
  const coded = partitions.flatMap((_, index) => candidatesOf(manifest, index));
  const jpegs = jpegChoices(manifest);
  if (partition === 'auto') {
    if (coded.length === 0 && !pictures) return [raw];
    const whole = pictures ? [raw, ...jpegs] : [];
    return [...ofRate(coded, rate), ...whole];
  }
  const all = [...coded, ...jpegs];
  const points = all.filter(({ id }) => id === partition);
  if (points.length === 0) {
    const ids = [...new Set(all.map(({ id }) => id))];
    throw new DeepcodError(
      'partition_unknown',
      `partition: "${partition}" is no partition point of the bundle "${service.name}"; ${didYouMean(partition, ['auto', 'raw', 'device', ...ids])}`,
      `It has ${ids.join(', ')}.`,
      ExitCode.usage,
    );
  }
  return ofRate(points, rate);
}

/** @throws DeepcodError `rate_unknown` where there are points, but none has this rate */
function ofRate(points: Choice[], rate: 'auto' | number): Choice[] {
  const wanted = points.filter((choice) => rate === 'auto' || choice.rate === rate);
  if (wanted.length === 0 && points.length > 0) {
    const most = Math.max(...points.map((choice) => choice.rate));
    throw new DeepcodError(
      'rate_unknown',
      `rate: ${rate} is not in the bundle; allowed: auto, 0 to ${most}`,
      undefined,
      ExitCode.usage,
    );
  }
  return wanted;
}

/** All rates of one partition point. */
function candidatesOf(manifest: Manifest, index: number): Choice[] {
  const { id, rates, flops, accuracy } = manifest.partitions[index];
  return rates.map((entry, rate) => ({
    id,
    partition: index,
    rate,
    bytes: entry.payload_bytes_mean,
    accuracy: relative(entry.accuracy ?? accuracy, manifest.accuracy),
    deviceFlops: flops.prefix + flops.encoder,
    edgeFlops: flops.decoder + flops.remainder,
  }));
}

/** Accuracy as a share of the uncompressed service's; 1 where nothing was measured. */
function relative(accuracy: Accuracy | undefined, reference: Accuracy | undefined): number {
  if (accuracy?.ap50_relative !== undefined) return accuracy.ap50_relative;
  if (accuracy?.ap_relative !== undefined) return accuracy.ap_relative;
  if (accuracy?.ap50 !== undefined && reference?.ap50) return accuracy.ap50 / reference.ap50;
  if (accuracy?.ap !== undefined && reference?.ap) return accuracy.ap / reference.ap;
  return 1;
}
