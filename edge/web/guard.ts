import type { FastifyInstance } from 'fastify';
import { isOwnName } from './listen.js';
import type { Methods } from './methods.js';
import { HttpError, sendProblem } from './problem.js';

/** The page's own scripts, styles and connections; nothing inline, nothing from elsewhere, in no frame. */
const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  // with `no-referrer` browsers call the origin of our own login form null, where there is no https
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'cache-control': 'no-store',
};

/**
 * What holds for every request, before any route sees it.
 * @param ownNames answer only to this machine's own names: a name that someone else's DNS points here is refused
 */
export function guard(app: FastifyInstance, methods: Methods, ownNames: boolean): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(HEADERS);
    if (ownNames && !isOwnName(request.headers.host)) {
      const text = 'Open this page by its own address: localhost or 127.0.0.1.';
      return sendProblem(request, reply, new HttpError(421, 'wrong_host', text));
    }
    if (!request.is404) return;
    // here, so that the body of a request that nobody wants is not read
    const [path] = request.url.split('?', 1) as [string];
    const allowed = methods.of(path);
    if (allowed.length === 0)
      return sendProblem(request, reply, new HttpError(404, 'not_found', 'There is nothing here.'));
    reply.header('allow', allowed.join(', '));
    return sendProblem(request, reply, new HttpError(405, 'method_not_allowed', `Only ${allowed.join(' and ')}.`));
  });
}
