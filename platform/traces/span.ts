import { randomBytes } from 'node:crypto';

export type Attribute = string | number | boolean;

/** A stretch of time of one trace, finished. */
export interface Span {
  /** 32 hex digits, the same in all spans of a trace. */
  traceId: string;
  /** 16 hex digits. */
  spanId: string;
  parentId?: string;
  name: string;
  /** `client` waits for another machine, `server` works for one. */
  kind: 'internal' | 'client' | 'server';
  /** Milliseconds since 1970, by the clock of the machine that tells of it; fractions count. */
  start: number;
  end: number;
  attributes: Readonly<Record<string, Attribute | undefined>>;
  /** What went wrong. */
  error?: string;
}

export const newTraceId = (): string => randomBytes(16).toString('hex');
export const newSpanId = (): string => randomBytes(8).toString('hex');

/** MQTT 5: the user property that a frame carries its trace in, as W3C Trace Context has it. */
export const TRACEPARENT = 'traceparent';

/** Which trace, and which span of it is the parent of what follows. */
export interface TraceParent {
  traceId: string;
  spanId: string;
}

export const formatTraceParent = ({ traceId, spanId }: TraceParent): string => `00-${traceId}-${spanId}-01`;

const form = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/;

/** @param text from outside @returns undefined where it is none, or its sender does not trace the frame */
export function parseTraceParent(text: unknown): TraceParent | undefined {
  const match = typeof text === 'string' && text.length === 55 ? form.exec(text) : null;
  if (!match || (Number.parseInt(match[3], 16) & 1) === 0) return undefined;
  return { traceId: match[1], spanId: match[2] };
}

/** Whether a trace belongs to a share of all: by its id, so that everybody with the same share takes the same ones. */
export function isSampled(traceId: string, ratio: number): boolean {
  return Number.parseInt(traceId.slice(20), 16) < ratio * 2 ** 48;
}
