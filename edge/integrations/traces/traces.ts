import type { Log } from '../../../platform/log.js';
import { SpanExporter } from '../../../platform/traces/exporter.js';
import { isSampled, newSpanId, parseTraceParent, type Span } from '../../../platform/traces/span.js';
import { versions } from '../../../platform/versions.js';
import { isFailure } from '../../../protocol/result.js';
import type { AnsweredFrame } from '../../worker/replies.js';

/** Spans a second, at most: which frames are traced is for devices to say, and one of them may say all. */
const RATE = 100;

/** One span for each frame that its device traces, by this edge's clock, below the device's round trip. */
export class AnswerTraces {
  readonly #exporter: SpanExporter;
  #since = Number.NEGATIVE_INFINITY;
  #count = 0;

  constructor(
    url: string,
    readonly ratio: number,
    readonly worker: string,
    log: Log,
  ) {
    const resource = { service: 'deepcod-edge', instance: worker, version: versions().deepcod };
    this.#exporter = new SpanExporter(url, resource, log);
  }

  /** An answer was sent. */
  answered({ device, answer, job }: AnsweredFrame): void {
    const parent = parseTraceParent(job?.traceparent);
    if (!job || !parent || !isSampled(parent.traceId, this.ratio) || !this.#allowed()) return;
    const end = Date.now();
    const failed = isFailure(answer);
    const times = failed ? undefined : answer.edge_ms;
    const span: Span = {
      ...{ traceId: parent.traceId, spanId: newSpanId(), parentId: parent.spanId, name: 'answer', kind: 'server' },
      ...{ start: end - (performance.now() - job.arrivedAt), end },
      error: failed ? answer.error.code : undefined,
      attributes: {
        ...{ 'deepcod.device': device, 'deepcod.frame': job.frame.frame, 'deepcod.worker': this.worker },
        ...{ 'deepcod.bundle': job.route.bundle.manifest.service.name, 'deepcod.partition': job.route.partition },
        ...{ 'deepcod.rate': job.frame.rate, 'deepcod.bytes': job.bytes },
        'deepcod.detections': failed ? undefined : answer.detections.length,
        ...{ 'deepcod.queue_ms': times?.queue, 'deepcod.decode_ms': times?.decode },
        ...{ 'deepcod.tail_ms': times?.tail, 'deepcod.post_ms': times?.post },
      },
    };
    this.#exporter.add([span]);
  }

  close(): Promise<void> {
    return this.#exporter.close();
  }

  #allowed(): boolean {
    const now = performance.now();
    if (now - this.#since >= 1000) {
      this.#since = now;
      this.#count = 0;
    }
    return this.#count++ < RATE;
  }
}
