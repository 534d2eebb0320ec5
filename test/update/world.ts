import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AgentConfig, loadAgentConfig } from '../../agent/config/config.js';
import { newTrip, type Trip } from '../../agent/pipeline/trip.js';
import type { Piece, PieceSource } from '../../agent/update/chunk-link.js';
import { type Disk, realDisk } from '../../agent/update/disk.js';
import { NotNow } from '../../agent/update/errors.js';
import type { SelfTest } from '../../agent/update/install.js';
import type { Clock } from '../../agent/update/pacer.js';
import { findStart } from '../../agent/update/start.js';
import { type UpdateHost, Updater } from '../../agent/update/updater.js';
import { describeFile, readPiece, type ServedFile } from '../../edge/update/files.js';
import { type Bundle, openBundle } from '../../platform/bundle.js';
import { createLog, type LogEvent } from '../../platform/log.js';
import { packageRoot } from '../../platform/root.js';
import type { Manifest } from '../../protocol/manifest.js';
import type { EdgeStatus } from '../../protocol/status.js';
import type { SignedRelease, UpdateStatus } from '../../protocol/update.js';
import { bundleRelease, type ReleaseTerms } from '../../scripts/commands/update/make-release.js';

export const tinyBundle = join(packageRoot(), 'test/fixtures/tiny-bundle');

/** The real disk, but nobody waits for it: tests that cut the power know by themselves what was synced. */
export const quickDisk: Disk = { ...realDisk, sync: async () => {} };

/** A folder that is removed at the end of a test. */
export async function tempFolder(t: { teardown(f: () => unknown): void }): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'deepcod-update-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A new key; its public half lies in `keys` as PEM. */
export function newKey(keys?: string, name = 'site'): KeyObject {
  const { privateKey } = generateKeyPairSync('ed25519');
  if (keys !== undefined) {
    mkdirSync(keys, { recursive: true });
    writeFileSync(join(keys, `${name}.pem`), createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }));
  }
  return privateKey;
}

export interface Variant {
  /** What makes its id another. */
  threshold?: number;
  /** A file of so many bytes that has to be fetched in pieces. */
  weights?: number;
  /** Files that are other ones. */
  replace?: Record<string, Uint8Array>;
  manifest?: (manifest: Manifest) => void;
}

/** A copy of the tiny bundle that differs. @returns its id */
export async function makeBundle(
  folder: string,
  { threshold = 0.3, weights = 0, replace = {}, manifest: edit }: Variant,
) {
  await cp(tinyBundle, folder, { recursive: true });
  const manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')) as Manifest;
  manifest.service.score_threshold = threshold;
  const files = { ...replace, ...(weights > 0 && { 'weights.bin': randomBytes(weights) }) };
  for (const [name, bytes] of Object.entries(files)) {
    await writeFile(join(folder, name), bytes);
    manifest.files[name] = { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
  }
  edit?.(manifest);
  await writeFile(join(folder, 'manifest.json'), JSON.stringify(manifest));
  return createHash('sha256').update(JSON.stringify(manifest)).digest('hex').slice(0, 16);
}

/** Sleeps are over at once; those of a minute or more only when they are interrupted. Time is what was slept. */
export function quickClock(): Clock {
  let now = 0;
  return {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const onAbort = () => reject(signal?.reason);
        signal?.addEventListener('abort', onAbort, { once: true });
        if (ms >= 60_000) return;
        setImmediate(() => {
          now += ms;
          signal?.removeEventListener('abort', onAbort);
          resolve();
        });
      }),
  };
}

/** A copy of the tiny bundle whose head "for planes" reads none: what tries it fails. @returns its folder */
export async function bundleWithoutYuv(folder: string): Promise<string> {
  await makeBundle(folder, {
    manifest: ({ partitions }) => {
      partitions[0].head_yuv = partitions[0].head;
    },
  });
  return folder;
}

/** An edge without a network: files of bundles, with whatever a test does to their pieces. */
export class FakeEdge implements PieceSource {
  readonly files = new Map<string, ServedFile>();
  readonly asked: Piece[] = [];
  /** Changes or withholds a piece. */
  spoil: (piece: Piece, data: Buffer, ordinal: number) => Buffer | Promise<Buffer> = (_, data) => data;

  async add(folder: string): Promise<void> {
    const { dir, manifest } = await openBundle(folder);
    for (const name of ['manifest.json', ...Object.keys(manifest.files)]) {
      const path = join(dir, ...name.split('/'));
      const { file, list } = await describeFile(path);
      this.files.set(file.sha256, { path, bytes: file.bytes, list });
    }
  }

  async ask(piece: Piece): Promise<Buffer> {
    this.asked.push(piece);
    const file = this.files.get(piece.file);
    const data = file && (await readPiece(file, piece.of, piece.at, piece.bytes));
    if (!data) throw new NotNow('edge_lacks', 'no such piece');
    return this.spoil(piece, Buffer.from(data), this.asked.length);
  }
}

export class FakeHost implements UpdateHost {
  frames = 0;
  busy = false;
  readonly edges = { byName: new Map<string, EdgeStatus>() };
  readonly changes: string[] = [];
  gaveUp: Error | undefined;
  /** Throws where a change is to fail. */
  onChange: (config: AgentConfig, bundle: Bundle) => void = () => {};

  constructor(
    public config: AgentConfig,
    public bundle: Bundle,
  ) {}

  async change(settings?: () => AgentConfig, bundle = this.bundle): Promise<void> {
    const config = settings?.() ?? this.config;
    this.onChange(config, bundle);
    this.config = config;
    this.bundle = bundle;
    this.changes.push(bundle.id);
  }

  giveUp(error: Error): void {
    this.gaveUp = error;
  }

  serve(...bundles: string[]): void {
    this.edges.byName.set('edge-1', { online: true, bundles: bundles.map((id) => ({ id, name: 'tiny' })) });
  }
}

const picture = {
  data: new Uint8Array(3),
  width: 1,
  height: 1,
  sourceWidth: 1,
  sourceHeight: 1,
  capturedAt: 0,
  captureMs: 0,
};

/** Reading a schema takes longer than all else that a start does here. */
const configs = new Map<string, AgentConfig>();

function configOf(overrides: Record<string, unknown>): AgentConfig {
  const key = JSON.stringify(overrides);
  const config = configs.get(key) ?? loadAgentConfig({ overrides });
  configs.set(key, config);
  return structuredClone(config);
}

/** A device's updater with all that surrounds it made up, but the disk. */
export class Device {
  readonly statuses: UpdateStatus[] = [];
  readonly events: LogEvent[] = [];

  private constructor(
    readonly updater: Updater,
    readonly host: FakeHost,
  ) {}

  /** What a start finds and makes. Settings as of agent.yaml. */
  static async start(
    root: string,
    edge: PieceSource,
    parts: {
      disk?: Disk;
      selfTest?: SelfTest;
      settings?: object;
      folder?: string;
      clock?: Clock;
      version?: string;
    } = {},
  ): Promise<Device> {
    const events: LogEvent[] = [];
    const log = createLog('update', 'debug', { write: (_, event) => events.push(event) });
    const config = configOf({
      device: 'yard',
      bundle: tinyBundle,
      update: { keys: join(root, 'keys'), kbps: 1_000_000 },
      ...parts.settings,
    });
    if (config.update.keys && !('update' in (parts.settings ?? {}))) config.update.folder = join(root, 'update');
    if (parts.folder !== undefined) config.update.folder = join(root, parts.folder);
    const found = await findStart(config, log, parts.disk ?? quickDisk);
    if (!found.update) throw new Error('no updates');
    const host = new FakeHost(found.config, found.bundle);
    let device: Device | undefined;
    const updater = new Updater({
      start: found.update,
      host,
      source: edge,
      version: parts.version ?? '0.1.0',
      selfTest: parts.selfTest ?? (async () => {}),
      publish: (status) => device?.statuses.push(status),
      clock: parts.clock ?? quickClock(),
      log,
    });
    device = new Device(updater, host);
    device.events.push(...events);
    events.push = (...more) => device?.events.push(...more) ?? 0;
    return device;
  }

  get status(): UpdateStatus {
    return this.updater.report.status;
  }

  states(): string[] {
    return this.statuses.map(({ state }) => state).filter((state, i, all) => state !== all[i - 1]);
  }

  offer(...releases: SignedRelease[]): void {
    this.updater.offered('edge-1', Buffer.from(JSON.stringify({ v: 1, releases })));
  }

  /** Frames that were answered, unless a trip says otherwise. */
  fly(count: number, trip: Partial<Trip> & { totalMs?: number } = {}): void {
    const { totalMs = 50, ...more } = trip;
    for (let i = 0; i < count; i++) {
      const flown = newTrip(this.host.frames++, picture, 0);
      this.updater.trip(Object.assign(flown, { outcome: 'result' as const, steps: { total: totalMs } }, more));
    }
  }

  /** Waits for a state. @param condition of the status */
  async until(condition: (status: UpdateStatus) => boolean, what: string): Promise<void> {
    for (let i = 0; i < 4000; i++) {
      if (condition(this.status)) return;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    throw new Error(`in vain waited for ${what}: ${JSON.stringify(this.status)}`);
  }

  reaches(state: UpdateStatus['state'], code?: string): Promise<void> {
    return this.until(
      (status) => status.state === state && (code === undefined || status.reason?.code === code),
      state,
    );
  }
}

export const terms = (sequence: number, more: Partial<ReleaseTerms> = {}): ReleaseTerms => ({
  to: 'all',
  sequence,
  minAgent: '0.1.0',
  created: new Date(Date.UTC(2026, 0, 1) + sequence * 1000),
  ...more,
});

/** A place with a key, an edge and bundles. */
export async function world(t: { teardown(f: () => unknown): void }) {
  const root = await tempFolder(t);
  const key = newKey(join(root, 'keys'));
  const edge = new FakeEdge();
  /** A bundle that the edge has, and its release. */
  const release = async (sequence: number, variant: Variant = {}, more: Partial<ReleaseTerms> = {}, by = key) => {
    const folder = join(root, `source-${sequence}-${Math.random()}`);
    const id = await makeBundle(folder, { threshold: 0.3 + sequence / 1000, weights: 100_000, ...variant });
    await edge.add(folder);
    return { id, folder, release: await bundleRelease(folder, terms(sequence, more), by) };
  };
  return { root, key, edge, release };
}
