import { randomBytes } from 'node:crypto';
import type { PlacedDetection } from '../../rules/places.js';
import { LONGEST_MS } from './search.js';
import type { DetectionEvent } from './types.js';

/** Seen in so many of the last so many frames: an event begins. */
const SEEN = 2;
const OF = 4;
/** Not seen for so long, ms, or for so many usual frames: it ends. */
const SILENCE_MS = 10_000;
const SILENCE_FRAMES = 3;
const LONGEST_SILENCE_MS = 60_000;
/** Between two updates of an event, ms. */
const UPDATE_MS = 5000;
/** Classes of a camera, and cameras, that are followed at most. */
const LABELS = 64;
const CAMERAS = 2000;

export interface EventChange {
  type: 'new' | 'update' | 'end';
  /** As it was told last; absent for a new one. */
  before?: DetectionEvent;
  after: DetectionEvent;
}

/** One frame of a camera. */
export interface ObservedFrame {
  detections: readonly PlacedDetection[];
  /** Of the picture, pixels. */
  width: number;
  height: number;
}

interface Track {
  /** Whether it was seen in the last frames, the newest in bit 0. */
  seen: number;
  lastSeen: number;
  event: DetectionEvent;
  open: boolean;
  told?: DetectionEvent;
  toldAt: number;
  zones: Set<string>;
}

interface Camera {
  at: number;
  interval: number;
  tracks: Map<string, Track>;
}

/**
 * Makes events of detections: a class of one camera, from when it was seen in 2 of 4 frames until it was not seen for ten
 * seconds (longer where frames come seldom), an hour at most. In the time that it is told; keeps nothing but what goes on.
 */
export class EventTracker {
  readonly #cameras = new Map<string, Camera>();

  /** Cameras that are followed. */
  get cameras(): number {
    return this.#cameras.size;
  }

  /** The event of a class that goes on at a camera. */
  current(camera: string, label: string): DetectionEvent | undefined {
    const track = this.#cameras.get(camera)?.tracks.get(label);
    return track?.open ? track.event : undefined;
  }

  observe(camera: string, at: number, frame: ObservedFrame): EventChange[] {
    const changes: EventChange[] = [];
    const known = this.#heard(camera, at, changes);
    this.#silent(known, at, changes);
    const { tracks } = known;
    const found = new Map<string, PlacedDetection[]>();
    for (const detection of frame.detections) {
      if (detection.masked) continue;
      const same = found.get(detection.label);
      if (same) same.push(detection);
      else if (found.size < LABELS) found.set(detection.label, [detection]);
    }
    for (const [label, track] of tracks) {
      track.seen = (track.seen << 1) & ((1 << OF) - 1);
      if (!found.has(label) && !track.open && track.seen === 0) tracks.delete(label);
    }
    for (const [label, detections] of found) {
      const change = this.#seen(camera, label, tracks, at, detections, frame);
      if (change) changes.push(change);
    }
    return changes;
  }

  /** Time passed: what was not seen for long ends. */
  tick(now: number): EventChange[] {
    const changes: EventChange[] = [];
    for (const [camera, known] of this.#cameras) {
      this.#silent(known, now, changes);
      if (known.tracks.size === 0 && now - known.at > LONGEST_MS) this.#cameras.delete(camera);
    }
    return changes;
  }

  /** Ends everything. */
  end(): EventChange[] {
    const changes: EventChange[] = [];
    for (const known of this.#cameras.values()) this.#endAll(known, changes);
    this.#cameras.clear();
    return changes;
  }

  #heard(name: string, at: number, changes: EventChange[]): Camera {
    const known = this.#cameras.get(name) ?? { at, interval: 0, tracks: new Map<string, Track>() };
    const passed = Math.max(0, at - known.at);
    known.interval += (Math.min(passed, LONGEST_SILENCE_MS) - known.interval) / 8;
    known.at = Math.max(at, known.at);
    this.#cameras.delete(name);
    this.#cameras.set(name, known);
    if (this.#cameras.size > CAMERAS) {
      const [oldest, camera] = this.#cameras.entries().next().value as [string, Camera];
      this.#endAll(camera, changes);
      this.#cameras.delete(oldest);
    }
    return known;
  }

  #seen(
    camera: string,
    label: string,
    tracks: Map<string, Track>,
    at: number,
    detections: readonly PlacedDetection[],
    { width, height }: ObservedFrame,
  ): EventChange | undefined {
    const top = detections.reduce((best, next) => (next.score > best.score ? next : best));
    const box = [top.box[0] / width, top.box[1] / height, top.box[2] / width, top.box[3] / height].map(share);
    let track = tracks.get(label);
    if (!track) {
      if (tracks.size >= LABELS) return undefined;
      const id = `${Math.max(0, Math.floor(at)).toString(36)}-${randomBytes(5).toString('hex')}`;
      const blank = { zones: [], score: 0, best_at: at, box, max_count: 0, frames: 0, snapshot: false };
      const event: DetectionEvent = { id, camera, label, started: at, ...blank };
      track = { seen: 0, lastSeen: at, event, open: false, toldAt: at, zones: new Set() };
      tracks.set(label, track);
    }
    track.seen |= 1;
    track.lastSeen = at;
    for (const { zones = [] } of detections) for (const zone of zones) track.zones.add(zone);
    const { event } = track;
    const best = top.score > event.score;
    track.event = {
      ...event,
      zones: track.zones.size === event.zones.length ? event.zones : [...track.zones].sort(),
      max_count: Math.max(event.max_count, detections.length),
      frames: event.frames + 1,
      ...(best && { score: top.score, best_at: at, box }),
    };
    if (!track.open) {
      if (ones(track.seen) < SEEN) return undefined;
      track.open = true;
      return this.#tell(track, 'new', at);
    }
    const news = track.event.zones !== event.zones || at - track.toldAt >= UPDATE_MS;
    return news ? this.#tell(track, 'update', at) : undefined;
  }

  #tell(track: Track, type: EventChange['type'], at: number): EventChange {
    const before = track.told;
    track.told = track.event;
    track.toldAt = at;
    return { type, ...(before && { before }), after: track.event };
  }

  #silent({ interval, tracks }: Camera, now: number, changes: EventChange[]): void {
    const silence = Math.max(SILENCE_MS, Math.min(LONGEST_SILENCE_MS, interval * SILENCE_FRAMES));
    for (const [label, track] of tracks) {
      const tooLong = now - track.event.started >= LONGEST_MS;
      if (now - track.lastSeen < silence && !tooLong) continue;
      tracks.delete(label);
      this.#end(track, changes);
    }
  }

  #endAll({ tracks }: Camera, changes: EventChange[]): void {
    for (const track of tracks.values()) this.#end(track, changes);
    tracks.clear();
  }

  #end(track: Track, changes: EventChange[]): void {
    if (!track.open) return;
    const ended = Math.min(track.lastSeen, track.event.started + LONGEST_MS);
    track.event = { ...track.event, ended };
    changes.push(this.#tell(track, 'end', ended));
  }
}

const share = (value: number): number => Math.round(Math.min(1, Math.max(0, value)) * 1e4) / 1e4;

function ones(bits: number): number {
  let count = 0;
  for (let left = bits; left > 0; left &= left - 1) count++;
  return count;
}
