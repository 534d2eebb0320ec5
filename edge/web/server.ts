import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { DeepcodError, ExitCode } from '../../platform/errors.js';
import type { Log } from '../../platform/log.js';
import { packageRoot } from '../../platform/root.js';
import type { Edge } from '../edge.js';
import { LiveStore } from '../store/live.js';
import { feedStore } from './feed.js';
import { type PageFile, readPage } from './files.js';
import { Stream } from './stream.js';
import { shownView, stateView } from './view.js';

/** A page that is being served. */
export interface LiveWeb {
  /** Address to open in a browser. */
  readonly url: string;
  /** What the page shows. */
  readonly store: LiveStore;
  /** Ends all connections and frees the port. */
  close(): Promise<void>;
}

export interface WebOptions {
  store: LiveStore;
  /** Default: loopback only. */
  host?: string;
  /** Default and 0: any free port. */
  port?: number;
  /** Open pages, at most. */
  pages?: number;
  log?: Log;
}

/** The page's own scripts, styles and connections; nothing inline, nothing from elsewhere, in no frame. */
const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

/** Connections of all kinds, at most. */
const CONNECTIONS = 256;

/** The edge's page: a store fed by this edge and its broker, and the server. Started by edge/web.ts. */
export async function startWeb(config: { host: string; port: number }, edge: Edge, log: Log): Promise<LiveWeb> {
  const store = new LiveStore();
  const web = await startWebServer({ ...config, store, log });
  feedStore(store, edge);
  return web;
}

/**
 * Serves the live page of a store.
 * @throws DeepcodError `web_port` (exit code 2) when the address cannot be listened on
 */
export async function startWebServer(options: WebOptions): Promise<LiveWeb> {
  const { store, host = '127.0.0.1', port = 0, pages = 32, log } = options;
  const files = await readPage(join(packageRoot(), 'edge', 'web', 'public'));
  const stream = new Stream(store, pages);
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    route(request, response, { store, stream, files, ownNames: isLoopback(host) });
  };
  const server = createServer(
    { headersTimeout: 10_000, requestTimeout: 10_000, keepAliveTimeout: 30_000, maxHeaderSize: 16_384 },
    (request, response) => {
      try {
        answer(request, response);
      } catch (error) {
        log?.error('a request failed', { error });
        if (!response.headersSent) reply(response, 500, 'The edge failed to answer; its log says why.\n');
        else response.destroy();
      }
    },
  );
  server.maxConnections = CONNECTIONS;
  server.on('clientError', (_error, socket) => socket.destroy());
  await listen(server, host, port);
  const { port: taken } = server.address() as AddressInfo;
  const url = `http://${urlHost(host)}:${taken}/`;
  log?.info('live page', { url });
  return {
    url,
    store,
    async close() {
      stream.close();
      const closed = new Promise((done) => server.close(done));
      server.closeAllConnections();
      await closed;
    },
  };
}

interface Context {
  store: LiveStore;
  stream: Stream;
  files: ReadonlyMap<string, PageFile>;
  /** Answer only to this machine's own names: a name that someone else's DNS points here is refused. */
  ownNames: boolean;
}

function route(request: IncomingMessage, response: ServerResponse, { store, stream, files, ownNames }: Context): void {
  for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
  response.setHeader('cache-control', 'no-store');
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    reply(response, 405, 'Only GET and HEAD.\n');
    return;
  }
  if (ownNames && !isOwnName(request.headers.host)) {
    reply(response, 421, 'Open this page by its own address: localhost or 127.0.0.1.\n');
    return;
  }
  const path = pathOf(request.url);
  const file = files.get(path);
  const [, name, what] = /^\/api\/devices\/([A-Za-z0-9_-]{1,64})\/(shown|picture)$/.exec(path) ?? [];
  if (file) sendFile(request, response, file);
  else if (path === '/api/events') sendEvents(request, response, stream);
  else if (path === '/api/state') {
    reply(response, 200, JSON.stringify(stateView(store, Date.now())), 'application/json');
  } else if (path === '/healthz') reply(response, 200, 'ok\n');
  else if (name) sendShown(response, store, name, what === 'picture');
  else reply(response, 404, 'There is nothing here.\n');
}

function sendEvents(request: IncomingMessage, response: ServerResponse, stream: Stream): void {
  if (request.method === 'HEAD') {
    reply(response, 200, '');
  } else if (!stream.add(response)) {
    response.setHeader('retry-after', '10');
    reply(response, 503, 'Too many open pages; close one.\n');
  }
}

/**
 * `picture`: the picture alone. `shown`: boxes and picture of the same frame in one answer, so that they fit together:
 * u32 little endian length of the JSON, the JSON (see shownView), then the picture's bytes, if there is one.
 */
function sendShown(response: ServerResponse, store: LiveStore, name: string, pictureOnly: boolean): void {
  const shown = store.device(name)?.shown(Date.now());
  if (!shown || (pictureOnly && !shown.snapshot)) {
    reply(response, 404, 'No picture of this device.\n');
    return;
  }
  const picture = shown.snapshot?.data ?? new Uint8Array(0);
  if (pictureOnly) {
    reply(response, 200, picture, shown.snapshot?.type);
    return;
  }
  const json = Buffer.from(JSON.stringify(shownView(shown)));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(json.length);
  reply(response, 200, Buffer.concat([length, json, picture]), 'application/octet-stream');
}

function sendFile(request: IncomingMessage, response: ServerResponse, { type, tag, body }: PageFile): void {
  response.setHeader('cache-control', 'no-cache');
  response.setHeader('etag', tag);
  if (request.headers['if-none-match'] === tag) reply(response, 304, '', type);
  else reply(response, 200, body, type);
}

function reply(
  response: ServerResponse,
  code: number,
  body: string | Uint8Array,
  type = 'text/plain; charset=utf-8',
): void {
  response.writeHead(code, {
    'content-type': type,
    ...(code !== 304 && { 'content-length': Buffer.byteLength(body) }),
  });
  // for HEAD, node sends the header alone
  response.end(body);
}

/** The path of a request, without its query; what is no path becomes one that nothing answers to. */
function pathOf(url = '/'): string {
  const [path] = url.split('?', 1) as [string];
  return path;
}

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]', '::1']);

function isLoopback(host: string): boolean {
  return LOOPBACK.has(host) || host.startsWith('127.');
}

function isOwnName(host = ''): boolean {
  const name = host.replace(/:\d{1,5}$/, '').toLowerCase();
  return isLoopback(name) || name.endsWith('.localhost');
}

const urlHost = (host: string): string => {
  if (host === '0.0.0.0' || host === '::') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
};

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((done, fail) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = error.code === 'EADDRINUSE';
      fail(
        new DeepcodError(
          'web_port',
          taken
            ? `port ${port} of ${host} is taken: the page cannot be served there`
            : `the page cannot be served at ${host}:${port}: ${error.message}`,
          taken ? 'set web.port to another port, or to 0 for any free one' : 'check web.host and web.port',
          ExitCode.usage,
        ),
      );
    });
    server.listen(port, host, done);
  });
}
