import type { Decision } from '../../protocol/decision.js';
import type { HealthMessage, Step } from '../../protocol/health.js';
import type { FrameFailure, FrameResult } from '../../protocol/result.js';
import type { DeviceStatus } from '../../protocol/status.js';
import type { PlacedDetection } from '../rules/places.js';
import { LivePictures } from './live-pictures.js';
import type {
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
import { SeenFrames } from './seen.js';

/** Steps that a device measures: an answer says nothing of them. */
const DEVICE_STEPS = ['capture', 'preprocess', 'head', 'encode', 'up', 'down'] as const satisfies readonly Step[];
/** Frames that were announced and not answered yet. */
const WAITING = 32;
/** A device that says nothing for so long counts as away even if it never said goodbye, ms. */
export const SILENT_MS = 30_000;

/** One device, as the page shows it. Changed by LiveStore only. */
export class LiveDevice {
  sequence = 0;
  online = true;
  lastSeen: number;
  status: DeviceStatus | undefined;
  health: HealthMessage | undefined;
  decision: LiveDecision | undefined;
  /** Since this store exists. */
  readonly counts = { frames: 0, results: 0, failures: 0, bytes: 0 };
  /** In the order in which they came. */
  readonly trips: LiveTrip[] = [];
  /** Of the decisions heard of, oldest first, as many as trips at most. */
  readonly reasons: LiveReason[] = [];
  /** Newest last. */
  readonly errors: LiveError[] = [];
  readonly #pictures: LivePictures;
  readonly #seen = new SeenFrames();
  readonly #waiting = new Map<string, FrameInfo>();
  readonly #limits: LiveLimits;
  readonly #next: () => number;

  /**
   * @param next gives the sequence number of a change
   * @param paired hears of every picture that its answer was found for
   */
  constructor(
    readonly name: string,
    limits: LiveLimits,
    next: () => number,
    readonly firstSeen: number,
    paired: (shown: Shown) => void = () => {},
  ) {
    this.#pictures = new LivePictures(paired);
    this.lastSeen = firstSeen;
    this.#limits = limits;
    this.#next = next;
  }

  get snapshotBytes(): number {
    return this.#pictures.bytes;
  }

  /** The last answered frame with its picture; see LivePictures. */
  shown(now: number): Shown | undefined {
    return this.#pictures.shown(now);
  }

  /** Whether it is there: it has not said goodbye, and was heard of lately. */
  present(now: number): boolean {
    return this.online && now - this.lastSeen < SILENT_MS;
  }

  frame(info: FrameInfo, now: number): void {
    this.#heard(now);
    this.counts.frames++;
    this.counts.bytes += info.bytes;
    const { session, frame, partition, rate, bytes, coding } = info;
    this.#waiting.set(key(info), { session, frame, partition, rate, bytes, coding });
    if (this.#waiting.size > WAITING) this.#waiting.delete(this.#waiting.keys().next().value as string);
  }

  /** @returns false for one that came before */
  result(result: FrameResult, bytes: number | undefined, now: number): boolean {
    this.#heard(now);
    if (!this.#seen.add(result.session, result.frame)) return false;
    this.counts.results++;
    const sent = this.#waiting.get(key(result));
    this.#waiting.delete(key(result));
    const known = this.#trip(result);
    const { queue, decode, tail, post } = result.edge_ms;
    const found: Record<string, number> = {};
    for (const { label, masked } of result.detections as readonly PlacedDetection[]) {
      if (!masked) found[label] = (found[label] ?? 0) + 1;
    }
    const steps = known?.exact ? known.steps : { ...this.#usualSteps(), queue, decode, tail, post };
    this.#keep({
      sequence: this.#next(),
      session: result.session,
      frame: result.frame,
      at: result.late ? (result.at ?? now) : now,
      partition: result.partition,
      rate: result.rate,
      bytes: bytes ?? sent?.bytes ?? known?.bytes ?? 0,
      coding: sent?.coding ?? known?.coding,
      steps,
      exact: known?.exact ?? false,
      worker: result.worker,
      found,
    });
    // what was kept is of the past: it is not what the camera sees
    if (result.late) return true;
    this.#pictures.answer(
      {
        session: result.session,
        frame: result.frame,
        width: result.width,
        height: result.height,
        detections: result.detections,
        answered: true,
      },
      now,
    );
    return true;
  }

  failure({ session, frame, error }: FrameFailure, now: number): void {
    this.#heard(now);
    this.counts.failures++;
    this.#waiting.delete(key({ session, frame }));
    const at = this.errors.findIndex((known) => known.code === error.code && known.message === error.message);
    const [known] = at < 0 ? [] : this.errors.splice(at, 1);
    this.errors.push({
      code: error.code,
      message: error.message,
      hint: error.hint,
      count: (known?.count ?? 0) + 1,
      at: now,
    });
    if (this.errors.length > this.#limits.errors) this.errors.shift();
  }

  trip(info: TripInfo, now: number): void {
    this.#heard(now);
    if (info.outcome !== undefined && info.outcome !== 'result' && info.outcome !== 'local') return;
    const known = this.#trip(info);
    const { session, frame, partition, rate, bytes, coding, steps } = info;
    this.#keep({
      ...(known ?? { at: now, worker: '', found: {} }),
      ...{ sequence: this.#next(), session, frame, partition, rate, bytes, coding, steps: { ...steps }, exact: true },
    });
  }

  says(health: HealthMessage, now: number): void {
    this.#heard(now);
    this.health = health;
    if (health.decision) this.decided(health.session, health.decision, now);
  }

  /** A decision, from the health or told apart; one that is known, or older than the newest, says nothing new. */
  decided(session: number, decision: Decision, now: number): void {
    this.#heard(now);
    const { frame, partition, rate, reason, why } = decision;
    if (this.decision?.session === session && frame <= this.decision.frame) return;
    const sequence = this.#next();
    this.decision = { ...decision, sequence, session, heard: now };
    this.reasons.push({ sequence, session, frame, partition, rate, reason, why });
    if (this.reasons.length > this.#limits.trips) this.reasons.shift();
  }

  is(status: DeviceStatus, now: number): void {
    this.lastSeen = now;
    this.online = status.online;
    // the last will is only `{"online":false}`: what was known stays known
    this.status = { ...this.status, ...status };
  }

  snapshot(snapshot: Snapshot, now: number): void {
    this.#heard(now);
    this.#pictures.picture(snapshot, now);
  }

  dropPictures(): void {
    this.#pictures.drop();
  }

  #heard(now: number): void {
    this.lastSeen = now;
    this.online = true;
  }

  #usualSteps(): LiveTrip['steps'] {
    const usual = this.health?.steps_ms ?? {};
    const steps: LiveTrip['steps'] = {};
    for (const step of DEVICE_STEPS) if (usual[step] !== undefined) steps[step] = usual[step];
    return steps;
  }

  #trip(of: { session: number; frame: number }): LiveTrip | undefined {
    return this.trips.findLast((trip) => trip.frame === of.frame && trip.session === of.session);
  }

  #keep(trip: LiveTrip): void {
    const at = this.trips.findLastIndex((known) => known.frame === trip.frame && known.session === trip.session);
    if (at >= 0) this.trips[at] = trip;
    else this.trips.push(trip);
    if (this.trips.length > this.#limits.trips) this.trips.shift();
  }
}

const key = (of: { session: number; frame: number }): string => `${of.session}/${of.frame}`;
