import type { Decision } from '../../protocol/decision.js';
import type { HealthMessage } from '../../protocol/health.js';
import { type FrameResult, isFailure, type ResultMessage } from '../../protocol/result.js';
import type { DeviceStatus, EdgeStatus } from '../../protocol/status.js';
import { LiveDevice } from './live-device.js';
import type { FrameInfo, LiveLimits, Shown, Snapshot, TripInfo } from './live-types.js';

export { LiveDevice } from './live-device.js';
export type {
  FrameInfo,
  LiveDecision,
  LiveError,
  LiveLimits,
  LiveReason,
  LiveTrip,
  Shown,
  Snapshot,
  TripInfo,
} from './live-types.js';

/** An edge that has announced itself. */
export interface LiveWorker {
  name: string;
  status: EdgeStatus;
  at: number;
}

/** Who asked for a picture looks for so long, ms. */
const LOOK_MS = 5000;

const defaults: LiveLimits = {
  devices: 1000,
  workers: 100,
  trips: 120,
  errors: 20,
  snapshotBytes: 2 ** 20,
  allSnapshotBytes: 64 * 2 ** 20,
};

/**
 * What the page shows: the present and the last minutes, in memory, bounded in every direction. It knows neither MQTT nor
 * HTTP: whoever hears something calls an `on...` method, whoever shows something subscribes and reads. When a limit
 * is reached, what was silent for the longest time makes room.
 */
export class LiveStore {
  readonly limits: LiveLimits;
  /** By name, the longest silent first. */
  readonly #devices = new Map<string, LiveDevice>();
  readonly #workers = new Map<string, LiveWorker>();
  readonly #listeners = new Set<() => void>();
  readonly #pairListeners = new Set<(device: string, shown: Shown) => void>();
  readonly #answerListeners = new Set<(device: string, answer: FrameResult) => void>();
  readonly #goneListeners = new Set<(device: string) => void>();
  readonly #now: () => number;
  #sequence = 0;
  #snapshotBytes = 0;
  #lookedAt = Number.NEGATIVE_INFINITY;

  /** @param now milliseconds since 1970, for tests */
  constructor(limits: Partial<LiveLimits> = {}, now: () => number = Date.now) {
    this.limits = { ...defaults, ...limits };
    this.#now = now;
  }

  /** Grows with every change; a device's `sequence` is that of its last change. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Whether anyone looks: pictures need not be made otherwise. */
  get watched(): boolean {
    return this.#listeners.size > 0 || this.#now() - this.#lookedAt < LOOK_MS;
  }

  /** Somebody asked for a picture, and will again. */
  look(): void {
    this.#lookedAt = this.#now();
  }

  /** Whether anyone keeps pictures: now and then one must be made although nobody looks. */
  get recorded(): boolean {
    return this.#pairListeners.size > 0;
  }

  get snapshotBytes(): number {
    return this.#snapshotBytes;
  }

  /** A frame message of a device was accepted. */
  onFrame(device: string, info: FrameInfo): void {
    this.#change(device, (d, now) => d.frame(info, now));
  }

  /**
   * The answer to a frame, or why there is none.
   * @param bytes of the frame message, where known
   * @returns false for one that came before
   */
  onResult(device: string, answer: ResultMessage, bytes?: number): boolean {
    let isNew = true;
    this.#change(device, (d, now) => {
      if (isFailure(answer)) d.failure(answer, now);
      else isNew = d.result(answer, bytes, now);
    });
    if (isNew && !isFailure(answer) && !answer.late)
      for (const listener of this.#answerListeners) listener(device, answer);
    return isNew;
  }

  /** All steps of one frame as the device measured them; where nobody says, the health's medians stand in. */
  onTrip(device: string, info: TripInfo): void {
    this.#change(device, (d, now) => d.trip(info, now));
  }

  onHealth(device: string, health: HealthMessage): void {
    this.#change(device, (d, now) => d.says(health, now));
  }

  /** A decision told beside the health, which holds only the newest now and then. */
  onDecision(device: string, session: number, decision: Decision): void {
    this.#change(device, (d, now) => d.decided(session, decision, now));
  }

  onStatus(device: string, status: DeviceStatus): void {
    // a retained farewell of a device that nobody has heard of since is no news
    if (!status.online && !this.#devices.has(device)) return;
    this.#change(device, (d, now) => d.is(status, now));
  }

  /** It was taken away: nothing of it stays here. If it comes back, it is new. */
  forget(device: string): void {
    if (this.#devices.has(device)) this.#forget(device);
    this.#sequence++;
    for (const listener of this.#goneListeners) listener(device);
    this.#tell();
  }

  /** A picture of a frame, already compressed. @returns false if it is too large to keep */
  onSnapshot(device: string, snapshot: Snapshot): boolean {
    if (snapshot.data.length > this.limits.snapshotBytes || snapshot.data.length === 0) return false;
    this.#change(device, (d, now) => d.snapshot(snapshot, now));
    this.#makeRoom(device);
    return true;
  }

  onEdgeStatus(worker: string, status: EdgeStatus): void {
    if (!status.online && !this.#workers.has(worker)) return;
    this.#workers.delete(worker);
    this.#workers.set(worker, { name: worker, status, at: this.#now() });
    if (this.#workers.size > this.limits.workers) this.#workers.delete(first(this.#workers));
    this.#tell();
  }

  /** Sorted by name. */
  devices(): LiveDevice[] {
    return [...this.#devices.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  device(name: string): LiveDevice | undefined {
    return this.#devices.get(name);
  }

  workers(): LiveWorker[] {
    return [...this.#workers.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Called after every change; must be quick and must not throw. @returns ends it */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Called soon after a picture and the answer to the same frame are both there. @returns ends it */
  onPair(listener: (device: string, shown: Shown) => void): () => void {
    this.#pairListeners.add(listener);
    return () => this.#pairListeners.delete(listener);
  }

  /** Called with every new result but those of the past; must be quick and must not throw. @returns ends it */
  onAnswered(listener: (device: string, answer: FrameResult) => void): () => void {
    this.#answerListeners.add(listener);
    return () => this.#answerListeners.delete(listener);
  }

  /** Called when a device was taken away, known here or not. @returns ends it */
  onForgotten(listener: (device: string) => void): () => void {
    this.#goneListeners.add(listener);
    return () => this.#goneListeners.delete(listener);
  }

  #paired(device: string, shown: Shown): void {
    if (this.#pairListeners.size === 0) return;
    // whoever is told of the answer itself is told first
    queueMicrotask(() => {
      for (const listener of this.#pairListeners) listener(device, shown);
    });
  }

  #change(name: string, change: (device: LiveDevice, now: number) => void): void {
    const now = this.#now();
    let device = this.#devices.get(name);
    if (device) {
      this.#devices.delete(name);
    } else {
      const paired = (shown: Shown): void => this.#paired(name, shown);
      device = new LiveDevice(name, this.limits, () => ++this.#sequence, now, paired);
      if (this.#devices.size >= this.limits.devices) this.#forget(this.#leastNeeded());
    }
    this.#devices.set(name, device);
    const before = device.snapshotBytes;
    change(device, now);
    device.sequence = ++this.#sequence;
    this.#snapshotBytes += device.snapshotBytes - before;
    this.#tell();
  }

  /** Of the longest silent, one that said goodbye before one that did not. */
  #leastNeeded(): string {
    for (const [name, device] of this.#devices) if (!device.online) return name;
    return first(this.#devices);
  }

  #forget(name: string): void {
    this.#snapshotBytes -= this.#devices.get(name)?.snapshotBytes ?? 0;
    this.#devices.delete(name);
  }

  /** Pictures of the longest silent devices go first, those of `keep` last. */
  #makeRoom(keep: string): void {
    for (const [name, device] of this.#devices) {
      if (this.#snapshotBytes <= this.limits.allSnapshotBytes) return;
      if (name === keep || device.snapshotBytes === 0) continue;
      this.#snapshotBytes -= device.snapshotBytes;
      device.dropPictures();
      device.sequence = ++this.#sequence;
    }
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

const first = (map: ReadonlyMap<string, unknown>): string => map.keys().next().value as string;
