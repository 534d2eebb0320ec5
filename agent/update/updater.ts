import { Seldom } from '../../platform/log/seldom.js';
import type { Log } from '../../platform/log.js';
import { retryDelays } from '../../platform/retry.js';
import type { EdgeStatus } from '../../protocol/status.js';
import {
  type BundleRelease,
  type ConfigRelease,
  parseOffer,
  type ReleaseName,
  type SignedRelease,
  type UpdateStatus,
} from '../../protocol/update.js';
import type { AgentConfig } from '../config/config.js';
import type { Trip } from '../pipeline/trip.js';
import { type Candidate, candidates } from './acceptance.js';
import { Base } from './base.js';
import type { PieceSource } from './chunk-link.js';
import { notNow, Refused } from './errors.js';
import { fetchBundle, type InstallParts, type SelfTest, verifyBundle } from './install.js';
import { KeptState } from './kept-state.js';
import type { Clock } from './pacer.js';
import { UpdateReport } from './report.js';
import { withSettings } from './settings.js';
import type { Start } from './start.js';
import { nameOf, remember } from './state.js';
import { Switch, type SwitchHost } from './switch.js';

/** The agent, as far as updates touch it. */
export interface UpdateHost extends SwitchHost {
  readonly config: AgentConfig;
  /** Whether frames are on their way, or wait in the socket. */
  readonly busy: boolean;
  /** What edges that are there say of themselves. */
  readonly edges: { readonly byName: ReadonlyMap<string, EdgeStatus> };
}

export interface UpdaterParts {
  start: NonNullable<Start['update']>;
  host: UpdateHost;
  source: PieceSource;
  /** Version of this agent. */
  version: string;
  selfTest: SelfTest;
  /** Publishes, retained; must not throw. */
  publish(status: UpdateStatus): void;
  clock: Clock;
  log: Log;
}

/** Progress is told so often, ms. */
const PROGRESS_MS = 1000;
/** How often it looks whether what it waits for is there, ms. */
const LOOK_MS = 1000;

/** Told to whoever works on a release when there is a better one. */
class Superseded extends Error {}

/** Takes releases from offer to keep, or back. One at a time; what is on the disk decides after every interruption. */
export class Updater {
  readonly report: UpdateReport;
  readonly base: Base;
  readonly #offers = new Map<string, SignedRelease[]>();
  /** Refused until the next start. */
  readonly #aside = new Set<string>();
  readonly #stop = new AbortController();
  readonly #seldom = new Seldom();
  readonly #state: KeptState;
  readonly #switch: Switch;
  #work: { digest: string; abort: AbortController } | undefined;
  #wake: () => void = () => {};
  #news = false;
  #done: Promise<void> | undefined;

  constructor(readonly parts: UpdaterParts) {
    const { start, host, clock, log } = parts;
    const state = new KeptState(start.folder, start.state);
    this.#state = state;
    this.base = new Base(start.base, state);
    this.report = new UpdateReport(() => {
      const { previous } = state.now.bundle;
      return {
        device: start.base.device,
        keys: [...start.keys.keys()],
        running: host.bundle.id,
        ...(previous?.bundle && { previous: previous.bundle }),
        state: state.now,
      };
    }, parts.publish);
    const { base, report } = this;
    this.#switch = new Switch({ host, state, base, report, stop: this.#stop.signal, clock, log });
  }

  /** Goes to work. */
  start(): void {
    this.#done ??= this.#run().catch((error: unknown) => {
      if (!this.#stop.signal.aborted) this.parts.log.error('updates have stopped', { error });
    });
  }

  /** Interrupts what can be interrupted, and ends. The next start goes on. */
  async stop(): Promise<void> {
    this.#stop.abort(new Error('stopped'));
    this.#work?.abort.abort(this.#stop.signal.reason);
    this.#wake();
    await this.#done;
  }

  /** An edge's offer; empty: it has none any more. Untrusted, never throws. */
  offered(edge: string, payload: Uint8Array): void {
    const { log } = this.parts;
    try {
      if (payload.length === 0) this.#offers.delete(edge);
      else {
        const { releases } = parseOffer(payload, (error) => log.warn('an offered release is none', { edge, error }));
        this.#offers.set(edge, releases);
      }
    } catch (error) {
      log.warn('an offer of an update is not understood', { edge, error });
      return;
    }
    this.poke();
  }

  /** Something has changed: an edge, the broker, an offer. */
  poke(): void {
    this.#news = true;
    if (this.#work) {
      const [best] = this.#candidates();
      const isBetter = best?.release.kind === 'bundle' && best.digest !== this.#work.digest;
      if (isBetter) this.#work.abort.abort(new Superseded('there is a newer release'));
    }
    this.#wake();
  }

  /** The broker is there again. */
  connected(): void {
    this.parts.publish(this.report.status);
    this.poke();
  }

  /** A trip is over. */
  trip(trip: Trip): void {
    this.#switch.trip(trip);
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    for (const kind of ['bundle', 'config'] as const) {
      if (this.#state.now[kind].probation) await this.#switch.prove(kind);
    }
    let delays = retryDelays();
    while (!signal.aborted) {
      this.#news = false;
      const [best] = this.#candidates();
      if (!best) {
        await this.#sleep();
        continue;
      }
      const abort = new AbortController();
      this.#work = { digest: best.digest, abort };
      try {
        await this.#install(best, abort.signal);
        delays = retryDelays();
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof Superseded) continue;
        if (error instanceof Refused) await this.#refuse(best, error);
        else {
          const reason = notNow(error);
          this.parts.log.warn(`an update waits: ${reason.message}`, { code: reason.code, error });
          this.report.tell('waiting', named(best), { reason });
          await this.#sleep(delays.next().value as number);
        }
      } finally {
        this.#work = undefined;
      }
    }
  }

  #candidates(): Candidate[] {
    const { start, version, log } = this.parts;
    const facts = { device: start.base.device, version, keys: start.keys };
    const told = (release: SignedRelease, digest: string, reason: Refused) => {
      if (!this.#seldom.now(`${digest} ${release.signature} ${reason.code}`)) return;
      log.warn(`a release is not taken: ${reason.message}`, { sequence: release.sequence, code: reason.code });
      if (!this.#work && !this.#switch.isProving) this.report.tell('refused', named({ release, digest }), { reason });
    };
    return candidates(this.#offers, facts, this.#state.now, told).filter(({ digest }) => !this.#aside.has(digest));
  }

  async #refuse(candidate: Candidate, reason: Refused): Promise<void> {
    const { log } = this.parts;
    const name = named(candidate);
    const { code, message, lasting } = reason;
    log.error(`a release is refused: ${message}`, { sequence: name.sequence, code });
    this.#aside.add(candidate.digest);
    if (lasting) {
      await this.#state
        .change((state) => {
          delete state.trial;
          state.endings.push({ ...name, outcome: 'refused', code, message: message.slice(0, 500) });
        })
        .catch((error: unknown) => log.warn('not written down', { error }));
    }
    this.report.tell('refused', name, { reason });
  }

  async #install(candidate: Candidate, signal: AbortSignal): Promise<void> {
    const { release } = candidate;
    if (release.kind === 'config') await this.#installSettings(release, candidate, signal);
    else if (release.bundle === this.parts.host.bundle.id) await this.#adopt(release, candidate);
    else await this.#installBundle(release, candidate, signal);
  }

  /** Its bundle runs already: nothing changes for frames. */
  async #adopt(release: BundleRelease, { digest }: Candidate): Promise<void> {
    const installed = { ...installedOf(release, digest), bundle: release.bundle };
    const name = nameOf('bundle', installed);
    await this.#state.change((state) => {
      remember(state.bundle, installed);
      if (state.bundle.running) state.bundle.running = installed;
      state.endings.push({ ...name, outcome: 'kept' });
    });
    this.report.tell('kept', name);
  }

  async #installBundle(release: BundleRelease, candidate: Candidate, signal: AbortSignal): Promise<void> {
    const { log } = this.parts;
    const { digest } = candidate;
    const name = named(candidate);
    log.info('an update begins', { bundle: release.bundle, sequence: release.sequence });
    const parts = this.#installParts(candidate, name);
    await fetchBundle(release, parts, signal);
    this.report.tell('verifying', name);
    const bundle = await verifyBundle(release, digest, parts, signal);
    while (!this.#canSwitch(release.bundle)) {
      signal.throwIfAborted();
      const reason = { code: 'edge_lacks', message: 'no edge announces this bundle yet' };
      this.report.tell('waiting', name, { reason });
      await this.#sleep(LOOK_MS);
    }
    signal.throwIfAborted();
    const installed = { ...installedOf(release, digest), bundle: release.bundle };
    await this.#switch.to('bundle', installed, bundle);
  }

  #installParts(candidate: Candidate, name: ReleaseName): InstallParts {
    const { start, host, source, clock, selfTest } = this.parts;
    let toldAt = Number.NEGATIVE_INFINITY;
    return {
      folder: start.folder,
      source,
      clock,
      config: host.config,
      configured: this.base.config.bundle,
      edges: () => candidate.edges.filter((edge) => host.edges.byName.has(edge)),
      busy: () => host.busy,
      selfTest,
      state: this.#state,
      progress: (bytes, total) => {
        if (bytes < total && clock.now() - toldAt < PROGRESS_MS) return;
        toldAt = clock.now();
        this.report.tell('fetching', name, { progress: { bytes, total } });
      },
    };
  }

  async #installSettings(release: ConfigRelease, candidate: Candidate, signal: AbortSignal): Promise<void> {
    this.report.tell('verifying', named(candidate));
    withSettings(this.base.config, release.config);
    signal.throwIfAborted();
    const installed = { ...installedOf(release, candidate.digest), config: release.config };
    await this.#switch.to('config', installed);
  }

  /** Whether frames of this bundle would be answered. */
  #canSwitch(bundle: string): boolean {
    const { host } = this.parts;
    const serves = (id: string) =>
      [...host.edges.byName.values()].some(({ bundles = [] }) => bundles.some((served) => served.id === id));
    if (host.config.partition === 'device' || serves(bundle)) return true;
    return host.config.fallback && !serves(host.bundle.id);
  }

  /** Until there is news, or so long. */
  async #sleep(ms?: number): Promise<void> {
    if (!this.#news && !this.#stop.signal.aborted) {
      const over = new AbortController();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        if (ms === undefined) return;
        this.parts.clock.sleep(ms, over.signal).then(resolve, () => undefined);
      });
      over.abort();
      this.#wake = () => {};
    }
    this.#news = false;
  }
}

function named({ release, digest }: Pick<Candidate, 'release' | 'digest'>): ReleaseName {
  const { kind, sequence } = release;
  return { kind, sequence, digest, ...(release.kind === 'bundle' && { bundle: release.bundle }) };
}

function installedOf({ sequence, created }: BundleRelease | ConfigRelease, digest: string) {
  return { sequence, digest, created };
}
