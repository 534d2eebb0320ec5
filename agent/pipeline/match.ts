import { isFailure, parseResult, type ResultMessage } from '../../protocol/result.js';
import type { Loss } from './trip.js';

/** What came of a frame that was sent. */
export type Answer =
  | { kind: 'answer'; message: ResultMessage; bytes: number; at: number }
  | { kind: 'none'; why: Extract<Loss, 'timeout' | 'unsent' | 'broker_lost' | 'stopped'> | 'edge_lost' };

/** What an arriving message was: an answer somebody waits for, one that came too late, one that is not for this start, or damaged. */
export type Arrival = 'matched' | 'late' | 'foreign' | 'damaged';

/** Frames that wait for an answer, by number; each for a limited time. */
export class Matcher {
  readonly #waiting = new Map<number, { settle: (answer: Answer) => void; worker?: string }>();

  constructor(
    readonly session: number,
    readonly bundleId: string,
  ) {}

  get size(): number {
    return this.#waiting.size;
  }

  /** Waits for the answer to a frame, at most `timeoutMs`. Never rejects. @param worker the edge that it was sent to by name */
  wait(frame: number, timeoutMs: number, worker?: string): Promise<Answer> {
    return new Promise((resolve) => {
      const settle = (answer: Answer) => {
        clearTimeout(timer);
        this.#waiting.delete(frame);
        resolve(answer);
      };
      const timer = setTimeout(() => settle({ kind: 'none', why: 'timeout' }), timeoutMs);
      this.#waiting.set(frame, { settle, worker });
    });
  }

  /** The socket did not take this frame. */
  unsent(frame: number): void {
    this.#waiting.get(frame)?.settle({ kind: 'none', why: 'unsent' });
  }

  /** No answer will come any more: the connection is gone, or nobody has the time to wait. */
  giveUp(why: 'broker_lost' | 'stopped'): void {
    for (const { settle } of [...this.#waiting.values()]) settle({ kind: 'none', why });
  }

  /** An edge is gone: it will not answer what was sent to it by name. */
  lose(edge: string): void {
    for (const { settle, worker } of [...this.#waiting.values()]) {
      if (worker === edge) settle({ kind: 'none', why: 'edge_lost' });
    }
  }

  /** A message on the result topic: untrusted, never throws. */
  arrive(payload: Uint8Array, at = performance.now()): Arrival {
    let message: ResultMessage;
    try {
      message = parseResult(payload);
    } catch {
      return 'damaged';
    }
    // An edge that lacks our bundle repeats our id, so both kinds of answer carry it.
    if (message.session !== this.session || message.bundle !== this.bundleId) return 'foreign';
    if (!isFailure(message) && message.local) return 'foreign';
    const waiting = this.#waiting.get(message.frame);
    if (!waiting) return 'late';
    waiting.settle({ kind: 'answer', message, bytes: payload.length, at });
    return 'matched';
  }
}
