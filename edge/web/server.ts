import { join } from 'node:path';
import type { Server as TlsServer } from 'node:tls';
import { type FastifyInstance, fastify } from 'fastify';
import { type Log, silentLog } from '../../platform/log.js';
import type { Metrics } from '../../platform/metrics/registry.js';
import { packageRoot } from '../../platform/root.js';
import type { Edge } from '../edge.js';
import { type EdgeMetricsConfig, openMetrics } from '../integrations/prometheus/open.js';
import type { Site } from '../rules/site.js';
import { LiveStore } from '../store/live.js';
import type { EdgeBundle } from '../worker/bundles.js';
import { describeApi, registerApi } from './api.js';
import { protect } from './auth/auth.js';
import type { WebAuthConfig } from './auth/config.js';
import { type Serving, servingOf } from './auth/serving.js';
import { Commands } from './commands.js';
import { feedStore } from './feed.js';
import { readPage } from './files.js';
import { guard } from './guard.js';
import { listen } from './listen.js';
import { Methods } from './methods.js';
import { answerErrors } from './problem.js';
import { requireRoles } from './roles.js';
import type { ApiContext, BundleFacts, KnownBundles } from './routes/context.js';
import { healthRoutes } from './routes/health.js';
import { liveRoutes } from './routes/live.js';
import { metricsRoutes } from './routes/metrics.js';
import { staticRoutes } from './routes/static.js';
import { SEATS, type SeatLimits, Seats } from './seats.js';
import { Stream } from './stream.js';
import { validateStrictly } from './validation.js';

/** A page that is being served. */
export interface LiveWeb {
  /** Address to open in a browser. */
  readonly url: string;
  /** What the page shows. */
  readonly store: LiveStore;
  /** Ends all connections and frees the port. */
  close(): Promise<void>;
}

export interface WebOptions extends Partial<Omit<ApiContext, 'store'>> {
  store: LiveStore;
  /** Default: loopback only. */
  host?: string;
  /** Default and 0: any free port. */
  port?: number;
  /** Places for open streams; default: as many as {@link SEATS} says. */
  seats?: Seats;
  /** Who may open it, and how; default: anybody on this machine. */
  auth?: Partial<WebAuthConfig>;
  log?: Log;
  /** What Prometheus may read at /metrics, and the token it shows; default: nothing. */
  metrics?: { metrics: Pick<Metrics, 'text'>; token?: string };
  /** Why frames do not reach this edge; default: nothing is known against it. */
  unready?: () => string | undefined;
}

/** Connections of all kinds, at most. */
const CONNECTIONS = 256;
/** Nobody has to log in; {@link servingOf} allows it on loopback alone. */
const UNPROTECTED = { trusted_proxies: [], insecure: false, session: { idle_minutes: 480, days: 7 } };
/** Of a request's body, bytes. */
const BODY = 256 * 1024;

/** The edge's page: a store fed by this edge and its broker, and the server. Started by edge/web.ts. */
export async function startWeb(
  config: { host: string; port: number } & Partial<WebAuthConfig>,
  edge: Edge,
  log: Log,
  site?: Site,
  metricsConfig?: EdgeMetricsConfig,
): Promise<LiveWeb> {
  const store = new LiveStore();
  const commands = new Commands(edge.link.broker, edge.topics);
  const seats = new Seats(seatLimits(config), log);
  const metrics = metricsConfig?.enabled ? await openMetrics(metricsConfig, { edge, store, site, seats }) : undefined;
  const web = await startWebServer({
    host: config.host,
    port: config.port,
    auth: config,
    store,
    log,
    site,
    commands,
    metrics,
    seats,
    bundles: bundleFacts(edge),
    unready: () => (edge.link.broker.connected ? undefined : 'the broker is not reached'),
  });
  feedStore(store, edge, site);
  return web;
}

/** Where nobody logs in, all are one user. */
const seatLimits = ({ accounts }: Partial<WebAuthConfig>): SeatLimits =>
  accounts === undefined ? { ...SEATS, user: SEATS.all } : SEATS;

/** What the API tells of the bundles. */
function bundleFacts({ bundles }: Pick<Edge, 'bundles'>): KnownBundles {
  return {
    get(id) {
      const known = bundles.get(id);
      return known && factsOf(known);
    },
    values: () => [...bundles.values()].map(factsOf),
  };
}

function factsOf({ bundle: { manifest } }: EdgeBundle): BundleFacts {
  const { partitions, pictures, service } = manifest;
  const points = partitions.map(({ id: partition, rates }) => ({ partition, rates: rates.map((_, i) => i) }));
  const jpeg = pictures ? [{ partition: 'jpeg', rates: pictures.map((_, i) => i) }] : [];
  const whole = ['raw', 'device'].map((partition) => ({ partition, rates: [0] }));
  return { labels: service.classes, choices: [...points, ...jpeg, ...whole] };
}

/**
 * Serves the live page of a store, and the API.
 * @throws DeepcodError `web_port` (exit code 2) when the address cannot be listened on
 */
export async function startWebServer(options: WebOptions): Promise<LiveWeb> {
  const { store, host = '127.0.0.1', port = 0, log } = options;
  const { app, serving, endStreams } = await buildServer(options);
  const url = await listen(app, host, port, serving.scheme);
  const unwatch = serving.watch((context) => (app.server as unknown as TlsServer).setSecureContext(context));
  log?.info('live page', { url });
  return {
    url,
    store,
    async close() {
      unwatch();
      endStreams();
      await app.close();
      await serving.auth.audit?.close();
    },
  };
}

interface Built {
  app: FastifyInstance;
  serving: Serving;
  endStreams(): void;
}

/** The server with all its routes, before it listens. @throws DeepcodError where it is not protected as its place asks for */
export async function buildServer(options: WebOptions): Promise<Built> {
  const { store, host = '127.0.0.1', log, bundles = new Map() } = options;
  const seats = options.seats ?? new Seats(seatLimits(options.auth ?? {}), log);
  const serving = await servingOf({ ...UNPROTECTED, ...options.auth, host }, log ?? silentLog);
  const app = createServer(log, serving.server);
  const methods = new Methods();
  methods.watch(app);
  requireRoles(app);
  guard(app, methods, serving.ownNames);
  answerErrors(app, log);
  await protect(app, serving.auth);
  validateStrictly(app);
  await describeApi(app);
  const stream = new Stream(store);
  staticRoutes(app, { files: await readPage(join(packageRoot(), 'edge', 'web', 'public')) });
  healthRoutes(app, options.unready ?? (() => undefined));
  if (options.metrics) metricsRoutes(app, options.metrics.metrics, options.metrics.token);
  liveRoutes(app, { store, stream, seats });
  const endNews = await registerApi(app, { ...options, bundles }, seats);
  const endStreams = (): void => {
    seats.close();
    stream.close();
    endNews();
  };
  return { app, serving, endStreams };
}

function createServer(log: Log | undefined, server: Serving['server']): FastifyInstance {
  const app = fastify({
    ...(server as object),
    bodyLimit: BODY,
    requestTimeout: 10_000,
    keepAliveTimeout: 30_000,
    http: { maxHeaderSize: 16_384, headersTimeout: 10_000 },
    forceCloseConnections: true,
    clientErrorHandler: (_error, socket) => void socket.destroy(),
    frameworkErrors: (error, _request, reply) => {
      log?.debug('a request that cannot be read', { error });
      void reply.raw.writeHead(404, { 'content-type': 'text/plain; charset=utf-8' }).end('There is nothing here.\n');
    },
  });
  app.server.maxConnections = CONNECTIONS;
  return app;
}
