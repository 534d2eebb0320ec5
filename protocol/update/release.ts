import { createHash, type KeyObject, verify } from 'node:crypto';
import { ProtocolError } from '../errors.js';
import { isBundlePath, MANIFEST_FILE } from '../manifest.js';
import { isDeviceName } from '../topics.js';
import { compileSchema, listProblems, type Schema, show } from '../validate.js';
import { canonicalJson } from './canonical.js';
import { CHUNK_BYTES } from './chunks.js';

/** A signed release as JSON, at most. */
export const RELEASE_MAX_BYTES = 48 * 1024;
/** A bundle's files, and all of them together. */
export const FILE_MAX_BYTES = 2 ** 31;
export const BUNDLE_MAX_BYTES = 2 ** 33;

/** Signatures stand for releases alone: what is signed begins with this line. */
const PURPOSE = 'deepcod release 1\n';

export interface ReleaseFile {
  bytes: number;
  sha256: string;
  /** SHA-256 of the file's chunk list; there when the file has more than one chunk. */
  chunks?: string;
}

interface ReleaseBase {
  format: 1;
  /** Devices that it is meant for. */
  to: 'all' | string[];
  /** Counts up; a device refuses what is not above the highest that it accepted. */
  sequence: number;
  /** It may be taken, once, although its number is not above. */
  allow_older?: true;
  /** When it was signed, ISO 8601, UTC. */
  created: string;
  /** Oldest version of the agent that may take it. */
  min_agent: string;
  /** Id of the key that signed it. */
  key: string;
}

export interface BundleRelease extends ReleaseBase {
  kind: 'bundle';
  /** Name of the service, from the manifest. */
  service: string;
  /** Bundle id: the first 16 digits of the manifest's SHA-256. */
  bundle: string;
  /** manifest.json and every file that it lists. */
  files: Record<string, ReleaseFile>;
}

export interface ConfigRelease extends ReleaseBase {
  kind: 'config';
  /** The keys of agent.yaml that change. */
  config: Record<string, unknown>;
}

export type Release = BundleRelease | ConfigRelease;
export type SignedRelease = Release & { signature: string };
export type ReleaseKind = Release['kind'];

const hash = { type: 'string', pattern: '^[0-9a-f]{64}$', description: '64 lower-case hex digits' };
const common = {
  format: { const: 1 },
  to: {
    anyOf: [
      { const: 'all' },
      { type: 'array', minItems: 1, maxItems: 1000, items: { type: 'string', maxLength: 64 }, uniqueItems: true },
    ],
  },
  sequence: { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER },
  allow_older: { const: true },
  created: {
    type: 'string',
    pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$',
    description: 'a time like 2026-11-21T10:00:00.000Z',
  },
  min_agent: { type: 'string', pattern: '^\\d{1,6}\\.\\d{1,6}\\.\\d{1,6}$', description: 'a version like 0.1.0' },
  key: { type: 'string', pattern: '^[0-9a-f]{16}$', description: '16 lower-case hex digits' },
  signature: { type: 'string', pattern: '^[A-Za-z0-9_-]{86}$', description: 'an ed25519 signature, base64url' },
};
const required = ['format', 'kind', 'to', 'sequence', 'created', 'min_agent', 'key', 'signature'];

/** A signed release. Nothing may stand in it that is not known: what is signed is what is meant. */
export const releaseSchema: Schema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'DeepCOD signed release, format 1',
  type: 'object',
  required: ['kind'],
  discriminator: { propertyName: 'kind' },
  oneOf: [
    {
      type: 'object',
      additionalProperties: false,
      required: [...required, 'service', 'bundle', 'files'],
      properties: {
        ...common,
        kind: { const: 'bundle' },
        service: { type: 'string', minLength: 1, maxLength: 128 },
        bundle: { type: 'string', pattern: '^[0-9a-f]{16}$', description: '16 lower-case hex digits' },
        files: {
          type: 'object',
          minProperties: 2,
          maxProperties: 256,
          description: '2 to 256 files',
          additionalProperties: {
            type: 'object',
            additionalProperties: false,
            required: ['bytes', 'sha256'],
            properties: {
              bytes: { type: 'integer', minimum: 0, maximum: FILE_MAX_BYTES },
              sha256: hash,
              chunks: hash,
            },
          },
        },
      },
    },
    {
      type: 'object',
      additionalProperties: false,
      required: [...required, 'config'],
      properties: {
        ...common,
        kind: { const: 'config' },
        config: { type: 'object', minProperties: 1, maxProperties: 32 },
      },
    },
  ],
};

const check = compileSchema<SignedRelease>(releaseSchema, 'release', 'release_invalid');

/**
 * Checks a release's form, and that its parts agree: names that stay inside the bundle, sizes within bounds, the bundle id
 * of its manifest. The signature is another matter: `verifyRelease`.
 * @param value parsed JSON @throws ProtocolError `release_invalid`
 */
export function validateRelease(value: unknown): SignedRelease {
  const release = check(value);
  const problems: string[] = [];
  if (release.to !== 'all') {
    for (const name of release.to) if (!isDeviceName(name)) problems.push(`to: ${show(name)} is no device's name`);
  }
  if (Number.isNaN(Date.parse(release.created))) problems.push(`created: ${show(release.created)} is no time`);
  if (release.kind === 'bundle') problems.push(...fileProblems(release));
  if (JSON.stringify(release).length > RELEASE_MAX_BYTES) problems.push(`longer than ${RELEASE_MAX_BYTES} bytes`);
  if (problems.length > 0) throw new ProtocolError('release_invalid', listProblems('release', problems), problems);
  return release;
}

function fileProblems({ files, bundle }: BundleRelease): string[] {
  const problems: string[] = [];
  let total = 0;
  for (const [name, { bytes, chunks }] of Object.entries(files)) {
    total += bytes;
    if (name !== MANIFEST_FILE && !isBundlePath(name)) {
      problems.push(`files: ${show(name)}; a relative path with / between names, no ".."`);
    }
    if (bytes > CHUNK_BYTES !== (chunks !== undefined)) {
      problems.push(`files: ${show(name)}: chunks belong to files of more than ${CHUNK_BYTES} bytes, and to no others`);
    }
  }
  if (total > BUNDLE_MAX_BYTES) problems.push(`files: ${total} bytes in all; at most ${BUNDLE_MAX_BYTES}`);
  const manifest = Object.hasOwn(files, MANIFEST_FILE) ? files[MANIFEST_FILE] : undefined;
  if (!manifest) problems.push(`files: no ${MANIFEST_FILE}`);
  else if (!manifest.sha256.startsWith(bundle)) problems.push(`bundle: ${show(bundle)} is not its manifest's id`);
  return problems;
}

/** What a signature is made over. */
export function signedBytes(release: Release): Buffer {
  const { signature: _, ...document } = release as SignedRelease;
  return Buffer.from(PURPOSE + canonicalJson(document));
}

/** Whether a release was signed with this key. */
export function verifyRelease(release: SignedRelease, key: KeyObject): boolean {
  return verify(null, signedBytes(release), key, Buffer.from(release.signature, 'base64url'));
}

/** A key's id: the first 16 hex digits of the SHA-256 of the public key (SubjectPublicKeyInfo, DER). @param key public */
export function keyId(key: KeyObject): string {
  const der = key.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(der).digest('hex').slice(0, 16);
}

/** What a release is remembered by: SHA-256 of what was signed, 64 hex digits. */
export function releaseDigest(release: Release): string {
  return createHash('sha256').update(signedBytes(release)).digest('hex');
}

/** Whether version a comes before b; both like 1.2.3. */
export function isOlderVersion(a: string, b: string): boolean {
  const [x, y] = [a, b].map((version) => version.split('.').map(Number));
  for (let i = 0; i < 3; i++) if (x[i] !== y[i]) return (x[i] ?? 0) < (y[i] ?? 0);
  return false;
}
