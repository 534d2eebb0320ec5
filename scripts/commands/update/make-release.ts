import { createPublicKey, type KeyObject, sign } from 'node:crypto';
import { join } from 'node:path';
import { describeFile } from '../../../edge/update/files.js';
import { openBundle } from '../../../platform/bundle.js';
import { MANIFEST_FILE } from '../../../protocol/manifest.js';
import {
  keyId,
  type Release,
  type ReleaseFile,
  type SignedRelease,
  signedBytes,
  validateRelease,
} from '../../../protocol/update.js';

/** What whoever signs says about a release. */
export interface ReleaseTerms {
  to: 'all' | string[];
  /** Default: seconds since 1970, which count up by themselves. */
  sequence?: number;
  allowOlder?: boolean;
  minAgent: string;
  /** Default: now. */
  created?: Date;
}

/** A release of a bundle. @param folder of the bundle @throws DeepcodError of openBundle, ProtocolError `release_invalid` */
export async function bundleRelease(folder: string, terms: ReleaseTerms, key: KeyObject): Promise<SignedRelease> {
  const { id, dir, manifest } = await openBundle(folder);
  const files: Record<string, ReleaseFile> = {};
  for (const name of [MANIFEST_FILE, ...Object.keys(manifest.files)]) {
    files[name] = (await describeFile(join(dir, ...name.split('/')))).file;
  }
  return signed({ ...common(terms, key), kind: 'bundle', service: manifest.service.name, bundle: id, files }, key);
}

/** A release of settings. @param config keys of agent.yaml @throws ProtocolError `release_invalid` */
export function configRelease(config: Record<string, unknown>, terms: ReleaseTerms, key: KeyObject): SignedRelease {
  return signed({ ...common(terms, key), kind: 'config', config }, key);
}

function common({ to, sequence, allowOlder, minAgent, created = new Date() }: ReleaseTerms, key: KeyObject) {
  return {
    format: 1 as const,
    to,
    sequence: sequence ?? Math.floor(created.getTime() / 1000),
    ...(allowOlder && { allow_older: true as const }),
    created: created.toISOString(),
    min_agent: minAgent,
    key: keyId(createPublicKey(key)),
  };
}

function signed(release: Release, key: KeyObject): SignedRelease {
  const signature = sign(null, signedBytes(release), key).toString('base64url');
  return validateRelease({ ...release, signature });
}
