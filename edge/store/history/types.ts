/** What the history holds. Times are milliseconds since 1970, shares are 0 to 1. */

/** A class was to be seen at a camera. */
export interface DetectionEvent {
  id: string;
  camera: string;
  label: string;
  zones: readonly string[];
  started: number;
  /** Absent while it goes on. */
  ended?: number;
  score: number;
  best_at: number;
  /** Of the best score: x, y, width, height as shares of the picture. */
  box: readonly number[];
  /** Most in one frame. */
  max_count: number;
  frames: number;
  snapshot: boolean;
}

export interface EventFilter {
  camera?: string;
  label?: string;
  zone?: string;
  /** Events that lie, at least in part, between these. */
  from?: number;
  to?: number;
}

/** Newest first; `cursor` is the `next` of the page before. */
export interface Paging {
  limit: number;
  cursor?: string;
}

export interface Page<T> {
  rows: T[];
  next?: string;
}

/** One minute of a camera, or several together. */
export interface Sample {
  at: number;
  results: number;
  failures: number;
  drops: number;
  bytes: number;
  p50_ms?: number;
  p95_ms?: number;
  /** Mean of each step. */
  steps_ms: Record<string, number>;
  /** Detections in a frame, by class. */
  counts: Record<string, { max: number; mean: number }>;
  partition?: string;
  rate?: number;
}

/** The partition point or the rate of a camera changed. */
export interface Change {
  at: number;
  partition: string;
  rate: number;
  reason?: string;
  why?: string;
}

export interface Retention {
  days: number;
  megabytes: number;
  snapshot_days: number;
  snapshot_megabytes: number;
}
