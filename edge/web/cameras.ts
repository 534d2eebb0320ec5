import type { LiveDevice } from '../store/live.js';
import type { ApiContext } from './routes/context.js';

/** A camera in the list: what the schema CameraSummary says. */
export function cameraSummary(device: LiveDevice, { site }: ApiContext, now: number): object {
  const { name, lastSeen, health, status, online } = device;
  const last = device.trips.at(-1);
  return {
    name,
    state: device.present(now) ? 'online' : online ? 'silent' : 'offline',
    last_seen: lastSeen,
    bundle: health?.bundle ?? status?.bundle,
    partition: last?.partition ?? health?.partition,
    rate: last?.rate ?? health?.rate,
    fps: health?.fps,
    bytes_mean: health?.bytes_mean,
    bandwidth_bps: health?.bandwidth_bps,
    total_ms: health?.steps_ms?.total,
    picture: device.shown(now)?.snapshot !== undefined,
    open_alerts: site?.openAlerts(name) ?? 0,
  };
}

/** A camera's page: what the schema Camera says. */
export function cameraDetail(device: LiveDevice, context: ApiContext, now: number): object {
  const { health, decision, counts, errors, status } = device;
  const facts = context.bundles.get((health?.bundle ?? status?.bundle)?.id ?? '');
  return {
    ...cameraSummary(device, context, now),
    ...counts,
    steps_ms: health?.steps_ms,
    drops: health?.drops,
    versions: health?.versions ?? status?.versions,
    uptime_s: health?.uptime_s,
    waiting_results: health?.waiting_results,
    reason: decision?.reason,
    why: decision?.why,
    labels: facts?.labels ?? [],
    choices: facts?.choices ?? [],
    errors,
  };
}
