import { type Bundle, openBundle } from '../../platform/bundle.js';
import type { Log } from '../../platform/log.js';
import type { ReleaseKind } from '../../protocol/update.js';
import type { AgentConfig } from '../config/config.js';
import type { Trip } from '../pipeline/trip.js';
import type { Base } from './base.js';
import type { KeptState } from './kept-state.js';
import type { Clock } from './pacer.js';
import { Probation, Recent, type Verdict } from './probation.js';
import type { UpdateReport } from './report.js';
import { accept, type Installed, nameOf, rollBack } from './state.js';

/** The agent, as far as a switch touches it. */
export interface SwitchHost {
  readonly bundle: Bundle;
  /** Frames that were begun; the next one has this number. */
  readonly frames: number;
  /**
   * Goes on with these between two frames, what is left out as it is by then; nothing has changed when it throws.
   * @param settings asked when this change's turn comes
   */
  change(settings: (() => AgentConfig) | undefined, bundle: Bundle | undefined): Promise<void>;
  /** What runs cannot be left as it must: the process ends, and the next one starts with what the state says. */
  giveUp(error: Error): void;
}

export interface SwitchParts {
  host: SwitchHost;
  state: KeptState;
  base: Base;
  report: UpdateReport;
  /** Aborted when the agent ends. */
  stop: AbortSignal;
  clock: Clock;
  log: Log;
}

/** A probation ends by then, with what frames there are, ms. */
const PROBATION_MS = 15 * 60_000;

/** From one release to the next between two frames, and back when the frames after it are worse. */
export class Switch {
  readonly #recent = new Recent();
  #probation: { from: number; watch: Probation; end: (verdict: Verdict) => void } | undefined;

  constructor(readonly parts: SwitchParts) {}

  /** Whether frames are being watched. */
  get isProving(): boolean {
    return this.#probation !== undefined;
  }

  /** A trip is over. */
  trip(trip: Trip): void {
    const probation = this.#probation;
    if (!probation) {
      this.#recent.add(trip);
      return;
    }
    if (trip.frame < probation.from) return;
    const verdict = probation.watch.add(trip);
    if (verdict) probation.end(verdict);
  }

  /**
   * First the disk, then the frames: whatever happens between them, the next start knows what was meant. Ends when the release
   * is kept or was gone back from.
   * @throws the stop's reason, what the file system throws
   */
  async to(kind: ReleaseKind, installed: Installed, bundle?: Bundle): Promise<void> {
    const { host, state, base, report, stop, log } = this.parts;
    const name = nameOf(kind, installed);
    report.tell('switching', name);
    const baseline = this.#recent.baseline();
    await state.change((next) => {
      delete next.trial;
      accept(next[kind], installed, baseline);
    });
    try {
      await host.change(kind === 'config' ? () => base.settings() : undefined, bundle);
    } catch (error) {
      stop.throwIfAborted();
      const { code = 'unusable', message } = error as Error & { code?: string };
      await state.change((next) => rollBack(next, kind, code, message));
      log.error(`an update cannot be used: ${message}`, { sequence: installed.sequence });
      report.tell('rolled_back', name, { reason: { code, message } });
      return;
    }
    log.info('an update runs, on probation', { kind, sequence: installed.sequence, bundle: host.bundle.id });
    await this.prove(kind);
  }

  /** Watches frames until it is clear whether what runs is good; goes back if not. @throws like `to` */
  async prove(kind: ReleaseKind): Promise<void> {
    const { state, report, log } = this.parts;
    const { running, probation } = state.now[kind];
    if (!running) return;
    const name = nameOf(kind, running);
    report.tell('probation', name);
    const watch = new Probation(probation?.baseline);
    const verdict = await this.#verdict(watch);
    this.#recent.startAnew(verdict.keep ? watch.frames : []);
    if (verdict.keep) {
      await state.change((next) => {
        delete next[kind].probation;
        next.endings.push({ ...name, outcome: 'kept' });
      });
      log.info('the update is kept', { kind, sequence: running.sequence });
      report.tell('kept', name);
    } else {
      const { code, message } = verdict;
      log.error(`the update is worse, going back: ${message}`, { kind, code });
      await this.#back(kind, verdict);
      report.tell('rolled_back', name, { reason: { code, message } });
    }
    await state.folder.collect(state.bundles).catch((error: unknown) => log.warn('not removed', { error }));
  }

  async #back(kind: ReleaseKind, { code, message }: { code: string; message: string }): Promise<void> {
    const { host, state, base, stop } = this.parts;
    try {
      await state.change((next) => rollBack(next, kind, code, message));
      const id = state.now.bundle.running?.bundle;
      const bundle = await openBundle(id ? state.folder.bundle(id) : base.config.bundle);
      await host.change(() => base.settings(), bundle);
    } catch (error) {
      stop.throwIfAborted();
      host.giveUp(error as Error);
      throw error;
    }
  }

  async #verdict(watch: Probation): Promise<Verdict> {
    const { host, clock, stop } = this.parts;
    const over = new AbortController();
    try {
      return await new Promise<Verdict>((resolve, reject) => {
        stop.throwIfAborted();
        stop.addEventListener('abort', () => reject(stop.reason), { once: true, signal: over.signal });
        this.#probation = { from: host.frames, watch, end: resolve };
        clock.sleep(PROBATION_MS, over.signal).then(
          () => resolve({ keep: true }),
          () => undefined,
        );
      });
    } finally {
      over.abort();
      this.#probation = undefined;
    }
  }
}
