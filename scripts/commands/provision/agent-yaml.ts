import { readFileSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { parseDocument } from 'yaml';
import { loadAgentConfig } from '../../../agent/config/config.js';
import { DeepcodError } from '../../../platform/errors.js';
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
const updates = { update: { keys: '/etc/deepcod/update-key.pem', folder: '/var/lib/deepcod/update' } };

/**
 * A device's configuration.
 * @param template a file with the keys that all devices of the site have besides; its comments stay
 * @param takesUpdates whether the card brings a key that releases are signed with
 * @throws DeepcodError `usage`
 */
export function agentYaml(device: string, broker: string, template: string | undefined, takesUpdates: boolean): string {
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
  for (const [section, values] of Object.entries({ ...onDevice, ...(takesUpdates && updates) })) {
    if (section === 'broker') continue;
    if (typeof values === 'string') set([section], values, false);
    else for (const [key, value] of Object.entries(values)) set([section, key], value, false);
  }
  check(document.toJS() as Record<string, unknown>, template);
  return document.toString();
}

/** What the device would refuse is refused here, before it is on fifty cards. @throws DeepcodError `usage` */
function check(settings: Record<string, unknown>, template: string | undefined): void {
  try {
    loadAgentConfig({ overrides: settings });
  } catch (error) {
    if (!(error instanceof DeepcodError)) throw error;
    throw usageError(`--agent ${template}: ${error.message.replaceAll('command line: ', '')}`);
  }
  const { bundle } = settings;
  if (!isAbsolute(bundle as string)) {
    throw usageError(
      `--agent ${template}: bundle: "${bundle}"; needs the whole path on the device: ${onDevice.bundle}`,
    );
  }
}
