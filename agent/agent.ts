import { randomInt } from 'node:crypto';
import { type Bundle, openBundle } from '../platform/bundle.js';
import { DeepcodError } from '../platform/errors.js';
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
import { boardPower } from './partition/energy.js';
import { Home } from './partition/home.js';
import { measureDevice } from './partition/measure.js';
import { Planner } from './partition/planner.js';
import { tellPrivacy } from './partition/privacy.js';
import { Profiling } from './partition/profiling.js';
import { inBrief } from './partition/trace.js';
import { BufferPool } from './pipeline/buffers.js';
import { FrameEncoder } from './pipeline/encode.js';
import { FlightControl } from './pipeline/flight.js';
import { Heads } from './pipeline/head.js';
import { AgentLink } from './pipeline/link.js';
import { LocalService } from './pipeline/local.js';
import { localResult } from './pipeline/local-result.js';
import { Matcher } from './pipeline/match.js';
import { Models } from './pipeline/models.js';
import { DeviceTrips } from './pipeline/on-device.js';
import { Preprocessor } from './pipeline/preprocess.js';
import { References } from './pipeline/references.js';
import { Refusals } from './pipeline/refusals.js';
import { RemoteTrips } from './pipeline/remote.js';
import { Throttle } from './pipeline/throttle.js';
import { newTrip, type Trip } from './pipeline/trip.js';
import { LocalResults } from './store/results.js';

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
  /** Told of every decision, before its frame's trip. */
  onDecision?: (decision: Decision) => void;
  /** Told of every finished trip, lost ones too. */
  onTrip?: (trip: Trip) => void;
  /** The service manager; default: nobody. */
  manager?: Notifier;
}

/** The process on the device: pictures in, results out. Made by `openAgent`. */
export class Agent {
  readonly session = randomInt(2 ** 32);
  readonly stats = new Stats();
  readonly planner: Planner;
  readonly edges = new EdgeWatch();
  readonly #home: Home;
  readonly #throttle = new Throttle();
  #hold: NodeJS.Timeout | undefined;
  readonly #startedAt = performance.now();
  readonly #stop = new AbortController();
  readonly #preprocessor: Preprocessor;
  readonly #models: Models;
  readonly #heads: Heads;
  readonly #service: LocalService;
  readonly #matcher: Matcher;
  readonly #link: AgentLink;
  readonly #results: LocalResults;
  readonly #remote: RemoteTrips;
  readonly #onDevice: DeviceTrips;
  readonly #flight: FlightControl;
  readonly #refusals: Refusals;
  readonly #profiling: Profiling;
  readonly #failures = new Seldom();
  #camera: Camera | undefined;
  /** Frames that are being answered here. */
  #here = 0;
  readonly #reporter: Reporter;
  readonly #system: SystemHealthReader;
  readonly #watchdog: FrameWatchdog;
  readonly #summary: NodeJS.Timeout;
  #lastChoice = '';
  #lastRate = 0;

  /** Use openAgent. @throws DeepcodError for settings that this bundle or this machine cannot serve */
  constructor(
    readonly config: AgentConfig,
    readonly bundle: Bundle,
    readonly parts: AgentParts,
  ) {
    const { manifest } = bundle;
    const { log } = parts;
    const encoder = new FrameEncoder(bundle, this.session);
    const settings = { ...config, power: config.power ?? boardPower() };
    this.planner = new Planner(manifest, settings, (partition) => encoder.predicts(partition));
    tellPrivacy(manifest, config.privacy, log);
    this.#profiling = new Profiling(this.planner, config.profile.file, bundle.id, config.threads, log);
    this.#preprocessor = new Preprocessor(manifest.input);
    const buffers = new BufferPool(this.#preprocessor.bytes, config.in_flight + 1);
    this.#models = new Models(config.threads);
    this.#heads = new Heads(bundle, config.threads, this.#models);
    this.#service = new LocalService(bundle, config.threads, this.#models);
    this.#matcher = new Matcher(this.session, bundle.id);
    this.#refusals = new Refusals(log);
    this.#link = new AgentLink(
      config,
      { online: true, session: this.session, bundle: this.#bundleName(), versions: versions() },
      {
        result: (payload) => {
          const arrival = this.#matcher.arrive(payload);
          if (arrival === 'late' || arrival === 'damaged') this.stats.drop(`result_${arrival}`);
        },
        edge: (worker, status) => {
          this.edges.announce(worker, status);
          if (!status.online && !status.leaving) this.#matcher.lose(worker);
          this.planner.useEdges(this.#home.statuses, bundle.id);
        },
        explain: (count) => this.#link.publishDecisions(this.session, this.planner.trace.last(count)),
        partition: (command) => {
          this.planner.command(command);
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
          this.#matcher.giveUp('broker_lost');
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
    this.#home = new Home(this.edges, config.device, () => this.#link.broker.version === 5);
    this.#remote = new RemoteTrips({
      preprocessor: this.#preprocessor,
      buffers,
      heads: this.#heads,
      encoder,
      references: new References(config.key_interval_s * 1000),
      matcher: this.#matcher,
      home: this.#home,
      publish: (message, worker) => this.#link.publishFrame(message, worker),
      timeoutMs: config.timeout_ms,
    });
    this.#onDevice = new DeviceTrips(this.#preprocessor, buffers, this.#service);
    this.#flight = new FlightControl(
      () => this.#limit(),
      (picture, since) => this.#fly(picture, since),
      config.timeout_ms,
    );
    this.#reporter = new Reporter(config.health.interval_s * 1000, () => this.#link.publishHealth(this.health()));
    this.#system = new SystemHealthReader(config.results.folder);
    this.#watchdog = new FrameWatchdog(parts.manager ?? silentNotifier, () => ({
      periodMs: config.camera.fps > 0 ? 1000 / config.camera.fps : 0,
      timeoutMs: config.timeout_ms,
      inFlight: this.#flight.inFlight,
      waiting: this.#flight.waiting,
      cameraTrouble: cameraTrouble(this.#camera),
      connected: this.#link.connected,
      edge: this.edges.advice(performance.now()),
      fallback: config.fallback,
    }));
    this.#summary = setInterval(() => log.info('health', summaryOf(this.health())), SUMMARY_MS).unref();
    this.#link.broker.onUp(() => {
      this.#results.connected();
      this.#flight.poke();
    });
  }

  /**
   * Runs until stopped, until the camera's input ends, or until `frames` trips were made.
   * @throws DeepcodError when the camera fails for good, or a model cannot be loaded
   */
  async run(): Promise<void> {
    const { log } = this.parts;
    try {
      const camera = await this.#openCamera();
      this.#camera = camera;
      await this.#prepare();
      log.info('ready', {
        device: this.config.device,
        camera: camera.description,
        bundle: `${this.bundle.manifest.service.name}/${this.bundle.id}`,
        partition: this.config.partition,
      });
      this.#watchdog.picture();
      this.parts.manager?.ready();
      this.parts.manager?.status(`${this.config.device}: ${camera.description}`);
      await this.#takePictures(camera);
      await this.#flight.settled();
    } catch (error) {
      if (!this.#stop.signal.aborted) throw error;
    } finally {
      this.#flight.stop();
      // A run cannot be broken off: who stops does not wait for its end.
      await atMost(STOP_PATIENCE_MS, this.#flight.settled());
      clearTimeout(this.#hold);
      await atMost(GOODBYE_MS, this.#camera?.close());
      this.#profiling.keep();
      this.#watchdog.close();
      this.#system.close();
      clearInterval(this.#summary);
      this.#reporter.stop();
      await Promise.all([atMost(GOODBYE_MS, this.#models.close()), this.#link.close(GOODBYE_MS)]);
      await this.#results.close();
    }
  }

  /** Ends `run`: frames that are on their way may come home within a second. */
  stop(): void {
    this.#stop.abort(new DeepcodError('stopped', 'the agent was asked to stop'));
    this.#flight.stop();
    setTimeout(() => this.#matcher.giveUp('stopped'), STOP_PATIENCE_MS).unref();
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
      bundle: this.#bundleName(),
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
    };
  }

  /** Everything that came to nothing so far, by cause. */
  drops(): Record<string, number> {
    const { superseded, late } = this.#flight;
    return { ...this.stats.drops, ...(superseded > 0 && { superseded }), ...(late > 0 && { late }) };
  }

  #bundleName(): { id: string; name: string } {
    return { id: this.bundle.id, name: this.bundle.manifest.service.name };
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
    return this.parts.openCamera({ source, ...options, warn, changed }, this.#preprocessor.fit);
  }

  /** Measures or recalls what the decision needs, and lets broker and edge show up. */
  async #prepare(): Promise<void> {
    const { broker } = this.#link;
    const edgeThere = broker.ready(BROKER_PATIENCE_MS).then((up) => up && this.edges.waitForOne(EDGE_PATIENCE_MS));
    if (!this.planner.isFixed) {
      const bytes = this.#preprocessor.bytes;
      await this.#profiling.start((missing) => measureDevice(missing, this.#heads, this.#service, bytes));
    }
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

  async #takePictures(camera: Camera): Promise<void> {
    const { signal } = this.#stop;
    const { frames = Number.POSITIVE_INFINITY } = this.parts;
    while (!signal.aborted && this.stats.frames < frames) {
      if (this.config.camera.fps === 0) await this.#flight.room();
      if (this.stats.frames >= frames) break;
      const picture = await camera.next(signal);
      if (!picture) break;
      this.#watchdog.picture();
      this.#flight.offer(picture);
    }
    if (this.stats.frames >= frames) this.#flight.stop();
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
    this.parts.onStart?.(trip.frame, picture);
    this.#watchdog.started();
    try {
      this.#ping();
      const { choice, decision } = this.planner.decide(trip.frame, this.#advice());
      this.parts.onDecision?.(decision);
      const isNews = choice.id !== this.#lastChoice || choice.rate !== this.#lastRate;
      this.#lastChoice = choice.id;
      this.#lastRate = choice.rate;
      if (isNews) this.#reporter.news();
      if (choice.id === 'device') await this.#flyHere(trip);
      else await this.#flyToEdge(trip, choice);
    } catch (error) {
      trip.outcome = 'failed';
      const { message } = error as Error;
      if (this.#failures.now(message)) this.parts.log.error('a frame failed', { frame: trip.frame, error });
    }
    trip.steps.total = performance.now() - trip.startedAt + picture.captureMs;
    this.stats.finish(trip);
    this.#watchdog.ended(trip.outcome);
    this.planner.learn(trip);
    this.parts.onTrip?.(trip);
  }

  /** While no frame goes to the edge, nothing else tells how the link is. */
  #ping(): void {
    this.planner.checkPing();
    if (!this.planner.pingDue || !this.#link.broker.connected) return;
    const number = randomInt(2 ** 32);
    if (this.#link.publishPing(number)) this.planner.pings.sent(number);
  }

  async #flyToEdge(trip: Trip, choice: Choice): Promise<void> {
    const now = performance.now();
    if (this.edges.advice(now) === 'try') this.edges.tried(now);
    this.#throttle.sent();
    const refusal = await this.#remote.fly(trip, choice);
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

  async #flyHere(trip: Trip): Promise<void> {
    this.#here++;
    try {
      await this.#onDevice.fly(trip);
    } finally {
      this.#here--;
    }
    trip.worker = this.config.device;
    this.#results.publish(localResult(trip, this.session, this.bundle.id, this.config.device));
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
 * Opens the bundle and makes an agent; `run()` starts it.
 * @throws DeepcodError: bundle (exit code 3), settings (2)
 */
export async function openAgent(config: AgentConfig, parts: AgentParts): Promise<Agent> {
  return new Agent(config, await openBundle(config.bundle), parts);
}
