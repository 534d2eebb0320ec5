import { Seldom } from '../log/seldom.js';
import type { Log } from '../log.js';
import { encodeSpans, type Resource } from './otlp.js';
import type { Span } from './span.js';

/** Spans that wait, at most; one too many is dropped and counted. */
const WAITING = 2048;
/** Spans in one message, and how long the first waits for company, ms. */
const BATCH = 512;
const COMPANY_MS = 2000;
const TIMEOUT_MS = 5000;

/** Sends spans to a collector, many in one message. Never waited for, never grows without end, never tries again. */
export class SpanExporter {
  dropped = 0;
  sent = 0;
  readonly #waiting: Span[] = [];
  readonly #seldom = new Seldom();
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> | undefined;
  #closed = false;

  /** @param url where OTLP/HTTP is taken, path and all */
  constructor(
    readonly url: string,
    readonly resource: Resource,
    readonly log: Log,
  ) {}

  add(spans: readonly Span[]): void {
    const room = this.#closed ? 0 : WAITING - this.#waiting.length;
    // a trace without some of its spans misleads
    if (spans.length > room) {
      this.dropped += spans.length;
      return;
    }
    this.#waiting.push(...spans);
    if (this.#waiting.length >= BATCH) this.#send();
    else this.#timer ??= setTimeout(() => this.#send(), COMPANY_MS).unref();
  }

  /** Sends what waits, once, and takes nothing more. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#sending;
    while (this.#waiting.length > 0) {
      this.#send();
      await this.#sending;
    }
    clearTimeout(this.#timer);
  }

  #send(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#sending || this.#waiting.length === 0) return;
    const batch = this.#waiting.splice(0, BATCH);
    this.#sending = this.#post(batch).finally(() => {
      this.#sending = undefined;
      if (this.#waiting.length > 0 && !this.#closed) this.#timer ??= setTimeout(() => this.#send(), 0).unref();
    });
  }

  /** Never rejects. */
  async #post(spans: readonly Span[]): Promise<void> {
    try {
      const response = await fetch(this.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: encodeSpans(this.resource, spans),
        signal: AbortSignal.timeout(TIMEOUT_MS),
        redirect: 'error',
      });
      await response.body?.cancel();
      if (!response.ok) throw new Error(`it answers ${response.status}`);
      this.sent += spans.length;
    } catch (error) {
      this.dropped += spans.length;
      if (this.#seldom.now('send')) {
        this.log.warn('traces cannot be sent', { url: this.url, error, dropped: this.dropped });
      }
    }
  }
}
