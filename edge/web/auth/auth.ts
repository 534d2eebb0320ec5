import cookies from '@fastify/cookie';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Log } from '../../../platform/log.js';
import type { AuditLog } from '../../audit/log.js';
import { HttpError, sendProblem } from '../problem.js';
import type { AccountRole, Accounts } from './accounts.js';
import { cookieOf } from './cookie.js';
import { loginRoutes, wantsPage } from './login.js';
import { isOwnOrigin } from './origin.js';
import type { SessionFile } from './session-file.js';
import { Sessions } from './sessions.js';
import { Throttle } from './throttle.js';

/** Who makes a request. */
export interface User {
  name: string;
  role: AccountRole;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** null: nobody who is logged in. */
    user: User | null;
    /** What a command was about, for the audit log; a route may set it. Never a secret. */
    auditDetail: unknown;
  }
}

export interface AuthOptions {
  /** Without accounts everybody is an operator. */
  accounts?: Accounts;
  audit?: AuditLog;
  session: { idle_minutes: number; days: number };
  /** Where logins are kept over a restart; without one they end with it. */
  sessionFile?: SessionFile;
  /** Refuse logins that do not come by https. */
  httpsOnly: boolean;
  log?: Log;
  /** ms; for tests. */
  now?: () => number;
}

export interface AuthContext extends Pick<AuthOptions, 'accounts' | 'audit' | 'httpsOnly'> {
  sessions: Sessions;
  throttle: Throttle;
  now: () => number;
  refuse(request: FastifyRequest, reply: FastifyReply, status: number, text: string): FastifyReply;
}

/** Who is on this machine, where nobody else is served. */
const LOCAL: User = { name: 'local', role: 'operator' };
const MINUTE_MS = 60_000;
/** How often sessions that are over are looked for: so long may an open page outlive its account. */
const SWEEP_MS = 5000;
const SAFE = new Set(['GET', 'HEAD']);

/**
 * Protects every route of `app` that is added from now on, by its `config.role`: asks who it is, whether they may, and whether
 * a request that changes something comes from our own page. Adds the login and what goes with it. Commands are written into
 * the audit log.
 */
export async function protect(app: FastifyInstance, options: AuthOptions): Promise<void> {
  const { accounts, audit, httpsOnly, session, sessionFile, now = Date.now } = options;
  const longestMs = session.days * 24 * 60 * MINUTE_MS;
  const sessions = new Sessions(session.idle_minutes * MINUTE_MS, longestMs, sessionFile, now());
  const context: AuthContext = { accounts, audit, httpsOnly, sessions, throttle: new Throttle(), now, refuse };
  const sweep = setInterval(() => {
    sessions.sweep(now(), ({ account, stamp }) => accounts?.get(account)?.stamp === stamp);
  }, SWEEP_MS).unref();
  app.addHook('onClose', async () => {
    clearInterval(sweep);
    sessions.keep(now());
  });
  await app.register(cookies);
  app.decorateRequest('user', null);
  app.decorateRequest('auditDetail', undefined);

  const whoIs = (request: FastifyRequest, reply: FastifyReply): User | null => {
    if (!accounts) return LOCAL;
    const id = cookieOf(request);
    const used = sessions.use(id, now());
    if (!used) return null;
    const account = accounts.get(used.account);
    if (account?.stamp !== used.stamp) {
      sessions.end(id, reply.raw, now());
      return null;
    }
    used.open.add(reply.raw);
    reply.raw.once('close', () => used.open.delete(reply.raw));
    return { name: account.name, role: account.role };
  };

  app.addHook('onRequest', async (request, reply) => {
    const { role = 'viewer' } = request.routeOptions.config;
    if (request.protocol === 'https') reply.header('strict-transport-security', 'max-age=2592000');
    const user = whoIs(request, reply);
    request.user = user;
    const own = `${request.protocol}://${request.host}`;
    if (!SAFE.has(request.method) && !isOwnOrigin(request.headers, own)) {
      note(request, 'denied', 403, 'not from our own page');
      return refuse(request, reply, 403, `This request does not come from the page at ${own}.`);
    }
    if (role === 'public') return;
    if (!user) {
      const page = SAFE.has(request.method) && wantsPage(request) && !request.url.startsWith('/api/');
      if (page) return reply.redirect(`/login?next=${encodeURIComponent(request.url)}`, 303);
      return refuse(request, reply, 401, 'Log in first.');
    }
    if (role === 'operator' && user.role !== 'operator') {
      note(request, 'denied', 403);
      return refuse(request, reply, 403, 'Only an operator may do this.');
    }
  });

  app.addHook('onResponse', async (request, reply) => {
    const { role } = request.routeOptions.config;
    if (SAFE.has(request.method) || role === undefined || role === 'public' || !request.user) return;
    if (reply.statusCode !== 403 && reply.statusCode !== 401)
      note(request, 'command', reply.statusCode, request.auditDetail);
  });

  function note(request: FastifyRequest, event: 'command' | 'denied', status: number, detail?: unknown): void {
    const { method, params, ip: address, routeOptions } = request;
    const user = request.user?.name ?? '(nobody)';
    audit?.add({ event, user, address, method, route: routeOptions.url, params, status, detail });
  }

  await app.register(async (scope) => loginRoutes(scope, context));

  const viewer = { config: { role: 'viewer' }, schema: { hide: true } } as const;
  app.get('/api/v1/session', viewer, async ({ user }) => ({ ...user, login: accounts !== undefined }));

  const operator = { config: { role: 'operator' }, schema: { hide: true } } as const;
  app.get<{ Querystring: { last?: unknown } }>('/api/v1/audit', operator, async ({ query }) => {
    const last = Number(query.last ?? 100);
    const count = Number.isInteger(last) ? Math.max(1, Math.min(1000, last)) : 100;
    return { entries: (await audit?.last(count)) ?? [] };
  });
}

const CODES: Readonly<Record<number, string>> = {
  400: 'bad_request',
  401: 'login_needed',
  403: 'not_allowed',
  429: 'too_many_attempts',
  503: 'busy',
};

function refuse(request: FastifyRequest, reply: FastifyReply, status: number, text: string): FastifyReply {
  return sendProblem(request, reply, new HttpError(status, CODES[status], text));
}
