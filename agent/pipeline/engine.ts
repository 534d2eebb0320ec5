import type { Bundle } from '../../platform/bundle.js';
import type { Log } from '../../platform/log.js';
import type { PartitionCommand } from '../../protocol/command.js';
import type { FrameFailure } from '../../protocol/result.js';
import { coloursOf } from '../camera/index.js';
import type { AgentConfig } from '../config/config.js';
import type { Choice } from '../partition/choices.js';
import { boardPower } from '../partition/energy.js';
import { profileFingerprint } from '../partition/fingerprint.js';
import type { Home } from '../partition/home.js';
import { measureDevice } from '../partition/measure.js';
import { Planner } from '../partition/planner.js';
import { tellPrivacy } from '../partition/privacy.js';
import { Profiling } from '../partition/profiling.js';
import { pictureBuffers } from './buffers.js';
import { type Colours, pictureBytes } from './colours.js';
import { FrameEncoder } from './encode.js';
import { Heads } from './head.js';
import { LocalService } from './local.js';
import { Matcher } from './match.js';
import { Models } from './models.js';
import { DeviceTrips } from './on-device.js';
import { Preprocessor } from './preprocess.js';
import { References } from './references.js';
import { RemoteTrips } from './remote.js';
import type { Trip } from './trip.js';

export interface EngineParts {
  /** Random number of this start. */
  session: number;
  /** Hands a frame message to the socket; false when it was not taken. */
  publish: (message: Uint8Array, worker?: string, traceparent?: string) => boolean;
  home: Home;
  log: Log;
}

/**
 * What belongs to one bundle under one configuration. A frame that began its trip here ends it here: another engine may
 * take the next frame meanwhile.
 */
export class Engine {
  readonly planner: Planner;
  readonly profiling: Profiling;
  readonly preprocessor: Preprocessor;
  readonly matcher: Matcher;
  readonly #models: Models;
  readonly #heads: Heads;
  readonly #service: LocalService;
  readonly #remote: RemoteTrips;
  readonly #onDevice: DeviceTrips;
  readonly #log: Log;
  /** As what the camera gives its pictures. */
  readonly #given: Colours;
  #flying = 0;
  #idle: (() => void)[] = [];

  /**
   * @param before what is known of link, device and edge is taken over from this engine
   * @throws DeepcodError for settings that this bundle or this machine cannot serve
   */
  constructor(
    readonly config: AgentConfig,
    readonly bundle: Bundle,
    parts: EngineParts,
    before?: Engine,
  ) {
    const { manifest } = bundle;
    const { session, log } = parts;
    this.#log = log;
    const encoder = new FrameEncoder(bundle, session);
    const settings = { ...config, power: config.power ?? boardPower() };
    this.#given = coloursOf(config.camera.source);
    const predicts = (partition: number) => encoder.predicts(partition);
    this.planner = new Planner(manifest, settings, predicts, undefined, undefined, before?.planner);
    tellPrivacy(manifest, config.privacy, log);
    const { file } = config.profile;
    const fingerprint = profileFingerprint(bundle.id, config.threads, this.#given);
    this.profiling = new Profiling(this.planner, file, fingerprint, config.threads, log, before?.profiling);
    this.preprocessor = new Preprocessor(manifest.input);
    const buffers = pictureBuffers(manifest.input, config.in_flight + 1);
    this.#models = new Models(config.threads);
    this.#heads = new Heads(bundle, config.threads, this.#models);
    this.#service = new LocalService(bundle, config.threads, this.#models);
    this.matcher = new Matcher(session, bundle.id);
    this.#remote = new RemoteTrips({
      preprocessor: this.preprocessor,
      buffers,
      heads: this.#heads,
      encoder,
      references: new References(config.key_interval_s * 1000),
      matcher: this.matcher,
      home: parts.home,
      publish: parts.publish,
      timeoutMs: config.timeout_ms,
    });
    this.#onDevice = new DeviceTrips(this.preprocessor, buffers, this.#service);
  }

  /** Name and id of the bundle, for messages. */
  get bundleName(): { id: string; name: string } {
    return { id: this.bundle.id, name: this.bundle.manifest.service.name };
  }

  /** Measures or recalls what the decision needs. */
  async measure(): Promise<void> {
    if (this.planner.isFixed) return;
    await this.profiling.start((missing) => measureDevice(missing, this.#heads, this.#service, this.#given));
  }

  /**
   * Cuts where an operator said; undefined, or what this bundle and these settings do not allow: as the settings say.
   * Never throws.
   */
  obey(command: PartitionCommand | undefined): void {
    try {
      this.planner.command(command ?? { partition: 'auto' });
    } catch (error) {
      this.planner.command({ partition: 'auto' });
      this.#log.warn('what a command chose is not to be had now: the settings choose', { ...command, error });
    }
  }

  /** Loads what the next frame may need, so that it does not wait. @throws what a model throws */
  async warmUp(): Promise<void> {
    const { input } = this.bundle.manifest;
    const grey = (colours: Colours) => new Uint8Array(pictureBytes(input, colours)).fill(114);
    const partitions = new Set(this.planner.choices.map(({ partition }) => partition).filter((index) => index >= 0));
    for (const partition of partitions) {
      const colours = this.#heads.coloursFor(partition, this.#given);
      await this.#heads.run(partition, 0, grey(colours), colours);
    }
    if (this.config.fallback || this.planner.choices.some(({ id }) => id === 'device')) {
      const colours = this.#service.coloursFor(this.#given);
      await this.#service.run(grey(colours), { width: 1, height: 1 }, colours);
    }
  }

  /** Whether both want their pictures in the same size from the same camera. */
  sharesCamera(other: Engine): boolean {
    const wants = ({ bundle, config }: Engine) => JSON.stringify([bundle.manifest.input, config.camera]);
    return wants(this) === wants(other);
  }

  /** A frame's trip to the edge. @returns the edge's refusal, if that is what came back */
  flyToEdge(trip: Trip, choice: Choice): Promise<FrameFailure | undefined> {
    return this.#during(this.#remote.fly(trip, choice));
  }

  /** A frame's trip on this device. */
  flyHere(trip: Trip): Promise<void> {
    return this.#during(this.#onDevice.fly(trip));
  }

  /** Writes down what was learnt, for the next start. */
  keep(): void {
    this.profiling.keep();
  }

  /** Lets the frames on their way come home, then ends all threads. */
  async close(): Promise<void> {
    while (this.#flying > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
    await this.#models.close();
  }

  async #during<T>(trip: Promise<T>): Promise<T> {
    this.#flying++;
    try {
      return await trip;
    } finally {
      this.#flying--;
      if (this.#flying === 0) for (const resolve of this.#idle.splice(0)) resolve();
    }
  }
}
