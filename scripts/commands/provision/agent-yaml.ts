import { readFileSync } from 'node:fs';
import { parseDocument } from 'yaml';
import { usageError } from '../../../platform/main.js';

/** Where things lie on the device; packaging/first-boot/deepcod-first-boot puts them there. */
const onDevice = {
  broker: {
    ca_file: '/etc/deepcod/ca.crt',
    cert_file: '/etc/deepcod/device.crt',
    key_file: '/etc/deepcod/device.key',
  },
  bundle: '/usr/lib/deepcod/models/onnx/worksite',
  camera: { source: 'rpicam' },
  results: { folder: '/var/lib/deepcod/results' },
  profile: { file: '/var/lib/deepcod/profile.json' },
};

/**
 * A device's configuration.
 * @param template a file with the keys that all devices of the site have besides; its comments stay
 * @throws DeepcodError `usage`
 */
export function agentYaml(device: string, broker: string, template: string | undefined): string {
  let text = '';
  try {
    if (template !== undefined) text = readFileSync(template, 'utf8');
  } catch (error) {
    throw usageError(`--agent ${template}: ${(error as Error).message}`);
  }
  const document = parseDocument(text);
  if (document.errors.length > 0) throw usageError(`--agent ${template}: ${document.errors[0].message}`);
  const set = (path: string[], value: unknown, always: boolean) => {
    if (always || !document.hasIn(path)) document.setIn(path, value);
  };
  set(['device'], device, true);
  set(['broker', 'url'], broker, true);
  for (const [key, value] of Object.entries(onDevice.broker)) set(['broker', key], value, true);
  for (const [section, values] of Object.entries(onDevice)) {
    if (section === 'broker') continue;
    if (typeof values === 'string') set([section], values, false);
    else for (const [key, value] of Object.entries(values)) set([section, key], value, false);
  }
  return document.toString();
}
