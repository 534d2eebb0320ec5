import { PING_BYTES, PING_TIMEOUT_MS } from '../../agent/bandwidth/pings.js';
import type { Choice } from '../../agent/partition/choices.js';
import { EdgeWatch } from '../../agent/partition/edges.js';
import type { Planner } from '../../agent/partition/planner.js';
import { newTrip, type Trip } from '../../agent/pipeline/trip.js';
import { ANSWER_BYTES, KEY_INTERVAL_MS, type World } from './world.js';

/** A frame without an answer for so long is lost, ms; and what it counts as. */
export const TIMEOUT_MS = 2000;
/** Frames on their way at most. */
const IN_FLIGHT = 2;

/** One frame's fate. */
export interface Flight {
  frame: number;
  /** ms */
  takenAt: number;
  choice: Choice;
  reason: string;
  latency: number;
  outcome: 'result' | 'local' | 'timeout' | 'broker_lost';
  bytes: number;
}

export interface RunResult {
  flights: Flight[];
  /** Frames for which there was no room. */
  skipped: number;
}

/** Where frames are on the way: what device and link are busy with. */
interface State {
  now: number;
  cpuFree: number;
  linkFree: number;
  last?: Choice;
  keyAt: number;
}

/** Steps of a frame that is to be taken. */
interface Course {
  steps: Trip['steps'];
  bytes: number;
  key: boolean;
  end: number;
  outcome: Flight['outcome'];
  edgeMs: number;
  after: State;
}

/** One frame through device, link and edge, in virtual time. @param state `now` is when it starts @param alwaysPredicted no frame stands alone (oracle) */
function course(world: World, choice: Choice, i: number, state: State, alwaysPredicted = false): Course {
  const begun = Math.max(state.now, state.cpuFree);
  const now = world.takenAt(i);
  const head = world.deviceMs(choice, i, begun);
  const coded = begun + head;
  if (choice.id === 'device') {
    const after = { ...state, cpuFree: coded };
    const steps = { head: coded - begun, total: coded - now };
    return { steps, bytes: 0, key: false, end: coded, outcome: 'local', edgeMs: 0, after };
  }
  const { link, edge } = world.scenario;
  const changed = state.last !== choice || coded - state.keyAt >= KEY_INTERVAL_MS;
  const key = changed && !alwaysPredicted;
  const bytes = world.bytes(choice, i, key);
  const sending = Math.max(coded, state.linkFree);
  const sent = link.sent(bytes, sending);
  const delay = world.delayMs(i, sending);
  const arrived = sent + delay / 2;
  const queue = edge.queue(arrived);
  const tail = world.edgeMs(choice, i, arrived);
  const answered = link.sent(ANSWER_BYTES, arrived + queue + tail) + delay / 2;
  const edgeMs = queue + tail;
  const after = { ...state, cpuFree: coded, linkFree: sent, last: choice, keyAt: key ? coded : state.keyAt };
  if (!edge.answers(arrived) || answered - coded > TIMEOUT_MS) {
    // What is still in the socket's buffer holds up the next frame, but no longer than the broker keeps it.
    after.linkFree = Math.min(sent, coded + TIMEOUT_MS);
    return { steps: {}, bytes, key, end: coded + TIMEOUT_MS, outcome: 'timeout', edgeMs, after };
  }
  const network = answered - coded - edgeMs;
  const up = (network * bytes) / (bytes + ANSWER_BYTES);
  const steps = { head: coded - begun, up, queue, tail, down: network - up, total: answered - now };
  return { steps, bytes, key, end: answered, outcome: 'result', edgeMs, after };
}

/**
 * How long pictures wait for an answer: from the moment each was taken to the first result of it or of a newer one, mean,
 * ms. One figure in which slow, lost and skipped frames all count for what they cost: not knowing.
 */
export function meanWait(world: World, { flights }: RunResult): number {
  const answers = flights.filter(({ outcome }) => outcome === 'result' || outcome === 'local');
  const last = world.takenAt(world.frames);
  let sum = 0;
  let soonest = last + TIMEOUT_MS;
  let next = answers.length - 1;
  for (let i = world.frames - 1; i >= 0; i--) {
    for (; next >= 0 && answers[next].frame >= i; next--) {
      soonest = Math.min(soonest, answers[next].takenAt + answers[next].latency);
    }
    sum += soonest - world.takenAt(i);
  }
  return sum / world.frames;
}

type Pick = (i: number, state: State) => { choice: Choice; reason: string };

interface Hooks {
  /** Told of each frame as it ends, in order of ends. */
  over?: (course: Course, flight: Flight) => void;
  /** Told what time it is. */
  tell?: (now: number) => void;
  /** Most frames on their way. */
  limit: () => number;
  /** Things besides frames that happen between them, each at its time. */
  between?: (until: number) => void;
  /** The first frame after a change is as short as any. */
  freeChanges?: boolean;
}

/** Runs a policy through a world. */
function simulate(
  world: World,
  pick: Pick,
  { over = () => {}, tell = () => {}, limit, between = () => {}, freeChanges = false }: Hooks,
): RunResult {
  const result: RunResult = { flights: [], skipped: 0 };
  let state: State = { now: 0, cpuFree: 0, linkFree: 0, keyAt: Number.NEGATIVE_INFINITY };
  let flying: { course: Course; flight: Flight }[] = [];
  /** The newest picture for which there was no room yet. */
  let waiting: number | undefined;
  const start = (now: number) => {
    if (waiting === undefined || flying.length >= limit()) return;
    const i = waiting;
    waiting = undefined;
    state.now = now;
    const takenAt = world.takenAt(i);
    const { choice, reason } = pick(i, state);
    const taken = course(world, choice, i, state, freeChanges);
    state = taken.after;
    const { outcome, bytes, end } = taken;
    const flight = { frame: i, takenAt, choice, reason, latency: end - takenAt, outcome, bytes };
    result.flights.push(flight);
    flying.push({ course: taken, flight });
  };
  const land = (until: number) => {
    for (;;) {
      const next = flying.reduce(
        (a: (typeof flying)[number] | undefined, b) => (a && a.course.end <= b.course.end ? a : b),
        undefined,
      );
      if (!next || next.course.end > until) return;
      flying = flying.filter((one) => one !== next);
      between(next.course.end);
      tell(next.course.end);
      over(next.course, next.flight);
      start(next.course.end);
    }
  };
  for (let i = 0; i < world.frames; i++) {
    const takenAt = world.takenAt(i);
    land(takenAt);
    between(takenAt);
    tell(takenAt);
    if (waiting !== undefined) result.skipped++;
    waiting = i;
    start(takenAt);
  }
  land(Number.POSITIVE_INFINITY);
  return result;
}

/** One choice for all frames. */
export function runFixed(world: World, choice: Choice): RunResult {
  const limit = () => (choice.id === 'device' ? 1 : IN_FLIGHT);
  return simulate(world, () => ({ choice, reason: 'only' }), { limit });
}

/**
 * For each frame the choice that ends soonest, the future of link, device and edge known, and changes for nothing. It looks no
 * further than that frame, so a plan that keeps the device free for the next can beat it.
 */
export function runOracle(world: World, choices: readonly Choice[]): RunResult {
  const pick: Pick = (i, state) => {
    const all = choices.map((choice) => ({ choice, end: course(world, choice, i, state, true).end }));
    return { choice: all.reduce((a, b) => (b.end < a.end ? b : a)).choice, reason: 'best' };
  };
  return simulate(world, pick, { freeChanges: true, limit: () => IN_FLIGHT });
}

/** A planner as the agent uses it, edge watch included. @param clock the one it was made with */
export function runPlanner(world: World, planner: Planner, clock: { ms: number }): RunResult {
  const edges = new EdgeWatch();
  edges.announce('edge', { online: true });
  const trips = new Map<number, Trip>();
  const picture = {
    data: new Uint8Array(),
    width: 1,
    height: 1,
    sourceWidth: 1,
    sourceHeight: 1,
    capturedAt: 0,
    captureMs: 0,
  };
  const pick: Pick = (i) => {
    const advice = edges.advice(clock.ms);
    const { choice, reason } = planner.decide(i, advice);
    if (advice === 'try' && choice.id !== 'device') edges.tried(clock.ms);
    ping();
    trips.set(i, { ...newTrip(i, picture, clock.ms), partition: choice.id, rate: choice.rate });
    return { choice, reason };
  };
  const over = ({ steps, bytes, key, outcome, edgeMs }: Course, { frame }: Flight) => {
    const trip = trips.get(frame) as Trip;
    trips.delete(frame);
    trip.steps = steps;
    trip.bytes = bytes;
    trip.coding = key ? 'key' : 'inter';
    trip.outcome = outcome;
    if (outcome === 'result') {
      trip.edgeMs = edgeMs;
      trip.answerBytes = ANSWER_BYTES;
      edges.answered();
    }
    if (outcome === 'timeout') {
      trip.waitedMs = TIMEOUT_MS;
      edges.unanswered();
    }
    planner.learn(trip);
  };
  const tell = (now: number) => {
    clock.ms = now;
  };
  let pongAt = Number.POSITIVE_INFINITY;
  const ping = () => {
    if (!planner.pingDue) return;
    planner.pings.sent();
    const { link } = world.scenario;
    const there = link.sent(PING_BYTES, clock.ms) + link.at(clock.ms).rttMs / 2;
    pongAt = link.sent(PING_BYTES, there) + link.at(there).rttMs / 2;
    givenUpAt = clock.ms + PING_TIMEOUT_MS;
  };
  let givenUpAt = Number.POSITIVE_INFINITY;
  const between = (until: number) => {
    const at = Math.min(pongAt, givenUpAt);
    if (at > until) return;
    tell(at);
    if (pongAt > givenUpAt) planner.checkPing();
    else planner.pinged();
    pongAt = Number.POSITIVE_INFINITY;
    givenUpAt = Number.POSITIVE_INFINITY;
  };
  // As the agent does when its broker is there, before the first frame.
  ping();
  tell(Math.min(pongAt, givenUpAt));
  between(clock.ms);
  const limit = () => (planner.staysHere(edges.advice(clock.ms)) ? planner.away + 1 : IN_FLIGHT);
  return simulate(world, pick, { over, tell, limit, between });
}
