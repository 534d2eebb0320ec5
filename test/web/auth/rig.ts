import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fastify } from 'fastify';
import type { Test } from 'tap';
import { AuditLog } from '../../../edge/audit/log.js';
import { type AccountRole, Accounts, newStamp, writeAccounts } from '../../../edge/web/auth/accounts.js';
import { type AuthOptions, protect } from '../../../edge/web/auth/auth.js';
import { hashPassword, type PasswordHash } from '../../../edge/web/auth/password.js';
import { answerErrors } from '../../../edge/web/problem.js';
import { requireRoles } from '../../../edge/web/roles.js';

export const PASSWORD = 'seven green bicycles';
export const OTHER = 'eleven quiet harbours';
/** Cheap ones: what is tested here is not how slow they are. */
const cost = { n: 2 ** 10, r: 8, p: 1 };
const hashes: Record<string, PasswordHash> = {
  [PASSWORD]: await hashPassword(PASSWORD, cost),
  [OTHER]: await hashPassword(OTHER, cost),
};

export function folder(t: { teardown(f: () => unknown): void }): string {
  const made = mkdtempSync(join(tmpdir(), 'deepcod-auth-'));
  t.teardown(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

/** Writes accounts, each with {@link PASSWORD} unless another is given. */
export async function accountsFile(file: string, accounts: [string, AccountRole, string?][]): Promise<void> {
  await writeAccounts(
    file,
    accounts.map(([name, role, password = PASSWORD]) => ({
      name,
      role,
      password: hashes[password],
      stamp: newStamp(),
    })),
  );
}

/** A small server, protected: a page, a viewer's route, an operator's, a public one, and one that never ends. */
export async function rig(t: Test, change: Partial<AuthOptions> = {}, server: object = {}) {
  const dir = folder(t);
  const file = join(dir, 'accounts.json');
  await accountsFile(file, [
    ['ada', 'operator'],
    ['vic', 'viewer'],
  ]);
  const audit = await AuditLog.open(join(dir, 'audit.jsonl'));
  const clock = { now: Date.now() };
  const accounts = new Accounts(file, () => {});
  const app = fastify({ forceCloseConnections: true, ...server });
  requireRoles(app);
  answerErrors(app, undefined);
  const session = { idle_minutes: 60, days: 1 };
  await protect(app, { accounts, audit, session, httpsOnly: false, now: () => clock.now, ...change });
  const viewer = { config: { role: 'viewer' } } as const;
  const operator = { config: { role: 'operator' } } as const;
  app.get('/', viewer, (_request, reply) => reply.type('text/html').send('the page'));
  app.get('/healthz', { config: { role: 'public' } }, async () => 'ok');
  app.get('/api/v1/seen', viewer, async ({ user }) => user);
  app.post('/api/v1/rules/:rule', operator, async (request) => {
    request.auditDetail = { rule: 'changed' };
    return request.user;
  });
  app.get('/api/v1/stream', viewer, (_request, reply) => {
    reply.hijack();
    reply.raw.writeHead(200, { 'content-type': 'text/event-stream' });
    reply.raw.write('data: 1\n\n');
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  t.teardown(async () => {
    await app.close();
    await audit.close();
  });
  const { port } = app.server.address() as { port: number };
  const url = `http://127.0.0.1:${port}`;
  return { app, audit, accounts, clock, file, dir, url };
}

/** A browser, as far as it matters: sends its cookie and `Origin`, follows nothing. */
export class Browser {
  cookie: string | undefined;
  /** The last `Set-Cookie`, whole. */
  given = '';

  constructor(
    readonly url: string,
    readonly headers: Record<string, string> = {},
  ) {}

  async get(path: string, accept = 'application/json'): Promise<Response> {
    return this.#keep(await fetch(this.url + path, { headers: this.#all({ accept }), redirect: 'manual' }));
  }

  async post(path: string, body: Record<string, string> = {}, headers: Record<string, string> = {}): Promise<Response> {
    const json = path.startsWith('/api');
    const type = json ? 'application/json' : 'application/x-www-form-urlencoded';
    const own = { origin: this.url, 'content-type': type, ...headers };
    const text = json ? JSON.stringify(body) : new URLSearchParams(body).toString();
    const request = { method: 'POST', body: text, redirect: 'manual' } as const;
    return this.#keep(await fetch(this.url + path, { ...request, headers: this.#all(own) }));
  }

  login(name: string, password = PASSWORD, more: Record<string, string> = {}): Promise<Response> {
    return this.post('/login', { name, password, ...more });
  }

  #all(headers: Record<string, string>): Record<string, string> {
    return { ...this.headers, ...headers, ...(this.cookie !== undefined && { cookie: this.cookie }) };
  }

  #keep(response: Response): Response {
    const [given] = response.headers.getSetCookie();
    if (given === undefined) return response;
    this.given = given;
    const [pair] = given.split(';');
    this.cookie = pair.endsWith('=') ? undefined : pair;
    return response;
  }
}
