import { DeepcodError, ExitCode } from '../../platform/errors.js';
import { didYouMean } from '../../platform/suggest.js';
import { type Accuracy, type Manifest, rawBytes } from '../../protocol/manifest.js';
import { checkPrivacy, mayLeave, type PrivacySettings } from './privacy.js';

/** Where and how a frame can be answered. */
export interface Choice {
  /** Partition id, `raw` or `device`. */
  id: string;
  /** Index in the manifest's partitions; -1 for `raw` and `device`. */
  partition: number;
  rate: number;
  /** Mean payload, bytes; 0 for `device`. */
  bytes: number;
  /** Work before and after the link, FLOPs. */
  deviceFlops: number;
  edgeFlops: number;
}

export interface ChoiceSettings {
  partition: string;
  rate: 'auto' | number;
  accuracy_floor: number;
  privacy: PrivacySettings;
}

/** All of the service on the device. */
export function deviceChoice(manifest: Manifest): Choice {
  return { id: 'device', partition: -1, rate: 0, bytes: 0, deviceFlops: manifest.service.flops, edgeFlops: 0 };
}

/** Pixels as they are; the whole service at the edge. */
export function rawChoice(manifest: Manifest): Choice {
  return {
    id: 'raw',
    partition: -1,
    rate: 0,
    bytes: rawBytes(manifest),
    deviceFlops: 0,
    edgeFlops: manifest.service.flops,
  };
}

/**
 * What the decision may choose from. `auto` offers every (partition, rate) pair that keeps the accuracy floor, and
 * `device`; if none keeps it, the most accurate pairs there are; in a bundle without partition points, `raw` and `device`.
 * A point that privacy forbids is never among them.
 * @throws DeepcodError `partition_unknown`, `rate_unknown` (exit code 2) for a setting that this bundle lacks,
 *   `partition_forbidden` (2) for a point that privacy forbids
 */
export function choicesFor(manifest: Manifest, settings: ChoiceSettings): Choice[] {
  const { partition, rate } = settings;
  if (partition === 'device') return [deviceChoice(manifest)];
  if (partition === 'raw') {
    checkPrivacy(manifest, partition, settings.privacy);
    return [rawChoice(manifest)];
  }
  const all = manifest.partitions.flatMap((point, index) =>
    point.rates.map((entry, rateIndex) => ({
      accuracy: relative(entry.accuracy ?? point.accuracy, manifest.accuracy),
      choice: {
        id: point.id,
        partition: index,
        rate: rateIndex,
        bytes: entry.payload_bytes_mean,
        deviceFlops: point.flops.prefix + point.flops.encoder,
        edgeFlops: point.flops.decoder + point.flops.remainder,
      } satisfies Choice,
    })),
  );
  if (partition === 'auto' && all.length === 0) {
    const raw = mayLeave(manifest, 'raw', settings.privacy) ? [rawChoice(manifest)] : [];
    return [...raw, deviceChoice(manifest)];
  }
  const wanted = all.filter(({ choice }) => partition === 'auto' || choice.id === partition);
  if (wanted.length === 0) {
    const known = ['auto', 'raw', 'device', ...manifest.partitions.map((point) => point.id)];
    throw new DeepcodError(
      'partition_unknown',
      `partition: "${partition}" is no partition point of the bundle "${manifest.service.name}"; ${didYouMean(partition, known)}`,
      `It has ${known.slice(3).join(', ')}.`,
      ExitCode.usage,
    );
  }
  if (rate !== 'auto') {
    const fixed = wanted.filter(({ choice }) => choice.rate === rate);
    if (fixed.length === 0) {
      const most = Math.max(...wanted.map(({ choice }) => choice.rate));
      throw new DeepcodError(
        'rate_unknown',
        `rate: ${rate} is not in the bundle; allowed: auto, 0 to ${most}`,
        undefined,
        ExitCode.usage,
      );
    }
    wanted.splice(0, wanted.length, ...fixed);
  }
  if (partition !== 'auto') checkPrivacy(manifest, partition, settings.privacy);
  const allowed = wanted.filter(({ choice }) => mayLeave(manifest, choice.id, settings.privacy));
  const good = allowed.filter(({ accuracy }) => accuracy >= settings.accuracy_floor);
  const best = Math.max(...allowed.map(({ accuracy }) => accuracy));
  const kept = good.length > 0 ? good : allowed.filter(({ accuracy }) => accuracy === best);
  const choices = kept.map(({ choice }) => choice);
  return partition === 'auto' ? [...choices, deviceChoice(manifest)] : choices;
}

/** Accuracy as a share of the uncompressed service's; 1 where nothing was measured. */
function relative(accuracy: Accuracy | undefined, reference: Accuracy | undefined): number {
  if (accuracy?.ap50_relative !== undefined) return accuracy.ap50_relative;
  if (accuracy?.ap_relative !== undefined) return accuracy.ap_relative;
  if (accuracy?.ap50 !== undefined && reference?.ap50) return accuracy.ap50 / reference.ap50;
  if (accuracy?.ap !== undefined && reference?.ap) return accuracy.ap / reference.ap;
  return 1;
}
