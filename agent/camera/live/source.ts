import type { Picture } from '../camera.js';
import type { Ending, Trouble } from './trouble.js';

/** One way to start a camera's program: made anew for every start. */
export interface Start {
  /** One line, with the size that pictures are taken in. */
  description: string;
  program: string;
  args: readonly string[];
  /** Written to its standard input. */
  input?: string;
  /** Bytes that a frame on its standard output may have, the usual one first. */
  sizes: readonly number[];
  /** A frame that pauses for so long in its middle, ms, has lost its end. Absent where programs pause on their own. */
  pauseMs?: number;
  /** How long the first picture may take, ms. */
  patienceMs: number;
  /** A picture of a frame's bytes. */
  picture(data: Uint8Array): Omit<Picture, 'capturedAt' | 'captureMs' | 'name'>;
}

/** A camera outside this process, reached through a program. */
export interface LiveSource {
  /** Said as long as the camera was never reached. */
  readonly description: string;
  /** @throws Trouble when the camera cannot be had now */
  prepare(signal: AbortSignal): Promise<Start>;
  /** What a program's last words mean. */
  ended(ending: Ending): Promise<Trouble>;
  /** Why it gives nothing though it runs; `errors` is what it said so far. */
  silent(errors: string): Promise<Trouble>;
  /** Trouble that what it said announces while it still runs. */
  announced?(errors: string): Trouble | undefined;
}
