import type { Attribute, Span } from './span.js';

/** What the spans are of. */
export interface Resource {
  /** `deepcod-agent`, `deepcod-edge` */
  service: string;
  /** Name of the device or edge. */
  instance: string;
  version: string;
}

const kinds = { internal: 1, server: 2, client: 3 } as const;
const ERROR = 2;

/** Spans as OTLP has them in JSON (opentelemetry-proto 1.x, ExportTraceServiceRequest). */
export function encodeSpans({ service, instance, version }: Resource, spans: readonly Span[]): string {
  const resource = {
    attributes: attributes({
      'service.name': service,
      'service.instance.id': instance,
      'service.version': version,
    }),
  };
  const scope = { name: 'deepcod', version };
  return JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ scope, spans: spans.map(spanOf) }] }] });
}

function spanOf({ traceId, spanId, parentId, name, kind, start, end, attributes: about, error }: Span): object {
  return {
    ...{ traceId, spanId, parentSpanId: parentId, name, kind: kinds[kind], flags: 1 },
    ...{ startTimeUnixNano: nanoseconds(start), endTimeUnixNano: nanoseconds(Math.max(start, end)) },
    attributes: attributes(about),
    status: error === undefined ? {} : { code: ERROR, message: error },
  };
}

/** 64 bits are written as text: a double holds 53 of them. */
function nanoseconds(ms: number): string {
  const whole = Math.floor(ms);
  return (BigInt(whole) * 1_000_000n + BigInt(Math.round((ms - whole) * 1e6))).toString();
}

function attributes(values: Readonly<Record<string, Attribute | undefined>>): object[] {
  return Object.entries(values).flatMap(([key, value]) => (value === undefined ? [] : [{ key, value: any(value) }]));
}

function any(value: Attribute): object {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}
