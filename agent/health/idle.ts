import type { EdgeAdvice } from '../partition/edges.js';

/** A picture that is due is waited for so long: a live camera names its trouble within two seconds. Frames, too. */
const PATIENCE_MS = 3000;
/** So many losses in a row are the network's weather; by then an edge that does not answer counts as silent. */
const LOSSES = 3;

/** What the agent is doing, as far as it tells whether doing nothing is right. Times are performance.now(), ms. */
export interface Doing {
  now: number;
  /** When the last picture came; when the camera was opened, before the first. */
  pictureAt: number;
  /** Between two pictures; 0: the next is taken when there is room for it. */
  periodMs: number;
  /** When the last frame began its trip. */
  startedAt: number;
  /** How long an answer is waited for. */
  timeoutMs: number;
  /** Frames on their way. */
  inFlight: number;
  /** Whether a picture waits to begin its trip. */
  waiting: boolean;
  /** Frames that came to nothing since the last one that got through. */
  losses: number;
  /** What the camera says is wrong, and works on. */
  cameraTrouble?: string;
  connected: boolean;
  edge: EdgeAdvice;
  /** Whether the device answers frames where no edge does. */
  fallback: boolean;
}

/** Why no frame gets through, where that is as it should be; undefined where one should. docs/daemon.md says it in words. */
export function idleReason(doing: Doing): string | undefined {
  const { now, inFlight, waiting, losses, cameraTrouble, connected, edge, fallback } = doing;
  if (inFlight > 0) {
    const isInTime = now < doing.startedAt + doing.timeoutMs + PATIENCE_MS;
    return isInTime && losses <= LOSSES ? 'a frame is on its way' : undefined;
  }
  if (cameraTrouble !== undefined) return `camera: ${cameraTrouble}`;
  // A frame would be lost and counted, as the configuration wants it: a restart would change nothing.
  if (!fallback && !connected) return 'broker away, no fallback';
  if (!fallback && edge === 'avoid') return 'no edge, no fallback';
  const isDue = now >= doing.pictureAt + doing.periodMs + PATIENCE_MS;
  return waiting || isDue || losses > LOSSES ? undefined : 'the next picture is not due';
}
