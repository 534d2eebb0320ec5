import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../../platform/root.js';
import type { Identity } from './identity.js';
import type { DebPackage } from './package.js';

/** A file of the boot partition: its path there, and what it holds. */
export interface BootFile {
  path: string;
  content: string | { copyOf: string };
}

/** What both systems' first boot finds in `deepcod/` on the boot partition. */
export function payload(
  identity: Identity,
  authority: string,
  agentYaml: string,
  deb: DebPackage,
  updateKey?: string,
): BootFile[] {
  const fromPackage = (name: string): BootFile => ({
    path: `deepcod/${name}`,
    content: readFileSync(join(packageRoot(), 'packaging', 'first-boot', name), 'utf8'),
  });
  const env = {
    name: identity.name,
    // The certificate's own start would do for it; the broker's may be a day younger.
    issued: Math.floor(Date.parse(identity.issued) / 1000) + 86_400,
    package: deb.name,
    package_sha256: deb.sha256,
    package_url: deb.url ?? '',
  };
  return [
    fromPackage('deepcod-first-boot'),
    fromPackage('deepcod-first-boot.service'),
    {
      path: 'deepcod/device.env',
      content: Object.entries(env)
        .map(([k, v]) => `${k}=${shellQuote(String(v))}\n`)
        .join(''),
    },
    { path: 'deepcod/ca.crt', content: authority },
    { path: 'deepcod/device.crt', content: identity.certificate },
    { path: 'deepcod/device.key', content: identity.key },
    ...(updateKey === undefined ? [] : [{ path: 'deepcod/update-key.pem', content: updateKey }]),
    ...(deb.file === undefined ? [] : [{ path: `deepcod/${deb.name}`, content: { copyOf: deb.file } }]),
    // Last: while it is missing, the first boot does nothing.
    { path: 'deepcod/agent.yaml', content: agentYaml },
  ];
}

export const shellQuote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
