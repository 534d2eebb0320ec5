import { randomInt } from 'node:crypto';
import type { Bundle } from '../platform/bundle.js';
import { DeepcodError } from '../platform/errors.js';
import type { Log } from '../platform/log.js';
import { type Notifier, silentNotifier } from '../platform/systemd/notify.js';
import { versions } from '../platform/versions.js';
import { atMost } from '../platform/wait.js';
import type { HealthMessage } from '../protocol/health.js';
import type { Camera, OpenCamera } from './camera/camera.js';
import { cameraTrouble, openWatched } from './camera/watched.js';
import type { AgentConfig } from './config/config.js';
import { dropsOf, healthOf } from './health/document.js';
import { Reporter } from './health/reporter.js';
import { Stats } from './health/stats.js';
import { summaryOf } from './health/summary.js';
import { SystemHealthReader } from './health/system.js';
import { FrameWatchdog } from './health/watchdog.js';
import { EdgeWatch } from './partition/edges.js';
import { Home } from './partition/home.js';
import type { Planner } from './partition/planner.js';
import { StandingCommand } from './partition/standing-command.js';
import type { Engine } from './pipeline/engine.js';
import { Engines } from './pipeline/engines.js';
import { heard } from './pipeline/heard.js';
import { AgentLink } from './pipeline/link.js';
import { Pictures } from './pipeline/pictures.js';
import { prepare } from './pipeline/prepare.js';
import { Refusals } from './pipeline/refusals.js';
import { type TripObservers, Trips } from './pipeline/trips.js';
import { LocalResults } from './store/results.js';
import { connectUpdater } from './update/connect.js';
import { findStart, type Start } from './update/start.js';
import type { Updater } from './update/updater.js';

/** How long frames that are on their way are waited for when the agent is stopped, ms. */
const STOP_PATIENCE_MS = 600;
/** How long the broker is waited for then, and models that still run, ms: all in all less than two seconds. */
const GOODBYE_MS = 400;
/** A line in the log about how things are, every so many ms. */
const SUMMARY_MS = 5 * 60_000;

export interface AgentParts extends TripObservers {
  log: Log;
  openCamera: OpenCamera;
  /** The service manager; default: nobody. */
  manager?: Notifier;
  /** What an operator told an agent before this one; default: nothing. */
  command?: StandingCommand;
}

/** The process on the device: pictures in, results out. Made by `openAgent`. */
export class Agent {
  readonly session = randomInt(2 ** 32);
  readonly stats = new Stats();
  readonly edges = new EdgeWatch();
  readonly #home: Home;
  readonly #startedAt = performance.now();
  readonly #stop = new AbortController();
  readonly #engines: Engines;
  readonly #refusals: Refusals;
  readonly #link: AgentLink;
  readonly #results: LocalResults;
  readonly #trips: Trips;
  readonly #pictures: Pictures;
  /** There when releases may be taken. */
  readonly #updater: Updater | undefined;
  #failure: Error | undefined;
  #reporter: Reporter;
  readonly #system: SystemHealthReader;
  readonly #watchdog: FrameWatchdog;
  readonly #summary: NodeJS.Timeout;

  /** Use openAgent. @throws DeepcodError for settings that this bundle or this machine cannot serve */
  constructor(
    config: AgentConfig,
    bundle: Bundle,
    readonly parts: AgentParts,
    update?: Start['update'],
  ) {
    const { log } = parts;
    this.#home = new Home(this.edges, config.device, () => this.#link.broker.version === 5);
    this.#engines = new Engines(config, bundle, {
      session: this.session,
      publish: (message, worker, traceparent) => this.#link.publishFrame(message, worker, traceparent),
      home: this.#home,
      command: parts.command ?? new StandingCommand(),
      stop: this.#stop.signal,
      changeCamera: (use) => this.#pictures.changeCamera(use),
      used: (next, before) => this.#used(next, before),
      log,
    });
    this.#refusals = new Refusals(log);
    this.#link = this.#makeLink();
    this.#results = new LocalResults(
      config.results,
      this.#link,
      (timeoutMs) => this.edges.waitForOne(timeoutMs),
      (cause, count) => this.stats.drop(cause, count),
      log.child('results'),
    );
    this.#trips = new Trips({
      session: this.session,
      engine: () => this.#engines.current,
      link: this.#link,
      results: this.#results,
      edges: this.edges,
      home: this.#home,
      refusals: this.#refusals,
      stats: this.stats,
      observers: parts,
      started: () => this.#watchdog.started(),
      ended: (trip) => {
        this.#watchdog.ended(trip.outcome);
        this.#updater?.trip(trip);
      },
      news: () => this.#reporter.news(),
      log,
    });
    const { flight } = this.#trips;
    this.#pictures = new Pictures({
      open: () => this.#openCamera(),
      flight,
      more: () => this.#trips.more,
      paced: () => this.config.camera.fps > 0,
      taken: () => this.#watchdog.picture(),
      stop: this.#stop.signal,
    });
    this.#reporter = this.#makeReporter();
    this.#system = new SystemHealthReader(config.results.folder);
    this.#watchdog = new FrameWatchdog(parts.manager ?? silentNotifier, () => ({
      periodMs: this.config.camera.fps > 0 ? 1000 / this.config.camera.fps : 0,
      timeoutMs: this.config.timeout_ms,
      inFlight: flight.inFlight,
      waiting: flight.waiting,
      cameraTrouble: cameraTrouble(this.#pictures.camera),
      connected: this.#link.connected,
      edge: this.edges.advice(performance.now()),
      fallback: this.config.fallback,
    }));
    this.#summary = setInterval(() => log.info('health', summaryOf(this.health())), SUMMARY_MS).unref();
    if (update) this.#updater = connectUpdater(update, this, this.#link.broker, log.child('update'));
    this.#link.broker.onUp(() => {
      this.#results.connected();
      flight.poke();
    });
  }

  get config(): AgentConfig {
    return this.#engines.current.config;
  }

  get bundle(): Bundle {
    return this.#engines.current.bundle;
  }

  get planner(): Planner {
    return this.#engines.current.planner;
  }

  /** Frames that began their trip. */
  get frames(): number {
    return this.stats.frames;
  }

  /** Whether frames are on their way, or wait in the socket. */
  get busy(): boolean {
    return this.#trips.flight.inFlight > 0 || this.#link.busy;
  }

  /**
   * Runs until stopped, until the camera's input ends, or until `frames` trips were made.
   * @throws DeepcodError when the camera fails for good, or a model cannot be loaded
   */
  async run(): Promise<void> {
    const { log } = this.parts;
    try {
      this.#stop.signal.throwIfAborted();
      const camera = await this.#pictures.open();
      await prepare(this.#engines.current, this.#link, this.edges, this.#stop.signal, log);
      this.#stop.signal.throwIfAborted();
      this.#engines.start();
      log.info('ready', {
        device: this.config.device,
        camera: camera.description,
        bundle: `${this.bundle.manifest.service.name}/${this.bundle.id}`,
        partition: this.config.partition,
      });
      this.#watchdog.picture();
      this.parts.manager?.ready();
      this.parts.manager?.status(`${this.config.device}: ${camera.description}`);
      this.#updater?.start();
      await this.#pictures.take();
      await this.#trips.flight.settled();
    } catch (error) {
      if (!this.#stop.signal.aborted) throw error;
    } finally {
      this.#engines.end();
      this.#trips.flight.stop();
      await atMost(GOODBYE_MS, this.#updater?.stop());
      // A run cannot be broken off: who stops does not wait for its end.
      await atMost(STOP_PATIENCE_MS, this.#trips.flight.settled());
      this.#trips.close();
      await atMost(GOODBYE_MS, this.#pictures.close());
      this.#engines.current.keep();
      this.#watchdog.close();
      this.#system.close();
      clearInterval(this.#summary);
      this.#reporter.stop();
      await Promise.all([atMost(GOODBYE_MS, this.#engines.close()), this.#link.close(GOODBYE_MS)]);
      await this.#results.close();
    }
    if (this.#failure) throw this.#failure;
  }

  /** Ends `run`: frames that are on their way may come home within a second. */
  stop(): void {
    this.#stop.abort(new DeepcodError('stopped', 'the agent was asked to stop'));
    // At once: a change that breaks off because of this is no release's fault.
    void this.#updater?.stop();
    this.#trips.flight.stop();
    setTimeout(() => {
      for (const { matcher } of this.#engines.all) matcher.giveUp('stopped');
    }, STOP_PATIENCE_MS).unref();
  }

  /** Ends `run` with this error: what was begun cannot be brought to an end in this process. */
  giveUp(error: Error): void {
    this.#failure = error;
    this.stop();
  }

  /**
   * agent.yaml has changed: its settings hold from the next frame on, with those of releases above them. Broker, device, base
   * and bundle stay as they are until the next start.
   * @throws like `change`
   */
  async applyConfig(config: AgentConfig): Promise<void> {
    const base = this.#updater?.base;
    await this.change(() => base?.settings(config) ?? config, undefined);
    // Before the next change asks for its settings: it is told of this one's end no sooner than this is.
    if (base) base.config = config;
  }

  /** Goes on with another bundle or other settings between two frames; see `Engines`. */
  change(settings: (() => AgentConfig) | undefined, bundle: Bundle | undefined): Promise<void> {
    return this.#engines.change(settings, bundle);
  }

  /** The health document as of now. */
  health(): HealthMessage {
    return healthOf({
      session: this.session,
      startedAt: this.#startedAt,
      engine: this.#engines.current,
      stats: this.stats,
      trips: this.#trips,
      waitingResults: this.#results.waiting,
      camera: this.#pictures.camera,
      system: this.#system.latest,
      update: this.#updater?.report.brief,
    });
  }

  /** Everything that came to nothing so far, by cause. */
  drops(): Record<string, number> {
    return dropsOf(this.stats, this.#trips.flight);
  }

  #makeLink(): AgentLink {
    const log = this.parts.log.child('broker');
    const status = () => ({
      ...{ online: true, session: this.session, bundle: this.#engines.current.bundleName },
      ...{ commands: this.config.commands, versions: versions() },
    });
    const listeners = heard({
      ...{ session: this.session, engines: this.#engines, edges: this.edges, home: this.#home, stats: this.stats },
      link: () => this.#link,
      trips: () => this.#trips,
      edgeNews: () => this.#updater?.poke(),
      log: this.parts.log,
    });
    return new AgentLink(() => this.config, status, listeners, log);
  }

  #makeReporter(): Reporter {
    return new Reporter(this.config.health.interval_s * 1000, () => this.#link.publishHealth(this.health()));
  }

  /** The next frame begins with another engine. */
  #used(next: Engine, before: Engine): void {
    if (next.bundle.id !== before.bundle.id) {
      this.edges.reconsider();
      this.#refusals.clear();
    }
    if (next.bundle.id !== before.bundle.id || next.config.commands !== before.config.commands) this.#link.announce();
    next.planner.useEdges(this.#home.statuses, next.bundle.id);
    if (next.config.health.interval_s !== before.config.health.interval_s) {
      this.#reporter.stop();
      this.#reporter = this.#makeReporter();
    }
    this.#reporter.news();
    this.#trips.flight.poke();
  }

  #openCamera(): Promise<Camera> {
    const { openCamera, log } = this.parts;
    const { fit } = this.#engines.current.preprocessor;
    return openWatched(openCamera, this.config.camera, fit, log.child('camera'), () => this.#reporter.news());
  }
}

/**
 * Opens the bundle, the configured one or that of a release, and makes an agent; `run()` starts it.
 * @throws DeepcodError: bundle (exit code 3), settings (2)
 */
export async function openAgent(config: AgentConfig, parts: AgentParts): Promise<Agent> {
  const start = await findStart(config, parts.log.child('update'));
  return new Agent(start.config, start.bundle, parts, start.update);
}
