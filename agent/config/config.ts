import { hostname } from 'node:os';
import { loadConfig } from '../../platform/config.js';
import { DeepcodError, ExitCode } from '../../platform/errors.js';
import type { LogLevel } from '../../platform/log.js';
import type { BrokerConfig } from '../../platform/mqtt.js';
import type { TracesConfig } from '../../platform/traces/config.js';
import type { CameraConfig } from '../camera/schema.js';
import type { AgentMetricsConfig } from '../integrations/config.js';
import type { PowerModel } from '../partition/energy.js';
import type { Prices } from '../partition/predictor.js';
import type { UpdateConfig } from '../update/config.js';
import type { CaptureConfig } from './capture.js';
import { agentSchema } from './schema.js';

/** agent.yaml, checked and completed; config/schema.ts says what each key means. */
export interface AgentConfig {
  device: string;
  base: string;
  broker: BrokerConfig;
  bundle: string;
  camera: CameraConfig;
  capture: CaptureConfig;
  partition: string;
  rate: 'auto' | number;
  pictures: boolean;
  accuracy_floor: number;
  privacy: { max_reveals?: number };
  in_flight: number;
  timeout_ms: number;
  key_interval_s: number;
  fallback: boolean;
  /** Follow commands that come over the broker. */
  commands: boolean;
  results: { folder?: string; megabytes: number };
  threads?: number;
  prices: Prices;
  power?: PowerModel;
  profile: { file?: string; bandwidth_mbps: number; device_scale: number };
  health: { interval_s: number };
  update: UpdateConfig;
  metrics: AgentMetricsConfig;
  traces: TracesConfig;
  log: { level: LogLevel };
}

/** @throws DeepcodError `config_*`, exit code 2 */
export function loadAgentConfig(sources: Parameters<typeof loadConfig>[1]): AgentConfig {
  const config = loadConfig<AgentConfig>(agentSchema, sources);
  config.device ??= deviceName(hostname());
  if (config.power) checkPower(config.power);
  return config;
}

/** A host name as a device's name. `edge` is taken: it stands for the edges in topics. */
function deviceName(host: string): string {
  const name = host.replaceAll(/[^A-Za-z0-9_-]/g, '-').slice(0, 64);
  return name === '' || name === 'edge' ? `${name || 'a'}-device` : name;
}

/** @throws DeepcodError `config_power`: who computes or sends draws no less than who does nothing */
function checkPower({ idle_w, busy_w, send_w }: PowerModel): void {
  for (const [key, watts] of Object.entries({ busy_w, send_w })) {
    if (watts >= idle_w) continue;
    const message = `power.${key}: ${watts} is less than power.idle_w: ${idle_w}`;
    throw new DeepcodError('config_power', message, 'Each is what the whole device draws, in watts.', ExitCode.usage);
  }
}
