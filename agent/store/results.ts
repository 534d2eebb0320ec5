import { Seldom } from '../../platform/log/seldom.js';
import type { Log } from '../../platform/log.js';
import type { Delivery } from '../../platform/mqtt.js';
import { encodeResult, type FrameResult } from '../../protocol/result.js';
import { Replay } from './replay.js';
import { ResultStore, type StoreLoss } from './store.js';

/** Live results that may be unacknowledged at a time. */
const MOST_LIVE = 8;
/**
 * For so long after the broker's return frames are answered here, so that what is kept arrives before what an edge answers,
 * ms. What takes longer comes late beside live results.
 */
const ORDER_PATIENCE_MS = 5000;

/** The way of results to the broker. */
export interface ResultLink {
  readonly connected: boolean;
  readonly busy: boolean;
  /** How many more results may be delivered before the broker has acknowledged one. */
  readonly room: number;
  /** Without acknowledgement. @returns false when the socket does not take it */
  publishResult(json: string): boolean;
  /** @param late the broker must not drop it for its age */
  deliverResult(json: string | Uint8Array, late: boolean): Promise<Delivery>;
}

/** Results that were made on this device, on their way to the broker: in order, and kept while it is away. */
export class LocalResults {
  readonly #store: ResultStore | undefined;
  readonly #replay: Replay | undefined;
  /** Published and not acknowledged yet, in order. */
  readonly #live = new Set<FrameResult>();

  /**
   * @param config without a folder nothing is kept
   * @param audience resolves when an edge is there, at the latest after so many ms
   * @param lost told of results that are gone
   */
  constructor(
    config: { folder?: string; megabytes: number },
    readonly link: ResultLink,
    audience: (timeoutMs: number) => Promise<unknown>,
    readonly lost: (cause: StoreLoss | 'store_refused' | 'result_unsent', count: number) => void,
    log: Log,
  ) {
    if (config.folder === undefined) return;
    this.#store = new ResultStore(config.folder, config.megabytes * 2 ** 20, lost, log);
    const seldom = new Seldom();
    const target = {
      get connected() {
        return link.connected;
      },
      get busy() {
        return link.busy;
      },
      get room() {
        return link.room;
      },
      deliver: (payload: Uint8Array) => link.deliverResult(payload, true),
      audience,
    };
    this.#replay = new Replay(this.#store, target, () => {
      lost('store_refused', 1);
      const hint = "Check this user's access list at the broker, and how large a message it takes.";
      if (seldom.now('refused')) log.warn('the broker refuses a kept result again and again: it is given up', { hint });
    });
  }

  /** Results that are kept. */
  get waiting(): number {
    return this.#store?.waiting ?? 0;
  }

  /** Whether frames should be answered here for a moment, until what is kept has been published. */
  get goFirst(): boolean {
    if (!this.#store || !this.#replay || this.#store.empty || !this.link.connected) return false;
    const { since } = this.#replay;
    return since === undefined || performance.now() - since < ORDER_PATIENCE_MS;
  }

  /** The broker is there. */
  connected(): void {
    this.#replay?.connected();
  }

  /** Publishes a result now, or keeps it until that is possible. */
  publish(result: FrameResult): void {
    if (!this.#store) {
      if (!this.link.publishResult(encodeResult(result))) this.lost('result_unsent', 1);
      return;
    }
    const isLive = this.link.connected && this.#replay?.caughtUp && this.#live.size < MOST_LIVE;
    this.#live.add(result);
    if (!isLive) {
      this.#keepLive();
      return;
    }
    // a dead connection takes messages for as long as nobody has noticed: only an acknowledged one has arrived
    void this.link.deliverResult(encodeResult(result), false).then((delivery) => {
      if (delivery === 'acknowledged') this.#live.delete(result);
      else if (this.#live.has(result)) this.#keepLive();
    });
  }

  /** Keeps what was not acknowledged. Call it when the connection has ended. */
  async close(): Promise<void> {
    this.#replay?.close();
    this.#keepLive();
    await this.#store?.close();
  }

  /** All of them, for the order's sake: one that did arrive comes twice then, and readers count it once. */
  #keepLive(): void {
    for (const result of this.#live) void this.#store?.append(Buffer.from(encodeResult({ ...result, late: true })));
    this.#live.clear();
    this.#replay?.wake();
  }
}
