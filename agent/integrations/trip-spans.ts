import { newSpanId, type Span, type TraceParent } from '../../platform/traces/span.js';
import { STEPS, type Step } from '../../protocol/health.js';
import type { Trip } from '../pipeline/trip.js';

/** Steps of the way to the edge and back; the other ones are this device's own. */
const NETWORK = ['up', 'queue', 'decode', 'tail', 'post', 'down'] as const satisfies readonly Step[];
const EDGE = ['queue', 'decode', 'tail', 'post'] as const satisfies readonly Step[];
const isOfNetwork = (step: Step): boolean => (NETWORK as readonly Step[]).includes(step);

/**
 * The spans of one frame's trip, all by this device's clock. Steps are laid one before the other from the trip's end
 * backwards: what they leave free after the picture is the time that it waited for its turn. What the edge did is laid into the
 * round trip by the times that it measured itself: no clock of another machine is looked at.
 * @param parent the trace, and the id that the round trip's span is to have
 * @param ended milliseconds since 1970 when the trip was over
 */
export function tripSpans(trip: Trip, parent: TraceParent, ended: number, device: string): Span[] {
  const { steps, outcome } = trip;
  const { traceId } = parent;
  const root = newSpanId();
  const lost = outcome !== 'result' && outcome !== 'local';
  const spans: Span[] = [];
  const add = (span: Omit<Span, 'traceId' | 'spanId' | 'kind' | 'attributes'> & Partial<Span>): Span => {
    const whole: Span = { traceId, spanId: newSpanId(), kind: 'internal', attributes: {}, ...span };
    spans.push(whole);
    return whole;
  };

  const began = ended - (steps.total ?? 0);
  add({
    ...{ spanId: root, name: 'frame', start: began, end: ended },
    error: lost ? (trip.refusal ?? outcome ?? 'failed') : undefined,
    attributes: {
      ...{ 'deepcod.device': device, 'deepcod.frame': trip.frame, 'deepcod.outcome': outcome },
      ...{ 'deepcod.partition': trip.partition, 'deepcod.rate': trip.rate, 'deepcod.coding': trip.coding },
      ...{ 'deepcod.bytes': trip.bytes, 'deepcod.detections': trip.detections.length },
    },
  });
  add({ parentId: root, name: 'capture', start: began, end: began + (steps.capture ?? 0) });

  let at = ended;
  if (trip.bytes > 0) {
    const ms = outcome === 'result' ? sum(trip, NETWORK) : (trip.waitedMs ?? 0);
    at -= ms;
    add({
      ...{ parentId: root, spanId: parent.spanId, name: 'round trip', kind: 'client', start: at, end: at + ms },
      attributes: { 'deepcod.worker': trip.worker ?? trip.sentTo, 'deepcod.bytes': trip.bytes },
    });
    if (outcome === 'result') inside(trip, parent.spanId, at, add);
  }
  // the service on the device has its post-processing here
  const own = STEPS.filter((step) => !['capture', 'total'].includes(step) && !(trip.bytes > 0 && isOfNetwork(step)));
  for (const step of own.toReversed()) {
    const ms = steps[step];
    if (ms === undefined) continue;
    add({ parentId: root, name: step, start: at - ms, end: at });
    at -= ms;
  }
  return spans;
}

function inside(
  trip: Trip,
  parentId: string,
  start: number,
  add: (span: Pick<Span, 'name' | 'start' | 'end'> & Partial<Span>) => Span,
): void {
  const { up = 0, down = 0 } = trip.steps;
  const edge = sum(trip, EDGE);
  add({ parentId, name: 'up', start, end: start + up });
  const { spanId } = add({
    ...{ parentId, name: 'edge', start: start + up, end: start + up + edge },
    attributes: { 'deepcod.worker': trip.worker, 'deepcod.placed_by': 'device' },
  });
  let at = start + up;
  for (const step of EDGE) {
    const ms = trip.steps[step] ?? 0;
    add({ parentId: spanId, name: step, start: at, end: at + ms });
    at += ms;
  }
  add({ parentId, name: 'down', start: at, end: at + down });
}

const sum = ({ steps }: Trip, which: readonly Step[]): number => which.reduce((ms, step) => ms + (steps[step] ?? 0), 0);
