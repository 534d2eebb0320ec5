import type { AgentConfig } from '../../../agent/config/config.js';
import type { Bundle } from '../../../platform/bundle.js';
import type { HealthMessage } from '../../../protocol/health.js';
import type { DeviceStatus, EdgeStatus } from '../../../protocol/status.js';
import type { DoctorClient } from './client.js';

/** What checks learn and later ones use. */
export interface Known {
  /** What the agent uses: its file, and the settings of a release over it. */
  config?: AgentConfig;
  /** The bundle that it uses: the configured one, or a release's. */
  bundleFolder?: string;
  /** The broker's host and port, from its address. */
  broker?: { host: string; port: number; tls: boolean };
  /** Addresses of the broker's host. */
  addresses?: string[];
  /** Milliseconds until the broker's port took a connection. */
  tcpMs?: number;
  /** TLS was agreed on, or is not wanted. */
  secure?: true;
  /** Logged in at the broker. */
  client?: DoctorClient;
  /** Topics may be written and read. */
  permitted?: true;
  /** Median round trip to the broker, ms. */
  delayMs?: number;
  /** Upload, bits per second. */
  uploadBps?: number;
  /** Edges by worker name, as they announce themselves. */
  edges?: Map<string, EdgeStatus>;
  /** An edge that is there and has this bundle. */
  edge?: string;
  /** ONNX Runtime can be loaded. */
  runtime?: true;
  bundle?: Bundle;
  /** A frame message of a grey picture, made by the self-test. */
  testFrame?: { message: Uint8Array; session: number };
  /** State of the systemd unit: `active`, `failed`, ...; absent where there is no such unit. */
  service?: string;
  /** What the running agent says of itself at the broker. */
  status?: DeviceStatus;
  health?: HealthMessage;
}
