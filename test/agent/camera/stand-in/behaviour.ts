import { readFileSync } from 'node:fs';

/** What a stand-in does; a test may change the file while it runs. */
export interface Behaviour {
  /** rpicam-hello: a fixture's name, and how long it takes. */
  list?: string;
  listMs?: number;
  /** rpicam-vid: until it is ready, ms; what it says then; and with which code it ends then. */
  startMs?: number;
  says?: string;
  exit?: number;
  /** Rows are padded to a multiple of this. */
  padding?: number;
  /** Frames after which nothing more comes, after which it ends, and those that lack their end. */
  stallAfter?: number;
  dieAfter?: number;
  halfAt?: number[];
  /** Signals that do not end it. */
  ignores?: NodeJS.Signals[];
  /** Every start writes a line of JSON into this file: pid and args. */
  log?: string;
}

let last: Behaviour = {};

export function behaviour(): Behaviour {
  try {
    last = JSON.parse(readFileSync(process.env.RPICAM_BEHAVIOUR as string, 'utf8')) as Behaviour;
  } catch {
    // being written
  }
  return last;
}

export function die(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(255);
}

export function sleepMs(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
