import type { LogFields } from '../../platform/log.js';
import type { HealthMessage } from '../../protocol/health.js';

/** The health message in one line of the log. */
export function summaryOf(health: HealthMessage): LogFields {
  const { system = {} } = health;
  const lost = Object.entries(health.drops ?? {}).map(([cause, count]) => `${cause}:${count}`);
  const mb = (bytes: number | undefined) => bytes && Math.round(bytes / 2 ** 20);
  return {
    fps: health.fps,
    frames: health.frames,
    results: health.results,
    lost: health.lost,
    drops: lost.join(',') || undefined,
    partition: health.partition,
    rate: health.rate,
    total_ms: health.steps_ms?.total,
    mbit_s: health.bandwidth_bps && health.bandwidth_bps / 1e6,
    waiting_results: health.waiting_results || undefined,
    rss_mb: mb(health.rss_bytes),
    temperature_c: system.temperature_c,
    throttled: system.throttled?.now.join(',') || undefined,
    throttled_since_boot: system.throttled?.since_boot.join(',') || undefined,
    power_w: system.power_w,
    cpu: system.cpu,
    memory_mb: mb(system.memory?.available),
    disk_mb: mb(system.disk_free_bytes),
    wifi_dbm: system.wifi?.signal_dbm,
    uptime_s: Math.round(health.uptime_s),
  };
}
