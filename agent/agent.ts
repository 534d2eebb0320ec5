import { randomInt } from 'node:crypto';
import type { Bundle } from '../platform/bundle.js';
import { DeepcodError } from '../platform/errors.js';
import { Gate } from '../platform/gate.js';
import { Seldom } from '../platform/log/seldom.js';
import type { Log } from '../platform/log.js';
import { type Notifier, silentNotifier } from '../platform/systemd/notify.js';
import { versions } from '../platform/versions.js';
import type { Decision } from '../protocol/decision.js';
import type { CameraHealth, HealthMessage } from '../protocol/health.js';
import type { Camera, OpenCamera, Picture } from './camera/camera.js';
import type { AgentConfig } from './config/config.js';
import { Reporter } from './health/reporter.js';
import { Stats } from './health/stats.js';
import { summaryOf } from './health/summary.js';
import { SystemHealthReader } from './health/system.js';
import { FrameWatchdog } from './health/watchdog.js';
import type { Choice } from './partition/choices.js';
import { type EdgeAdvice, EdgeWatch } from './partition/edges.js';
import { Home } from './partition/home.js';
import type { Planner } from './partition/planner.js';
import { StandingCommand } from './partition/standing-command.js';
import { inBrief } from './partition/trace.js';
import { Engine } from './pipeline/engine.js';
import { FlightControl } from './pipeline/flight.js';
import { AgentLink } from './pipeline/link.js';
import { localResult } from './pipeline/local-result.js';
import { Refusals } from './pipeline/refusals.js';
import { Throttle } from './pipeline/throttle.js';
import { newTrip, type Trip } from './pipeline/trip.js';
import { LocalResults } from './store/results.js';
import { connectUpdater } from './update/connect.js';
import { findStart, type Start } from './update/start.js';
import type { Updater } from './update/updater.js';

/** How long the first frame waits for the broker and an edge to show up, ms. */
const BROKER_PATIENCE_MS = 3000;
const EDGE_PATIENCE_MS = 1500;
/** How long frames that are on their way are waited for when the agent is stopped, ms. */
const STOP_PATIENCE_MS = 600;
/** How long the broker is waited for then, and models that still run, ms: all in all less than two seconds. */
const GOODBYE_MS = 400;
/** A line in the log about how things are, every so many ms. */
const SUMMARY_MS = 5 * 60_000;

export interface AgentParts {
  log: Log;
  openCamera: OpenCamera;
  /** Stop after so many frames; default: go on. */
  frames?: number;
  /** Told of every frame as it starts. The picture may be read until the trip is over. */
  onStart?: (frame: number, picture: Picture) => void;
  /** Asked for every frame as it starts: the W3C trace context that its message carries, if it is traced. */
  traceparent?: (frame: number) => string | undefined;
  /** Told of every decision, before its frame's trip. */
  onDecision?: (decision: Decision) => void;
  /** Told of every finished trip, lost ones too. */
  onTrip?: (trip: Trip) => void;
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
  readonly #throttle = new Throttle();
  #hold: NodeJS.Timeout | undefined;
  readonly #startedAt = performance.now();
  readonly #stop = new AbortController();
  readonly #link: AgentLink;
  readonly #results: LocalResults;
  readonly #flight: FlightControl;
  readonly #refusals: Refusals;
  readonly #failures = new Seldom();
  readonly #command: StandingCommand;
  /** Takes the next frame. */
  #engine: Engine;
  /** Engines whose last frames are on their way; they close by themselves. */
  readonly #retiring = new Map<Engine, Promise<void>>();
  /** Goes on with another camera between two frames. */
  #handOver: (() => void) | undefined;
  /** Ends the wait for a picture: a camera that gives none must not hold up a change, or the end. */
  #waiting = new AbortController();
  #camera: Camera | undefined;
  /** There when releases may be taken. */
  readonly #updater: Updater | undefined;
  /** Changes are made one after the other, and none before it is ready. */
  #changing: Promise<void> = Promise.resolve();
  readonly #ready = new Gate();
  #failure: Error | undefined;
  /** Frames that are being answered here. */
  #here = 0;
  #reporter: Reporter;
  readonly #system: SystemHealthReader;
  readonly #watchdog: FrameWatchdog;
  readonly #summary: NodeJS.Timeout;
  #lastChoice = '';
  #lastRate = 0;

  /** Use openAgent. @throws DeepcodError for settings that this bundle or this machine cannot serve */
  constructor(
    config: AgentConfig,
    bundle: Bundle,
    readonly parts: AgentParts,
    update?: Start['update'],
  ) {
    const { log } = parts;
    this.#command = parts.command ?? new StandingCommand();
    this.#home = new Home(this.edges, config.device, () => this.#link.broker.version === 5);
    this.#engine = this.#makeEngine(config, bundle);
    this.#refusals = new Refusals(log);
    this.#link = new AgentLink(
      () => this.config,
      () => ({
        ...{ online: true, session: this.session, bundle: this.#engine.bundleName },
        ...{ commands: this.config.commands, versions: versions() },
      }),
      {
        result: (payload) => {
          const arrivals = this.#engines.map(({ matcher }) => matcher.arrive(payload));
          const arrival = arrivals.find((what) => what !== 'foreign');
          if (arrival === 'late' || arrival === 'damaged') this.stats.drop(`result_${arrival}`);
        },
        edge: (worker, status) => {
          if (this.edges.announce(worker, status)) this.#updater?.poke();
          if (!status.online && !status.leaving) for (const { matcher } of this.#engines) matcher.lose(worker);
          this.planner.useEdges(this.#home.statuses, this.bundle.id);
        },
        explain: (count) => this.#link.publishDecisions(this.session, this.planner.trace.last(count)),
        partition: (command) => {
          this.planner.command(command);
          this.#command.give(command, this.config);
          log.info('the partition point was chosen by a command', { ...command });
        },
        pong: (number) => this.planner.pinged(number),
        up: () => {
          this.planner.link.doubt();
          this.planner.pings.restart();
          this.#ping();
        },
        down: () => {
          this.edges.forget();
          for (const { matcher } of this.#engines) matcher.giveUp('broker_lost');
        },
      },
      log.child('broker'),
    );
    this.#results = new LocalResults(
      config.results,
      this.#link,
      (timeoutMs) => this.edges.waitForOne(timeoutMs),
      (cause, count) => this.stats.drop(cause, count),
      log.child('results'),
    );
    this.#flight = new FlightControl(
      () => this.#limit(),
      (picture, since) => this.#fly(picture, since),
      () => this.config.timeout_ms,
    );
    this.#reporter = this.#makeReporter();
    this.#system = new SystemHealthReader(config.results.folder);
    this.#watchdog = new FrameWatchdog(parts.manager ?? silentNotifier, () => ({
      periodMs: this.config.camera.fps > 0 ? 1000 / this.config.camera.fps : 0,
      timeoutMs: this.config.timeout_ms,
      inFlight: this.#flight.inFlight,
      waiting: this.#flight.waiting,
      cameraTrouble: cameraTrouble(this.#camera),
      connected: this.#link.connected,
      edge: this.edges.advice(performance.now()),
      fallback: this.config.fallback,
    }));
    this.#summary = setInterval(() => log.info('health', summaryOf(this.health())), SUMMARY_MS).unref();
    if (update) this.#updater = connectUpdater(update, this, this.#link.broker, log.child('update'));
    this.#link.broker.onUp(() => {
      this.#results.connected();
      this.#flight.poke();
    });
  }

  get config(): AgentConfig {
    return this.#engine.config;
  }

  get bundle(): Bundle {
    return this.#engine.bundle;
  }

  get planner(): Planner {
    return this.#engine.planner;
  }

  /** Frames that began their trip. */
  get frames(): number {
    return this.stats.frames;
  }

  /** Whether frames are on their way, or wait in the socket. */
  get busy(): boolean {
    return this.#flight.inFlight > 0 || this.#link.busy;
  }

  /**
   * Runs until stopped, until the camera's input ends, or until `frames` trips were made.
   * @throws DeepcodError when the camera fails for good, or a model cannot be loaded
   */
  async run(): Promise<void> {
    const { log } = this.parts;
    try {
      this.#stop.signal.throwIfAborted();
      this.#camera = await this.#openCamera();
      await this.#prepare();
      this.#stop.signal.throwIfAborted();
      this.#obey(this.#engine);
      log.info('ready', {
        device: this.config.device,
        camera: this.#camera.description,
        bundle: `${this.bundle.manifest.service.name}/${this.bundle.id}`,
        partition: this.config.partition,
      });
      this.#watchdog.picture();
      this.parts.manager?.ready();
      this.parts.manager?.status(`${this.config.device}: ${this.#camera.description}`);
      this.#updater?.start();
      this.#ready.open();
      await this.#takePictures();
      await this.#flight.settled();
    } catch (error) {
      if (!this.#stop.signal.aborted) throw error;
    } finally {
      this.#ready.shut(new DeepcodError('stopped', 'the agent has ended'));
      this.#flight.stop();
      await atMost(GOODBYE_MS, this.#updater?.stop());
      // A run cannot be broken off: who stops does not wait for its end.
      await atMost(STOP_PATIENCE_MS, this.#flight.settled());
      clearTimeout(this.#hold);
      await atMost(GOODBYE_MS, this.#camera?.close());
      this.#engine.keep();
      this.#watchdog.close();
      this.#system.close();
      clearInterval(this.#summary);
      this.#reporter.stop();
      const engines = Promise.all([this.#engine.close(), ...this.#retiring.values()]);
      await Promise.all([atMost(GOODBYE_MS, engines), this.#link.close(GOODBYE_MS)]);
      await this.#results.close();
    }
    if (this.#failure) throw this.#failure;
  }

  /** Ends `run`: frames that are on their way may come home within a second. */
  stop(): void {
    this.#stop.abort(new DeepcodError('stopped', 'the agent was asked to stop'));
    // At once: a change that breaks off because of this is no release's fault.
    void this.#updater?.stop();
    this.#waiting.abort(this.#stop.signal.reason);
    this.#flight.stop();
    setTimeout(() => {
      for (const { matcher } of this.#engines) matcher.giveUp('stopped');
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
  applyConfig(config: AgentConfig): Promise<void> {
    return this.change(this.#updater?.rebase(config) ?? config, undefined);
  }

  /**
   * Goes on with another bundle or other settings between two frames. Models are loaded before; frames on their way are
   * answered by what they began with. Where the camera must give other pictures, it is opened again; a picture that waits
   * to become a frame is dropped then.
   * @param config undefined: as it is when this change's turn comes; `bundle` likewise
   * @throws DeepcodError for what cannot be used: then nothing has changed
   */
  change(config: AgentConfig | undefined, bundle: Bundle | undefined): Promise<void> {
    const change = this.#changing
      .then(() => this.#ready.opened)
      .then(() => this.#change(config ?? this.config, bundle ?? this.bundle));
    this.#changing = change.catch(() => undefined);
    return change;
  }

  async #change(config: AgentConfig, bundle: Bundle): Promise<void> {
    const next = this.#makeEngine(config, bundle, this.#engine);
    try {
      await this.#unlessStopped(this.#warmUp(next));
      this.#stop.signal.throwIfAborted();
      if (next.sharesCamera(this.#engine)) this.#use(next);
      else await this.#useWithCamera(next);
    } catch (error) {
      await next.close();
      throw error;
    }
  }

  async #warmUp(next: Engine): Promise<void> {
    // All points are measured, also those that a command leaves out: it may end at any time.
    await next.measure();
    next.obey(this.#command.under(next.config));
    await next.warmUp();
  }

  /** The next frame goes by this engine's settings, and by what an operator said and they let stand. */
  #obey(engine: Engine): void {
    if (this.#command.settle(engine.config)) {
      this.parts.log.info('the settings choose the partition point, no longer a command', {
        partition: engine.config.partition,
      });
    }
    engine.obey(this.#command.under(engine.config));
  }

  /** The health document as of now. */
  health(): HealthMessage {
    const { stats } = this;
    const bytes = stats.bytes.mean();
    return {
      v: 1,
      device: this.config.device,
      session: this.session,
      uptime_s: Math.round((performance.now() - this.#startedAt) / 100) / 10,
      bundle: this.#engine.bundleName,
      ...(this.#lastChoice && { partition: this.#lastChoice, rate: this.#lastRate }),
      fps: Math.round(stats.fps() * 100) / 100,
      frames: stats.frames,
      results: stats.results + stats.local,
      lost: stats.lost,
      drops: this.drops(),
      coding: { ...stats.coding },
      steps_ms: stats.stepsP50(),
      ...(bytes !== null && { bytes_mean: Math.round(bytes) }),
      bandwidth_bps: Math.round(this.planner.link.bps),
      ...(this.planner.trace.latest && { decision: inBrief(this.planner.trace.latest) }),
      waiting_results: this.#results.waiting,
      rss_bytes: process.memoryUsage.rss(),
      ...(this.#camera?.health && { camera: this.#camera.health }),
      system: this.#system.latest,
      versions: versions(),
      ...(this.#updater && { update: this.#updater.report.brief }),
    };
  }

  /** Everything that came to nothing so far, by cause. */
  drops(): Record<string, number> {
    const { superseded, late } = this.#flight;
    return { ...this.stats.drops, ...(superseded > 0 && { superseded }), ...(late > 0 && { late }) };
  }

  /** The one that takes the next frame first. */
  get #engines(): Engine[] {
    return [this.#engine, ...this.#retiring.keys()];
  }

  #makeEngine(config: AgentConfig, bundle: Bundle, before?: Engine): Engine {
    const parts = {
      session: this.session,
      publish: (message: Uint8Array, worker?: string, traceparent?: string) =>
        this.#link.publishFrame(message, worker, traceparent),
      home: this.#home,
      log: this.parts.log,
    };
    return new Engine(config, bundle, parts, before);
  }

  #makeReporter(): Reporter {
    return new Reporter(this.config.health.interval_s * 1000, () => this.#link.publishHealth(this.health()));
  }

  /** The next frame begins with this engine. */
  #use(next: Engine): void {
    const before = this.#engine;
    this.#engine = next;
    this.#obey(next);
    const closing = before.close().finally(() => this.#retiring.delete(before));
    this.#retiring.set(before, closing);
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
    this.#flight.poke();
  }

  /** The loop that takes pictures opens the camera for it, and then uses it. */
  #useWithCamera(next: Engine): Promise<void> {
    const { signal } = this.#stop;
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      this.#handOver = () => {
        this.#use(next);
        resolve();
      };
      this.#waiting.abort(new Error('the camera is changed'));
    });
  }

  #openCamera(): Promise<Camera> {
    const { source, ...options } = this.config.camera;
    const log = this.parts.log.child('camera');
    const warn = (message: string) => log.warn(message);
    const changed = ({ state, description, message }: CameraHealth) => {
      if (state === 'running') log.info('running', { camera: description });
      else log.warn(message ?? state, { state, camera: description });
      this.#reporter.news();
    };
    return this.parts.openCamera({ source, ...options, warn, changed }, this.#engine.preprocessor.fit);
  }

  /** Measures or recalls what the decision needs, and lets broker and edge show up. */
  async #prepare(): Promise<void> {
    const { broker } = this.#link;
    const edgeThere = broker.ready(BROKER_PATIENCE_MS).then((up) => up && this.edges.waitForOne(EDGE_PATIENCE_MS));
    await this.#engine.measure();
    if (await this.#unlessStopped(edgeThere)) return;
    if (this.planner.staysHere('use')) return;
    const { log } = this.parts;
    const instead = this.config.fallback
      ? 'the service runs on this device until one answers'
      : 'frames are lost until one answers';
    if (broker.connected)
      log.warn(`no edge has announced itself at the broker: ${instead}`, { base: this.config.base });
  }

  async #unlessStopped<T>(waited: Promise<T>): Promise<T | undefined> {
    const { signal } = this.#stop;
    const stopped = new Promise<undefined>((resolve) => {
      if (signal.aborted) resolve(undefined);
      signal.addEventListener('abort', () => resolve(undefined), { once: true });
    });
    return Promise.race([waited, stopped]);
  }

  async #takePictures(): Promise<void> {
    const { signal } = this.#stop;
    const { frames = Number.POSITIVE_INFINITY } = this.parts;
    while (!signal.aborted && this.stats.frames < frames) {
      if (this.#handOver) await this.#changeCamera();
      if (this.config.camera.fps === 0) await this.#flight.room(this.#waiting.signal);
      if (this.stats.frames >= frames) break;
      const picture = await this.#nextPicture();
      if (picture === undefined) continue;
      if (picture === null) break;
      this.#watchdog.picture();
      this.#flight.offer(picture);
    }
    if (this.stats.frames >= frames) this.#flight.stop();
  }

  /** @returns null: the input has ended; undefined: the camera is to be changed */
  async #nextPicture(): Promise<Picture | null | undefined> {
    const { signal } = this.#waiting;
    try {
      return (await this.#camera?.next(signal)) ?? null;
    } catch (error) {
      if (signal.aborted && !this.#stop.signal.aborted) return undefined;
      throw error;
    }
  }

  /** Between two frames. Those on their way have their pictures; the one that waits would not fit the next engine. */
  async #changeCamera(): Promise<void> {
    const handOver = this.#handOver;
    this.#handOver = undefined;
    this.#waiting = new AbortController();
    this.#flight.clear();
    await this.#camera?.close();
    handOver?.();
    this.#camera = await this.#openCamera();
  }

  #limit(): number {
    if (this.stats.frames >= (this.parts.frames ?? Number.POSITIVE_INFINITY)) return 0;
    // One at a time here; frames that are stuck on the link take nobody's place.
    // While one is, none goes out: an edge's answer to a newer frame must not overtake it.
    if (this.#here > 0 || this.planner.staysHere(this.#advice())) {
      return Math.min(this.planner.away, this.config.in_flight) + 1;
    }
    return this.#link.broker.connected && !this.#held() ? this.config.in_flight : 0;
  }

  /** Whether frames are held back from an edge that has too much to do. */
  #held(): boolean {
    const { delay } = this.#throttle;
    if (delay === 0) return false;
    this.#hold ??= setTimeout(() => {
      this.#hold = undefined;
      this.#flight.poke();
    }, delay);
    return true;
  }

  /** Whether there is an edge to send the next frame to. */
  #advice(): EdgeAdvice {
    const isOpen = this.#link.broker.connected && !this.#results.goFirst;
    return isOpen ? this.edges.advice(performance.now()) : 'avoid';
  }

  /** One frame's trip. Never rejects. */
  async #fly(picture: Picture, since: number): Promise<void> {
    const trip = newTrip(this.stats.frames++, picture, since);
    const engine = this.#engine;
    const { planner } = engine;
    trip.traceparent = this.parts.traceparent?.(trip.frame);
    this.parts.onStart?.(trip.frame, picture);
    this.#watchdog.started();
    try {
      this.#ping();
      const { choice, decision } = planner.decide(trip.frame, this.#advice());
      this.parts.onDecision?.(decision);
      const isNews = choice.id !== this.#lastChoice || choice.rate !== this.#lastRate;
      this.#lastChoice = choice.id;
      this.#lastRate = choice.rate;
      if (isNews) this.#reporter.news();
      if (choice.id === 'device') await this.#flyHere(engine, trip);
      else await this.#flyToEdge(engine, trip, choice);
    } catch (error) {
      trip.outcome = 'failed';
      const { message } = error as Error;
      if (this.#failures.now(message)) this.parts.log.error('a frame failed', { frame: trip.frame, error });
    }
    trip.steps.total = performance.now() - trip.startedAt + picture.captureMs;
    this.stats.finish(trip);
    this.#watchdog.ended(trip.outcome);
    this.#updater?.trip(trip);
    planner.learn(trip);
    this.parts.onTrip?.(trip);
  }

  /** While no frame goes to the edge, nothing else tells how the link is. */
  #ping(): void {
    this.planner.checkPing();
    if (!this.planner.pingDue || !this.#link.broker.connected) return;
    const number = randomInt(2 ** 32);
    if (this.#link.publishPing(number)) this.planner.pings.sent(number);
  }

  async #flyToEdge(engine: Engine, trip: Trip, choice: Choice): Promise<void> {
    const now = performance.now();
    if (this.edges.advice(now) === 'try') this.edges.tried(now);
    this.#throttle.sent();
    const refusal = await engine.flyToEdge(trip, choice);
    // What an edge makes of another bundle says nothing about this one.
    if (engine.bundle.id !== this.bundle.id) return;
    if (refusal) {
      if (this.#refusals.note(refusal)) this.edges.refused();
      if (trip.refusal === 'overloaded') {
        this.#throttle.overloaded(trip.refusedWaitMs);
        this.#home.overloaded(refusal.worker);
      }
      return;
    }
    if (trip.outcome === 'result') {
      this.edges.answered();
      this.#home.answered(trip.worker ?? '');
      this.#throttle.answered();
      this.#refusals.clear();
    } else if (trip.outcome === 'timeout') {
      this.edges.unanswered();
      if (trip.sentTo !== undefined) this.#home.unanswered(trip.sentTo);
    }
  }

  async #flyHere(engine: Engine, trip: Trip): Promise<void> {
    this.#here++;
    try {
      await engine.flyHere(trip);
    } finally {
      this.#here--;
    }
    trip.worker = this.config.device;
    this.#results.publish(localResult(trip, this.session, engine.bundle.id, this.config.device));
  }
}

/** What a camera that is watched over says is wrong, and works on. */
function cameraTrouble(camera: Camera | undefined): string | undefined {
  const { state = 'running', message = state } = camera?.health ?? {};
  return state === 'running' ? undefined : message;
}

/** Waits for something, but no longer. */
async function atMost(ms: number, what: Promise<unknown> | undefined): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([what, over]).finally(() => clearTimeout(timer));
}

/**
 * Opens the bundle, the configured one or that of a release, and makes an agent; `run()` starts it.
 * @throws DeepcodError: bundle (exit code 3), settings (2)
 */
export async function openAgent(config: AgentConfig, parts: AgentParts): Promise<Agent> {
  const start = await findStart(config, parts.log.child('update'));
  return new Agent(start.config, start.bundle, parts, start.update);
}
