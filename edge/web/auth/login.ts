import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { network } from '../../address.js';
import type { AuthContext } from './auth.js';
import { cookieOf, forgetCookie, giveCookie } from './cookie.js';
import { LOGIN_POLICY, LOGIN_STYLE, loginPage, ownPath } from './login-page.js';
import { checkPassword, LONGEST } from './password.js';

/** Of a login's body, bytes. */
const BODY = 4096;

/** The page that asks for name and password, and what it sends; a program may send the same as JSON. */
export async function loginRoutes(app: FastifyInstance, context: AuthContext): Promise<void> {
  const { accounts, sessions, throttle, audit, httpsOnly } = context;
  const open = { config: { role: 'public' }, schema: { hide: true } } as const;
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: BODY },
    (_request, text, done) => done(null, Object.fromEntries(new URLSearchParams(text as string))),
  );

  app.get('/login.css', open, (_request, reply) => reply.type('text/css; charset=utf-8').send(LOGIN_STYLE));

  app.get<{ Querystring: { next?: unknown } }>('/login', open, (request, reply) =>
    accounts ? form(reply, 200, ownPath(request.query.next)) : reply.redirect('/', 303),
  );

  app.post('/login', { ...open, bodyLimit: BODY }, async (request, reply) => {
    if (!accounts) return reply.redirect('/', 303);
    const { name, password, next } = (request.body ?? {}) as Record<string, unknown>;
    const answer = (status: number, text: string, wait?: number): FastifyReply => {
      if (wait !== undefined) reply.header('retry-after', String(wait));
      return isForm(request) ? form(reply, status, ownPath(next), text) : context.refuse(request, reply, status, text);
    };
    if (typeof name !== 'string' || typeof password !== 'string' || password.length > LONGEST) {
      return answer(400, 'Name and password are needed.');
    }
    if (httpsOnly && request.protocol !== 'https')
      return answer(403, 'Open this page by https: passwords go no other way.');
    const address = network(request.ip);
    const now = context.now();
    const wait = Math.ceil(throttle.wait(address, name, now) / 1000);
    if (wait > 0) return answer(429, `Too many attempts. Try again in ${wait} s.`, wait);
    throttle.failed(address, name, now);
    const account = accounts.get(name);
    const right = await checkPassword(password, account?.password, accounts.usual);
    if (right === undefined) return answer(503, 'Too many logins at this moment. Try again.', 2);
    if (!right || !account) {
      // A name that nobody has may be a password in the wrong field.
      audit?.add({ event: 'login_failed', user: account ? name : '(unknown)', address: request.ip });
      return answer(401, 'Name or password is wrong.');
    }
    throttle.succeeded(address, name);
    sessions.end(cookieOf(request), reply.raw, now);
    giveCookie(request, reply, sessions.begin(name, account.stamp, context.now()), sessions.longestMs);
    audit?.add({ event: 'login', user: name, address: request.ip });
    return isForm(request) ? reply.redirect(ownPath(next), 303) : reply.code(204).send();
  });

  app.post('/logout', open, (request, reply) => {
    if (request.user && accounts) audit?.add({ event: 'logout', user: request.user.name, address: request.ip });
    sessions.end(cookieOf(request), reply.raw, context.now());
    forgetCookie(request, reply);
    return wantsPage(request) ? reply.redirect('/login', 303) : reply.code(204).send();
  });
}

const isForm = ({ headers }: FastifyRequest): boolean =>
  headers['content-type']?.startsWith('application/x-www-form-urlencoded') ?? false;

/** Whether somebody looks at the answer in a browser. */
export const wantsPage = ({ headers }: FastifyRequest): boolean => headers.accept?.includes('text/html') ?? false;

function form(reply: FastifyReply, status: number, next: string, message?: string): FastifyReply {
  return reply
    .code(status)
    .header('content-security-policy', LOGIN_POLICY)
    .header('cache-control', 'no-store')
    .type('text/html; charset=utf-8')
    .send(loginPage(next, message));
}
