import { type Alert, type CameraSummary, type Event, type Operations, operations, type Problem } from './types.js';

export * from './types.js';

/** What an edge answered instead of what was asked for (RFC 9457). */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  constructor(readonly problem: Problem) {
    super(problem.detail);
  }
}

export interface ClientOptions {
  /** Sent with every request: a cookie, a token. */
  headers?: Record<string, string>;
  /** Default: the global one. */
  fetch?: typeof fetch;
}

/** One message of the stream. */
export type StreamMessage =
  | { event: 'cameras'; data: { now: number; cameras: CameraSummary[]; gone: string[] } }
  | { event: 'event'; data: { type: 'new' | 'update' | 'end'; before?: Event; after: Event } }
  | { event: 'alert'; data: { type: 'new' | 'update' | 'end'; alert: Alert } }
  | { event: 'settings'; data: { changed: 'zones' | 'rules' } }
  /** The edge ends it now, and why. */
  | { event: 'end'; data: { code: 'user' | 'room' | 'stopping'; message: string } };

type Input<Op extends keyof Operations> = Omit<Operations[Op], 'answer'>;
/** Nothing need be given where everything may be left out. */
type Rest<Op extends keyof Operations> =
  Record<string, never> extends Input<Op> ? [input?: Input<Op>] : [input: Input<Op>];

/**
 * The API of an edge, typed. Needs fetch and nothing else: Node 20, Deno, a browser.
 *
 *     const edge = new DeepcodClient('http://127.0.0.1:8080');
 *     const { events } = await edge.call('listEvents', { query: { camera: 'gate', limit: 10 } });
 */
export class DeepcodClient {
  readonly #base: string;
  readonly #options: ClientOptions;

  /** @param base address of the page: `https://edge.example` */
  constructor(base: string, options: ClientOptions = {}) {
    this.#base = base.replace(/\/+$/, '');
    this.#options = options;
  }

  /**
   * Asks for one operation of the API; their names are the operationIds of docs/openapi.json.
   * @returns what it gives; a Response where that is no JSON (pictures, CSV)
   * @throws ApiError when the edge refuses, TypeError when it cannot be reached
   */
  async call<Op extends keyof Operations>(operation: Op, ...[input]: Rest<Op>): Promise<Operations[Op]['answer']> {
    const {
      params = {},
      query = {},
      body,
    } = (input ?? {}) as {
      params?: Record<string, string>;
      query?: Record<string, unknown>;
      body?: unknown;
    };
    const { method, path } = operations[operation];
    const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? ''));
    const given = Object.entries(query).filter(([, value]) => value !== undefined);
    const search = new URLSearchParams(given.map(([key, value]): [string, string] => [key, String(value)]));
    const response = await this.#ask(`${filled}${search.size > 0 ? `?${search}` : ''}`, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    if (response.status === 204) return undefined as Operations[Op]['answer'];
    const isJson = response.headers.get('content-type')?.startsWith('application/json');
    return (isJson ? await response.json() : response) as Operations[Op]['answer'];
  }

  /** What changes, as it changes, until `signal` or the edge ends it. @throws ApiError, TypeError */
  async *stream(signal?: AbortSignal): AsyncGenerator<StreamMessage> {
    const { body } = await this.#ask(operations.stream.path, { signal });
    if (!body) return;
    const decoder = new TextDecoder();
    const reader = body.getReader();
    let text = '';
    try {
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        text += decoder.decode(value, { stream: true });
        for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
          const [, event, data] = /^event: (.*)\ndata: (.*)$/.exec(text.slice(0, end)) ?? [];
          text = text.slice(end + 2);
          if (event !== undefined) yield { event, data: JSON.parse(data as string) } as StreamMessage;
        }
      }
    } finally {
      await reader.cancel().catch(() => {});
    }
  }

  async #ask(path: string, init: RequestInit): Promise<Response> {
    const { headers, fetch: ask = fetch } = this.#options;
    const url = `${this.#base}${path}`;
    // The edge takes changes from its own page alone; browsers say where they come from themselves, and leave this out.
    const origin: Record<string, string> = URL.canParse(url) ? { origin: new URL(url).origin } : {};
    const response = await ask(url, { ...init, headers: { ...origin, ...headers, ...init.headers } });
    if (response.ok) return response;
    const { status } = response;
    const fallback = {
      type: 'about:blank',
      title: 'Request failed',
      status,
      code: 'unknown',
      detail: `HTTP ${status}`,
    };
    const problem = await response.json().catch(() => fallback);
    throw new ApiError(problem as Problem);
  }
}
