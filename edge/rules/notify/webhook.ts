import { createHmac } from 'node:crypto';
import type { Message, Sender } from './outbox.js';

const TIMEOUT_MS = 10_000;

/**
 * Posts one message at a time, as JSON. `x-deepcod-signature` is `t=SECONDS,v1=HEX`, HMAC-SHA-256 of `SECONDS.BODY` with
 * the shared secret; `x-deepcod-delivery` stays the same when a message is sent again. Redirects are not followed: the
 * address is the one that the operator of the edge set, and no other.
 */
export class WebhookSender implements Sender {
  readonly digest = false;
  readonly everyMs = 0;
  readonly #stop = new AbortController();

  constructor(
    readonly url: string,
    readonly secret: string | undefined,
  ) {}

  async send([{ id, body }]: readonly Message[]): Promise<void> {
    const seconds = Math.floor(Date.now() / 1000);
    const headers: Record<string, string> = {
      'content-type': 'application/json',
      'user-agent': 'deepcod-edge',
      'x-deepcod-delivery': id,
    };
    if (this.secret !== undefined) headers['x-deepcod-signature'] = sign(this.secret, seconds, body);
    const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(TIMEOUT_MS)]);
    const response = await fetch(this.url, { method: 'POST', headers, body, redirect: 'manual', signal });
    await response.body?.cancel();
    if (response.status < 200 || response.status > 299) throw new Error(`the webhook answered ${response.status}`);
  }

  async close(): Promise<void> {
    this.#stop.abort();
  }
}

/** What `x-deepcod-signature` holds. */
export function sign(secret: string, seconds: number, body: string): string {
  return `t=${seconds},v1=${createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')}`;
}
