import { randomInt } from 'node:crypto';
import { Seldom } from '../../platform/log/seldom.js';
import type { Log } from '../../platform/log.js';
import type { Decision } from '../../protocol/decision.js';
import type { Picture } from '../camera/camera.js';
import type { Stats } from '../health/stats.js';
import type { Choice } from '../partition/choices.js';
import type { EdgeAdvice, EdgeWatch } from '../partition/edges.js';
import type { Home } from '../partition/home.js';
import type { LocalResults } from '../store/results.js';
import type { Engine } from './engine.js';
import { FlightControl } from './flight.js';
import type { AgentLink } from './link.js';
import { localResult } from './local-result.js';
import type { Refusals } from './refusals.js';
import { Throttle } from './throttle.js';
import { newTrip, type Trip } from './trip.js';

/** Who watches frames. */
export interface TripObservers {
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
}

export interface TripsParts {
  /** Random number of this start. */
  session: number;
  /** Takes the next frame. */
  engine: () => Engine;
  link: AgentLink;
  results: LocalResults;
  edges: EdgeWatch;
  home: Home;
  refusals: Refusals;
  stats: Stats;
  observers: TripObservers;
  /** Told of every trip's beginning and end, before the observers. */
  started: () => void;
  ended: (trip: Trip) => void;
  /** Told when frames go another way than the last one. */
  news: () => void;
  log: Log;
}

/** Frames on their trips: which pictures become frames, where each goes, and what is learnt from its end. */
export class Trips {
  readonly flight: FlightControl;
  readonly #throttle = new Throttle();
  readonly #failures = new Seldom();
  #hold: NodeJS.Timeout | undefined;
  /** Frames that are being answered here. */
  #here = 0;
  #last: Pick<Choice, 'id' | 'rate'> | undefined;

  constructor(readonly parts: TripsParts) {
    this.flight = new FlightControl(
      () => this.#limit(),
      (picture, since) => this.#fly(picture, since),
      () => parts.engine().config.timeout_ms,
    );
  }

  /** Whether another frame is wanted. */
  get more(): boolean {
    const { observers, stats } = this.parts;
    return stats.frames < (observers.frames ?? Number.POSITIVE_INFINITY);
  }

  /** Where the last frame went. */
  get last(): Pick<Choice, 'id' | 'rate'> | undefined {
    return this.#last;
  }

  /** While no frame goes to the edge, nothing else tells how the link is. */
  ping(): void {
    const { engine, link } = this.parts;
    const { planner } = engine();
    planner.checkPing();
    if (!planner.pingDue || !link.connected) return;
    const number = randomInt(2 ** 32);
    if (link.publishPing(number)) planner.pings.sent(number);
  }

  /** Holds nothing back any more. */
  close(): void {
    clearTimeout(this.#hold);
  }

  #limit(): number {
    if (!this.more) return 0;
    const { config, planner } = this.parts.engine();
    // One at a time here; frames that are stuck on the link take nobody's place.
    // While one is, none goes out: an edge's answer to a newer frame must not overtake it.
    if (this.#here > 0 || planner.staysHere(this.#advice())) {
      return Math.min(planner.away, config.in_flight) + 1;
    }
    return this.parts.link.connected && !this.#held() ? config.in_flight : 0;
  }

  /** Whether frames are held back from an edge that has too much to do. */
  #held(): boolean {
    const { delay } = this.#throttle;
    if (delay === 0) return false;
    this.#hold ??= setTimeout(() => {
      this.#hold = undefined;
      this.flight.poke();
    }, delay);
    return true;
  }

  /** Whether there is an edge to send the next frame to. */
  #advice(): EdgeAdvice {
    const { link, results, edges } = this.parts;
    return link.connected && !results.goFirst ? edges.advice(performance.now()) : 'avoid';
  }

  /** One frame's trip. Never rejects. */
  async #fly(picture: Picture, since: number): Promise<void> {
    const { stats, observers, log } = this.parts;
    const trip = newTrip(stats.frames++, picture, since);
    const engine = this.parts.engine();
    const { planner } = engine;
    trip.traceparent = observers.traceparent?.(trip.frame);
    observers.onStart?.(trip.frame, picture);
    this.parts.started();
    try {
      this.ping();
      const { choice, decision } = planner.decide(trip.frame, this.#advice());
      observers.onDecision?.(decision);
      const isNews = choice.id !== this.#last?.id || choice.rate !== this.#last.rate;
      this.#last = choice;
      if (isNews) this.parts.news();
      if (choice.id === 'device') await this.#flyHere(engine, trip);
      else await this.#flyToEdge(engine, trip, choice);
    } catch (error) {
      trip.outcome = 'failed';
      const { message } = error as Error;
      if (this.#failures.now(message)) log.error('a frame failed', { frame: trip.frame, error });
    }
    trip.steps.total = performance.now() - trip.startedAt + picture.captureMs;
    stats.finish(trip);
    this.parts.ended(trip);
    planner.learn(trip);
    observers.onTrip?.(trip);
  }

  async #flyToEdge(engine: Engine, trip: Trip, choice: Choice): Promise<void> {
    const { edges, home, refusals } = this.parts;
    const now = performance.now();
    if (edges.advice(now) === 'try') edges.tried(now);
    this.#throttle.sent();
    const refusal = await engine.flyToEdge(trip, choice);
    // What an edge makes of another bundle says nothing about this one.
    if (engine.bundle.id !== this.parts.engine().bundle.id) return;
    if (refusal) {
      if (refusals.note(refusal)) edges.refused();
      if (trip.refusal === 'overloaded') {
        this.#throttle.overloaded(trip.refusedWaitMs);
        home.overloaded(refusal.worker);
      }
      return;
    }
    if (trip.outcome === 'result') {
      edges.answered();
      home.answered(trip.worker ?? '');
      this.#throttle.answered();
      refusals.clear();
    } else if (trip.outcome === 'timeout') {
      edges.unanswered();
      if (trip.sentTo !== undefined) home.unanswered(trip.sentTo);
    }
  }

  async #flyHere(engine: Engine, trip: Trip): Promise<void> {
    const { session, results } = this.parts;
    const { device } = engine.config;
    this.#here++;
    try {
      await engine.flyHere(trip);
    } finally {
      this.#here--;
    }
    trip.worker = device;
    results.publish(localResult(trip, session, engine.bundle.id, device));
  }
}
