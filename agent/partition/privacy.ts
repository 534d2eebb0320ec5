import { DeepcodError, ExitCode } from '../../platform/errors.js';
import type { Log } from '../../platform/log.js';
import type { Manifest } from '../../protocol/manifest.js';

export interface PrivacySettings {
  /** Frames leave the device only from points that reveal at most this, 0..1; undefined: from any. */
  max_reveals?: number;
}

/** Pixels show everything, and so do JPEG files. */
const RAW_REVEALS = 1;

/**
 * Whether frames may leave the device from a point. One without a figure is forbidden as soon as there is a limit: what
 * nobody measured may show anything.
 * @param id partition id, `raw` or `jpeg`
 */
export function mayLeave(manifest: Manifest, id: string, { max_reveals }: PrivacySettings): boolean {
  if (max_reveals === undefined) return true;
  const reveals = revealsOf(manifest, id);
  return reveals !== undefined && reveals <= max_reveals;
}

/** @param id partition id, `raw` or `jpeg`, that may not leave @returns the error to throw: `partition_forbidden`, exit code 2 */
export function forbidden(manifest: Manifest, id: string, settings: PrivacySettings): DeepcodError {
  const allowed = pointIds(manifest).filter((point) => mayLeave(manifest, point, settings));
  return new DeepcodError(
    'partition_forbidden',
    `partition: "${id}" ${describe(manifest, id)}; privacy.max_reveals: ${settings.max_reveals} forbids it; ` +
      `allowed: ${['auto', ...allowed, 'device'].join(', ')}`,
    'Choose one of these, or raise privacy.max_reveals; docs/privacy.md says what the figures mean.',
    ExitCode.usage,
  );
}

/** Says once what a limit means for this bundle; nothing without a limit. */
export function tellPrivacy(manifest: Manifest, settings: PrivacySettings, log: Log): void {
  if (settings.max_reveals === undefined) return;
  const points = pointIds(manifest);
  const allowed = points.filter((id) => mayLeave(manifest, id, settings));
  const facts = {
    max_reveals: settings.max_reveals,
    allowed: [...allowed, 'device'].join(', '),
    forbidden: points
      .filter((id) => !allowed.includes(id))
      .map((id) => `${id} (${describe(manifest, id)})`)
      .join(', '),
  };
  if (allowed.length > 0) log.info('privacy limits where frames may leave', facts);
  else log.warn('privacy lets no frame leave: the service runs on this device', facts);
}

const pointIds = ({ partitions, pictures }: Manifest): string[] => [
  'raw',
  ...(pictures ? ['jpeg'] : []),
  ...partitions.map(({ id }) => id),
];

const revealsOf = ({ partitions }: Manifest, id: string): number | undefined =>
  id === 'raw' || id === 'jpeg' ? RAW_REVEALS : partitions.find((point) => point.id === id)?.reveals;

function describe(manifest: Manifest, id: string): string {
  const reveals = revealsOf(manifest, id);
  return reveals === undefined ? 'has no figure of what it reveals' : `reveals ${reveals}`;
}
