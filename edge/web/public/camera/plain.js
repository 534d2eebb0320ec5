import { ago } from '../parts/format.js';
import { lasted } from '../parts/time.js';
import { t } from '../t.js';
import { standing } from '../technical/decision.js';

const HOT_C = 80;
const WEAK_DBM = -75;
const LOW_DISK_BYTES = 200e6;
const FULL_MEMORY = 0.08;

/**
 * How a camera is doing, in plain words: what is wrong first, each with what to do.
 * @param device as the live stream has it @param state `online`, `silent` or `offline` @param now the edge's clock
 * @returns {{level: 'good' | 'wait' | 'bad', words: string}[]}
 */
export function plainHealth(device, state, now) {
  const lines = [];
  const say = (level, words) => lines.push({ level, words });
  if (state !== 'online') say('bad', t(`health.${state}`, { ago: ago(now - device.lastSeen) }));
  const { camera, system = {}, fps } = device.health ?? {};
  if (camera && camera.state !== 'running') {
    const words = t(`health.camera.${camera.state}`, { time: lasted(camera.since_s * 1000) });
    say(camera.state === 'starting' ? 'wait' : 'bad', [words, camera.message].filter(Boolean).join(' '));
  }
  const { local, waiting } = standing(device);
  if (local) say('wait', local);
  if (waiting) say('wait', waiting);
  machine(system, say);
  const error = device.errors.at(-1);
  if (error && now - error.at < 60_000) say('bad', [error.message, error.hint].filter(Boolean).join('. '));
  if (lines.length === 0)
    say('good', fps === undefined ? t('health.good') : t('health.good_fps', { fps: fps.toFixed(1) }));
  return lines;
}

function machine({ throttled, temperature_c, wifi, disk_free_bytes, memory, clock_synchronised }, say) {
  for (const cause of throttled?.now ?? []) say('bad', t(`health.throttled.${cause}`));
  if (temperature_c >= HOT_C && !throttled?.now.length) say('wait', t('health.hot', { n: Math.round(temperature_c) }));
  if (wifi?.signal_dbm <= WEAK_DBM) say('wait', t('health.wifi', { signal: wifi.signal_dbm }));
  if (disk_free_bytes < LOW_DISK_BYTES) say('bad', t('health.disk', { n: Math.round(disk_free_bytes / 1e6) }));
  if (memory && memory.available / memory.total < FULL_MEMORY) say('wait', t('health.memory'));
  if (clock_synchronised === false) say('wait', t('health.clock'));
}

/** What there is to know of the machine. @returns {[string, string][]} names and values */
export function machineFacts({ health, versions }) {
  const { camera, system = {}, uptime_s } = health ?? {};
  const { model, temperature_c, cpu, wifi, uptime_s: since } = system;
  return [
    [t('machine.camera'), camera?.description],
    [t('machine.model'), model],
    [t('machine.temperature'), temperature_c === undefined ? undefined : `${temperature_c.toFixed(0)}\u202f°C`],
    [t('machine.cpu'), cpu === undefined ? undefined : t('percent', { n: Math.round(cpu * 100) })],
    [t('machine.wifi'), wifi && `${wifi.signal_dbm}\u202fdBm`],
    [t('machine.up'), since === undefined ? undefined : lasted(since * 1000)],
    [t('machine.agent_up'), uptime_s === undefined ? undefined : lasted(uptime_s * 1000)],
    [t('machine.version'), versions?.deepcod],
  ].filter(([, value]) => value !== undefined && value !== '');
}
