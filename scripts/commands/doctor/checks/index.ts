import type { Check } from '../check.js';
import { agentCheck } from './agent.js';
import { bundleCheck } from './bundle.js';
import { cameraCheck } from './camera.js';
import { clockCheck } from './clock.js';
import { configurationCheck } from './configuration.js';
import { diskCheck } from './disk.js';
import { dnsCheck } from './dns.js';
import { edgeCheck } from './edge.js';
import { heatCheck } from './heat.js';
import { inferenceCheck } from './inference.js';
import { linkCheck } from './link.js';
import { loginCheck } from './login.js';
import { memoryCheck } from './memory.js';
import { powerCheck } from './power.js';
import { runtimeCheck } from './runtime.js';
import { secretsCheck } from './secrets.js';
import { serviceCheck } from './service.js';
import { storageCheck } from './storage.js';
import { tcpCheck } from './tcp.js';
import { tlsCheck } from './tls.js';
import { topicsCheck } from './topics.js';
import { tripCheck } from './trip.js';
import { versionsCheck } from './versions.js';
import { wifiCheck } from './wifi.js';

/**
 * Every check; a new one is a file beside this one, and a line here. The order is that of the report, and of causes: what
 * comes first explains what comes later.
 * @param config file of --config
 */
export const allChecks = (config: string | undefined): Check[] => [
  configurationCheck(config),
  secretsCheck,
  powerCheck,
  heatCheck,
  clockCheck,
  diskCheck,
  storageCheck,
  memoryCheck,
  serviceCheck,
  cameraCheck,
  runtimeCheck,
  bundleCheck,
  inferenceCheck,
  wifiCheck,
  dnsCheck,
  tcpCheck,
  tlsCheck,
  loginCheck,
  topicsCheck,
  linkCheck,
  edgeCheck,
  agentCheck,
  tripCheck,
  versionsCheck,
];
