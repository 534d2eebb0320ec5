import type { Log } from '../../platform/log.js';
import { SpanExporter } from '../../platform/traces/exporter.js';
import { formatTraceParent, isSampled, newSpanId, newTraceId, type TraceParent } from '../../platform/traces/span.js';
import { versions } from '../../platform/versions.js';
import type { Trip } from '../pipeline/trip.js';
import { tripSpans } from './trip-spans.js';

/** Traced frames that are on their way, at most. */
const OPEN = 64;

/** Traces a share of the frames: chosen when a frame starts, drawn when its trip is over. */
export class TripTraces {
  readonly #exporter: SpanExporter;
  readonly #open = new Map<number, TraceParent>();

  constructor(
    url: string,
    readonly ratio: number,
    readonly device: string,
    log: Log,
  ) {
    const resource = { service: 'deepcod-agent', instance: device, version: versions().deepcod };
    this.#exporter = new SpanExporter(url, resource, log);
  }

  /** A frame starts. @returns what its message carries, if it is traced */
  start(frame: number): string | undefined {
    const traceId = newTraceId();
    if (!isSampled(traceId, this.ratio) || this.#open.size >= OPEN) return undefined;
    const parent = { traceId, spanId: newSpanId() };
    this.#open.set(frame, parent);
    return formatTraceParent(parent);
  }

  /** Its trip is over. */
  end(trip: Trip): void {
    const parent = this.#open.get(trip.frame);
    if (!parent) return;
    this.#open.delete(trip.frame);
    this.#exporter.add(tripSpans(trip, parent, Date.now(), this.device));
  }

  close(): Promise<void> {
    return this.#exporter.close();
  }
}
