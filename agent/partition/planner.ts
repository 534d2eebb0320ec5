import type { Decision, DecisionReason } from '../../protocol/decision.js';
import type { Manifest } from '../../protocol/manifest.js';
import type { EdgeStatus } from '../../protocol/status.js';
import { HarmonicBandwidth } from '../bandwidth/harmonic.js';
import { LinkModel } from '../bandwidth/link-model.js';
import { PING_BYTES, Pings } from '../bandwidth/pings.js';
import type { Trip } from '../pipeline/trip.js';
import { type Choice, type ChoiceSettings, choicesFor, deviceChoice } from './choices.js';
import { Decider } from './decision.js';
import type { EdgeAdvice } from './edges.js';
import type { PowerModel } from './energy.js';
import { PayloadModel } from './payloads.js';
import { type Prediction, Predictor, type Prices } from './predictor.js';
import type { Profile } from './profile.js';
import { TimeEstimator } from './times.js';
import { DecisionTrace, describeDecision } from './trace.js';
import { Waiting } from './waiting.js';

/** FLOP per second before anything was measured: a Pi 4, and an edge fast enough to be worth a try. */
const ASSUMED_DEVICE_FLOPS = 10e9;
const ASSUMED_EDGE_FLOPS = 500e9;
/** Delay of a link, both ways, before anything was measured, ms. */
const ASSUMED_BASE_MS = 10;

/** What of agent.yaml the decision is made from. */
export interface PlannerSettings extends ChoiceSettings {
  fallback: boolean;
  key_interval_s: number;
  profile: { bandwidth_mbps: number; device_scale: number };
  prices: Prices;
  power?: PowerModel;
  camera: { fps: number };
  /** How the link is judged: by the latency model, or by the harmonic mean alone, as in the paper (to compare them). */
  estimator?: 'model' | 'harmonic';
}

/** An edge whose threads are busy for less than this share is idle. */
const IDLE_LOAD = 0.2;

/** A frame that takes so many times as long as expected, and so much longer, is stuck. */
const STUCK = 3;
const STUCK_MS = 100;

/** Where a frame goes, and how it came to that. */
export interface Plan {
  choice: Choice;
  reason: DecisionReason;
  expected: Prediction;
  /** On the planner's clock. */
  at: number;
}

/** A plan, and the decision as it is kept. */
export interface Decided extends Plan {
  decision: Decision;
}

/** Chooses where each frame is cut, and learns from what came of it. */
export class Planner {
  /** What the settings allow. */
  readonly #all: readonly Choice[];
  #choices: readonly Choice[];
  readonly link: LinkModel;
  readonly bandwidth: HarmonicBandwidth;
  readonly pings: Pings;
  readonly trace = new DecisionTrace();
  readonly #device: TimeEstimator;
  readonly #edge: TimeEstimator;
  readonly #waiting: Waiting;
  readonly #payloads: PayloadModel;
  readonly #predictor: Predictor;
  readonly #decider: Decider;
  #here: Choice;
  readonly #plans = new Map<number, Plan>();

  /**
   * @param predicts whether frames of a partition point (index) can hold only what changed
   * @param clock ms; `today` ms since 1970
   * @param before what it knows of the link is shared: that is the device's, whatever the bundle
   * @throws DeepcodError for a partition or rate that the bundle lacks
   */
  constructor(
    readonly manifest: Manifest,
    readonly settings: PlannerSettings,
    predicts: (partition: number) => boolean = () => false,
    readonly clock: () => number = () => performance.now(),
    readonly today: () => number = Date.now,
    before?: Pick<Planner, 'link' | 'bandwidth' | 'pings'>,
  ) {
    const { profile, prices, power, key_interval_s, camera } = settings;
    this.#all = choicesFor(manifest, settings);
    this.#choices = this.#all;
    this.#here = hereOf(this.#all, manifest);
    this.bandwidth = before?.bandwidth ?? new HarmonicBandwidth(profile.bandwidth_mbps * 1e6);
    this.link = before?.link ?? new LinkModel(profile.bandwidth_mbps * 1e6, ASSUMED_BASE_MS, clock);
    this.pings = before?.pings ?? new Pings(clock);
    this.#device = new TimeEstimator(ASSUMED_DEVICE_FLOPS, false, clock);
    this.#edge = new TimeEstimator(ASSUMED_EDGE_FLOPS, true, clock);
    this.#waiting = new Waiting(clock);
    this.#payloads = new PayloadModel(({ partition }) => partition >= 0 && key_interval_s > 0 && predicts(partition));
    this.#predictor = new Predictor({
      device: this.#device,
      edge: this.#edge,
      waiting: this.#waiting,
      link: settings.estimator === 'harmonic' ? this.bandwidth : this.link,
      payloads: this.#payloads,
      prices,
      power,
      deviceScale: profile.device_scale,
      periodMs: camera.fps > 0 ? 1000 / camera.fps : 0,
    });
    this.#decider = new Decider(clock);
  }

  /** What there is to choose from. */
  get choices(): readonly Choice[] {
    return this.#choices;
  }

  /**
   * From the next frame on, only this partition point (and rate) is chosen; `auto` goes back to what the settings say.
   * @throws DeepcodError for a partition or rate that the bundle lacks or privacy forbids; then nothing changes
   */
  command({ partition, rate = 'auto' }: { partition: string; rate?: number | 'auto' }): void {
    const choices = partition === 'auto' ? this.#all : choicesFor(this.manifest, { ...this.settings, partition, rate });
    this.#choices = choices;
    this.#here = hereOf(choices, this.manifest);
    this.#decider.restart();
  }

  /** Whether there is anything to decide. */
  get isFixed(): boolean {
    return new Set(this.choices.map(({ id }) => id)).size === 1;
  }

  /** Whether frames are answered on the device at present. @param advice about the edge */
  staysHere(advice: EdgeAdvice): boolean {
    if (advice === 'avoid' && this.settings.fallback) return true;
    if (this.#noticeStuck()) return this.#best().choice === this.#here;
    const current = this.#decider.current ?? this.#best().choice;
    return current.id === 'device';
  }

  /**
   * Whether a ping is due: nothing else tells how the link is, since frames are answered here, or the last one is stuck, or
   * none has been sent yet.
   */
  get pingDue(): boolean {
    if (this.choices.length === 1 || !this.pings.due) return false;
    const { current } = this.#decider;
    return current === undefined || current === this.#here || this.#stuck().length > 0;
  }

  /** Frames that are on their way to the edge. */
  get away(): number {
    return [...this.#plans.values()].filter(({ choice }) => choice.id !== 'device').length;
  }

  /** Decides for a frame that starts now. @param advice about the edge */
  decide(frame: number, advice: EdgeAdvice): Decided {
    this.#noticeStuck();
    const predictions = this.explain();
    const plan = this.#plan(predictions, advice);
    this.#plans.set(frame, plan);
    const { link, bandwidth } = this;
    const circumstances = {
      link,
      harmonicBps: bandwidth.bps,
      deviceSlowdown: this.#device.drift.ratio,
      edgeSlowdown: this.#edge.drift.ratio,
      edgeQueueMs: this.#waiting.ms,
    };
    const { reason, expected } = plan;
    const decision = describeDecision(frame, this.today(), reason, expected, predictions, circumstances);
    this.trace.add(decision);
    return { ...plan, decision };
  }

  /** What every choice is expected to cost now. */
  explain(): Prediction[] {
    return this.choices.map((choice) => this.#predictor.predict(choice));
  }

  /** Times from before. */
  useProfile(profile: Profile): void {
    for (const { id, deviceFlops, edgeFlops } of this.choices) {
      if (id in profile.device_ms) this.#device.profile(id, profile.device_ms[id], deviceFlops);
      if (id in profile.edge_ms && edgeFlops > 0) this.#edge.profile(id, profile.edge_ms[id], edgeFlops);
    }
    if (profile.bandwidth_bps) {
      this.bandwidth.profiled = profile.bandwidth_bps;
      this.link.assume(profile.bandwidth_bps, profile.base_ms ?? ASSUMED_BASE_MS);
    }
  }

  /**
   * What the edges that are there say of themselves, on the average: their tails' times, and how long frames wait. One that
   * is idle makes nobody wait, whatever its last frames met.
   */
  useEdges(statuses: readonly EdgeStatus[], bundleId: string): void {
    for (const { id, edgeFlops } of this.choices) {
      if (edgeFlops === 0) continue;
      const alone = statuses.map(
        (status) => status.tails_ms?.[bundleId]?.[tailOf(id)]?.find(({ batch }) => batch === 1)?.mean,
      );
      const known = alone.filter((mean) => mean !== undefined);
      if (known.length > 0) this.#edge.profile(id, mean(known), edgeFlops);
    }
    const waits = statuses.map(({ load = 1, steps_ms }) => (load < IDLE_LOAD ? 0 : (steps_ms?.queue ?? 0)));
    this.#waiting.report(waits.length > 0 ? mean(waits) : 0);
  }

  /** What the edge's times are by now, for the next start. */
  edgeTimes(): Record<string, number> {
    const known = this.choices.filter(({ id, edgeFlops }) => edgeFlops > 0 && this.#edge.knows(id));
    return Object.fromEntries(known.map(({ id, edgeFlops }) => [id, this.#edge.own(id, edgeFlops)]));
  }

  /** A ping came back. @param number which; undefined: the one that is awaited */
  pinged(number?: number): void {
    const ms = this.pings.back(number);
    if (ms === undefined) return;
    this.bandwidth.add(2 * PING_BYTES, ms);
    this.pings.learnt(this.link.add(2 * PING_BYTES, ms));
  }

  /** Gives up on a ping that should long be back. */
  checkPing(): void {
    const ms = this.pings.overdue();
    if (ms !== undefined) this.pings.learnt(this.link.addUnfinished(2 * PING_BYTES, ms));
  }

  /** A trip is over, lost ones too. */
  learn(trip: Trip): void {
    const plan = this.#plans.get(trip.frame);
    this.#plans.delete(trip.frame);
    if (!plan) return;
    const { choice } = plan;
    const { preprocess = 0, encode = 0, post = 0, up = 0, down = 0, queue = 0 } = trip.steps;
    // Waiting for the frame before to leave the head's thread is not the head's time.
    const head = trip.headRunMs || (trip.steps.head ?? 0);
    if (plan.reason === 'probe') this.#settle(trip, plan);
    if (trip.outcome === 'local') {
      this.#device.observe(choice.id, preprocess + head + post, choice.deviceFlops);
      return;
    }
    if (trip.outcome === 'timeout' && trip.waitedMs !== undefined) {
      this.bandwidth.add(trip.bytes, trip.waitedMs);
      this.link.addUnfinished(trip.bytes + this.#payloads.answer, trip.waitedMs - plan.expected.edge);
    }
    if (trip.refusal === 'overloaded' && trip.waitedMs !== undefined) {
      // It waited there so long, and would have waited for so long as the edge says.
      const { waitedMs, refusedWaitMs = 0 } = trip;
      this.#waiting.add(Math.max(0, waitedMs - plan.expected.network) + Math.max(0, refusedWaitMs));
    }
    if (trip.outcome !== 'result') return;
    this.#device.observe(choice.id, preprocess + head + encode, choice.deviceFlops);
    this.#payloads.sent(choice, trip.bytes, trip.coding !== 'inter');
    this.#payloads.answered(trip.answerBytes);
    if (trip.edgeMs !== undefined) {
      this.#waiting.add(queue);
      this.#edge.observe(choice.id, trip.edgeMs - queue, choice.edgeFlops, trip.startedAt);
    }
    if (up > 0) {
      this.bandwidth.add(trip.bytes, up);
      this.link.add(trip.bytes + trip.answerBytes, up + down);
      this.pings.heard();
    }
  }

  /** What a trial cost more than it was expected to; one without a result cost the time until that was clear. */
  #settle({ outcome, steps, waitedMs = 0 }: Trip, { expected }: Plan): void {
    const took = outcome === 'result' ? (steps.up ?? 0) + (steps.down ?? 0) : waitedMs + expected.total;
    this.#decider.settle(took - expected.network - expected.entry);
  }

  #plan(predictions: readonly Prediction[], advice: EdgeAdvice): Plan {
    if (advice === 'avoid' && this.settings.fallback) {
      return { choice: this.#here, reason: 'no_edge', expected: this.#predictor.predict(this.#here), at: this.clock() };
    }
    const { prediction, reason } = this.#decider.choose(predictions, (p, current) => this.#predictor.hope(p, current));
    const isTrial = advice === 'try' && prediction.choice.id !== 'device';
    return { choice: prediction.choice, reason: isTrial ? 'try_edge' : reason, expected: prediction, at: this.clock() };
  }

  /** Frames on their way that should long be back. */
  #stuck(): Plan[] {
    const now = this.clock();
    return [...this.#plans.values()].filter(
      ({ choice, expected, at }) => choice.id !== 'device' && now - at >= STUCK * expected.total + STUCK_MS,
    );
  }

  /** What is stuck tells that the link, or the edge, is not what it was. @returns whether anything is */
  #noticeStuck(): boolean {
    const stuck = this.#stuck();
    for (const { expected, at } of stuck) {
      const network = this.clock() - at - expected.device - expected.edge;
      this.link.addUnfinished(expected.bytes + this.#payloads.answer, network);
    }
    return stuck.length > 0;
  }

  #best(): Prediction {
    return this.explain().reduce((a, b) => (b.cost < a.cost ? b : a));
  }
}

/** Whose tail answers a choice: pictures go through the whole service, however they were sent. */
const tailOf = (id: string): string => (id === 'jpeg' ? 'raw' : id);

function hereOf(choices: readonly Choice[], manifest: Manifest): Choice {
  return choices.find(({ id }) => id === 'device') ?? deviceChoice(manifest);
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
