import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { SessionFile } from '../../../edge/web/auth/session-file.js';
import { createLog, type LogEvent } from '../../../platform/log.js';
import { until } from '../../edge/harness.js';
import { accountsFile, Browser, folder, OTHER, PASSWORD, rig } from './rig.js';

/** A command, as the page sends it. */
const command = (browser: Browser, headers: Record<string, string> = {}): Promise<Response> =>
  browser.post('/api/v1/rules/7', {}, headers);

t.test('without a login there is the login page, and nothing else', async (t) => {
  const { url } = await rig(t);
  const browser = new Browser(url);
  const page = await browser.get('/', 'text/html');
  t.equal(page.status, 303);
  t.equal(page.headers.get('location'), '/login?next=%2F');
  const api = await browser.get('/api/v1/seen');
  t.equal(api.status, 401);
  t.match(await api.json(), { code: 'login_needed', status: 401 });
  t.equal((await command(browser)).status, 401);
  t.equal((await browser.get('/healthz')).status, 200, 'but for what is public');
  const login = await browser.get('/login?next=/cameras', 'text/html');
  const html = await login.text();
  t.match(html, 'value="/cameras"');
  t.notMatch(html, /<script|\sstyle=|\son[a-z]+=/, 'no script, nothing inline');
  const policy = login.headers.get('content-security-policy') ?? '';
  t.match(policy, "default-src 'none'");
  t.match(policy, "form-action 'self'");
  t.match(policy, "frame-ancestors 'none'");
  t.equal((await browser.get('/login.css')).status, 200);
});

t.test('a login: the cookie, the session, the way back', async (t) => {
  const { url } = await rig(t);
  const browser = new Browser(url);
  const answer = await browser.login('ada', PASSWORD, { next: '/cameras/yard' });
  t.equal(answer.status, 303);
  t.equal(answer.headers.get('location'), '/cameras/yard');
  t.match(browser.given, /^deepcod=[A-Za-z0-9_-]{43};/, '256 random bits');
  t.match(browser.given, /HttpOnly/);
  t.match(browser.given, /SameSite=Strict/);
  t.notMatch(browser.given, /Domain/);
  t.same(await (await browser.get('/api/v1/seen')).json(), { name: 'ada', role: 'operator' });
  t.same(await (await browser.get('/api/v1/session')).json(), { name: 'ada', role: 'operator', login: true });

  const before = browser.cookie;
  await browser.login('ada');
  t.not(browser.cookie, before, 'another id with each login');
  const old = new Browser(url, { cookie: before ?? '' });
  t.equal((await old.get('/api/v1/seen')).status, 401, 'and the one before is over');

  const leaving = browser.cookie;
  t.equal((await browser.post('/logout', {}, { accept: 'text/html' })).headers.get('location'), '/login');
  t.equal(browser.cookie, undefined);
  t.equal((await new Browser(url, { cookie: leaving ?? '' }).get('/api/v1/seen')).status, 401);
});

t.test('an id that somebody else chose is not taken', async (t) => {
  const { url } = await rig(t);
  const victim = new Browser(url, {});
  victim.cookie = `deepcod=${'a'.repeat(43)}`;
  await victim.login('ada');
  t.not(victim.cookie, `deepcod=${'a'.repeat(43)}`);
});

t.test('nobody is sent elsewhere, and nothing is written into the page', async (t) => {
  const { url } = await rig(t);
  const browser = new Browser(url);
  for (const next of [
    '//evil.example',
    'https://evil.example',
    '/\\evil.example',
    '\\\\evil',
    '/a\r\nset-cookie: x=1',
    '/login',
  ]) {
    const answer = await browser.login('ada', PASSWORD, { next });
    t.equal(answer.headers.get('location'), '/', JSON.stringify(next));
  }
  const html = await (
    await browser.get(`/login?next=${encodeURIComponent('/"><script>x</script>')}`, 'text/html')
  ).text();
  t.notMatch(html, '<script>');
});

t.test('roles', async (t) => {
  const { url, audit } = await rig(t);
  const viewer = new Browser(url);
  await viewer.login('vic');
  t.equal((await viewer.get('/api/v1/seen')).status, 200);
  const refused = await command(viewer);
  t.equal(refused.status, 403);
  t.match(await refused.json(), { code: 'not_allowed' });
  t.equal((await viewer.get('/api/v1/audit')).status, 403);
  const operator = new Browser(url);
  await operator.login('ada');
  t.equal((await command(operator)).status, 200);
  const { entries } = (await (await operator.get('/api/v1/audit?last=10')).json()) as { entries: object[] };
  t.match(entries, [
    { event: 'login', user: 'vic', address: '127.0.0.1' },
    { event: 'denied', user: 'vic', method: 'POST', route: '/api/v1/rules/:rule', params: { rule: '7' }, status: 403 },
    { event: 'denied', user: 'vic', method: 'GET', route: '/api/v1/audit' },
    { event: 'login', user: 'ada' },
    { event: 'command', user: 'ada', route: '/api/v1/rules/:rule', status: 200, detail: { rule: 'changed' } },
  ]);
  await audit.close();
});

t.test('what changes something must come from our own page', async (t) => {
  const { url } = await rig(t);
  const browser = new Browser(url);
  await browser.login('ada');
  const rows: [string, Record<string, string>, number][] = [
    ['the page itself', { origin: url }, 200],
    ['the page itself, as a browser says it where the connection is secure', { 'sec-fetch-site': 'same-origin' }, 200],
    ['another site', { origin: 'https://evil.example' }, 403],
    ['another port of the same host', { origin: 'http://127.0.0.1:1' }, 403],
    ['the same by https', { origin: url.replace('http', 'https') }, 403],
    ['a sandboxed frame', { origin: 'null' }, 403],
    ['a browser that says so', { origin: url, 'sec-fetch-site': 'cross-site' }, 403],
    ['a neighbour of the same domain', { origin: url, 'sec-fetch-site': 'same-site' }, 403],
    ['nobody knows where from', { origin: 'x' }, 403],
  ];
  for (const [what, headers, status] of rows) t.equal((await command(browser, headers)).status, status, what);
  const evil = new Browser(url);
  const answer = await evil.post('/login', { name: 'ada', password: PASSWORD }, { origin: 'https://evil.example' });
  t.equal(answer.status, 403, 'nor is anybody logged in from elsewhere');
});

t.test('wrong passwords: the same answer for everybody, and longer and longer waits', async (t) => {
  const { url, clock, audit } = await rig(t);
  const browser = new Browser(url);
  const texts = new Set<string>();
  for (const name of ['ada', 'nobody', '__proto__', 'constructor']) {
    const answer = await browser.login(name, OTHER);
    t.equal(answer.status, 401, name);
    texts.add(await answer.text());
  }
  t.equal(texts.size, 1, 'nothing tells whether there is such an account');
  for (let i = 0; i < 4; i++) await browser.login('ada', OTHER);
  t.equal((await browser.login('ada', OTHER)).status, 401, 'the sixth');
  const slowed = await browser.login('ada');
  t.equal(slowed.status, 429, 'also the right password has to wait then');
  t.equal(slowed.headers.get('retry-after'), '1');
  t.equal((await browser.login('vic')).status, 303, 'others do not');
  clock.now += 1000;
  t.equal((await browser.login('ada', OTHER)).status, 401);
  t.equal((await browser.login('ada')).headers.get('retry-after'), '2');
  clock.now += 2000;
  t.equal((await browser.login('ada')).status, 303);
  t.equal((await browser.login('ada', OTHER)).status, 401, 'and is forgiven');
  const users = (await audit.last(100)).filter(({ event }) => event === 'login_failed').map(({ user }) => user);
  t.ok(users.includes('(unknown)'));
  t.notOk(users.includes('nobody'), 'a password that was typed into the wrong field is not written down');
});

t.test('many logins at once are answered, and most of them with: later', async (t) => {
  const { url } = await rig(t);
  const all = await Promise.all(Array.from({ length: 60 }, (_, i) => new Browser(url).login(`n${i}`, OTHER)));
  const statuses = all.map(({ status }) => status);
  t.ok(statuses.every((status) => [401, 429, 503].includes(status)));
  t.ok(statuses.filter((status) => status === 401).length <= 11, 'what is tried at once counts at once');
  t.equal((await new Browser(url).get('/healthz')).status, 200);
});

t.test('a session ends: unused, after its time, with its account', async (t) => {
  const { url, clock, file } = await rig(t);
  const seen = async (browser: Browser): Promise<number> => (await browser.get('/api/v1/seen')).status;
  const browser = new Browser(url);
  await browser.login('ada');
  clock.now += 59 * 60_000;
  t.equal(await seen(browser), 200);
  clock.now += 59 * 60_000;
  t.equal(await seen(browser), 200, 'used in time');
  clock.now += 61 * 60_000;
  t.equal(await seen(browser), 401, 'unused');

  await browser.login('ada');
  for (let i = 0; i < 24; i++) {
    clock.now += 59 * 60_000;
    t.equal(await seen(browser), 200);
  }
  clock.now += 3_600_000 / 2;
  t.equal(await seen(browser), 401, 'after a day, however much it was used');

  await browser.login('ada');
  const vic = new Browser(url);
  await vic.login('vic');
  await accountsFile(file, [
    ['ada', 'viewer'],
    ['vic', 'viewer', OTHER],
  ]);
  t.equal(await seen(browser), 401, 'with another role');
  t.equal(await seen(vic), 401, 'with another password');
  t.equal((await vic.login('vic')).status, 401);
  t.equal((await vic.login('vic', OTHER)).status, 303);
  await accountsFile(file, [['ada', 'viewer']]);
  t.equal(await seen(vic), 401, 'without its account');
});

t.test('a login goes on when the edge starts again, and not with an account that has changed', async (t) => {
  const file = join(folder(t), 'sessions.json');
  const warnings: LogEvent[] = [];
  const log = createLog('edge', 'info', { write: (_, event) => warnings.push(event) });
  const sessionFile = new SessionFile(file, log);
  const before = await rig(t, { sessionFile });
  const ada = new Browser(before.url);
  const vic = new Browser(before.url);
  const bob = new Browser(before.url);
  for (const [browser, name] of [
    [ada, 'ada'],
    [vic, 'vic'],
    [bob, 'vic'],
  ] as const) {
    t.equal((await browser.login(name)).status, 303);
  }
  await bob.post('/logout');
  const secret = ada.cookie?.split('=')[1] ?? '';
  t.equal(statSync(file).mode & 0o777, 0o600);
  t.notMatch(readFileSync(file, 'utf8'), secret, 'the id is not in the file');
  t.equal(JSON.parse(readFileSync(file, 'utf8')).sessions.length, 2, 'written at once: power may fail');
  const written = statSync(file).mtimeMs;
  const nobody = new Browser(before.url);
  nobody.cookie = ada.cookie?.replace(/=.*/, '=whatever');
  await nobody.post('/logout');
  t.equal(statSync(file).mtimeMs, written, 'who is not logged in makes no work');

  await before.app.close();
  const { accounts } = before;
  const after = await rig(t, { sessionFile, accounts });
  const again = (browser: Browser) => Object.assign(new Browser(after.url), { cookie: browser.cookie });
  t.match(await (await again(ada).get('/api/v1/seen')).json(), { name: 'ada', role: 'operator' });
  await accountsFile(before.file, [
    ['ada', 'viewer'],
    ['vic', 'viewer'],
  ]);
  t.equal((await again(vic).get('/api/v1/seen')).status, 401, 'the account is another');
  await after.app.close();

  writeFileSync(file, '{"sessions":[{"key":1}]}');
  const damaged = await rig(t, { sessionFile });
  t.equal((await Object.assign(new Browser(damaged.url), { cookie: ada.cookie }).get('/api/v1/seen')).status, 401);
  t.match(warnings, [{ level: 'warn', message: /everybody logs in again/ }]);
});

t.test('an open page ends with its session, and keeps it while it is open', async (t) => {
  const { url, clock } = await rig(t);
  const browser = new Browser(url);
  await browser.login('vic');
  const stream = await browser.get('/api/v1/stream');
  const reader = (stream.body as ReadableStream<Uint8Array>).getReader();
  await reader.read();
  clock.now += 90 * 60_000;
  t.equal((await browser.get('/api/v1/seen')).status, 200, 'open for longer than it may be idle');
  let over = false;
  const end = reader.read().then(
    ({ done }) => {
      over = done;
    },
    () => {
      over = true;
    },
  );
  await browser.post('/logout');
  await end;
  await until(() => over, 'the stream to end');
});

t.test('where passwords must not go in the clear, they are not asked for', async (t) => {
  const { url } = await rig(t, { httpsOnly: true });
  const browser = new Browser(url);
  t.equal((await browser.login('ada')).status, 403);
  t.equal(browser.given, '');
});

t.test('without accounts everybody on this machine is an operator, and other sites are still kept out', async (t) => {
  const { url } = await rig(t, { accounts: undefined });
  const browser = new Browser(url);
  t.same(await (await browser.get('/api/v1/seen')).json(), { name: 'local', role: 'operator' });
  t.equal((await command(browser)).status, 200);
  t.equal((await command(browser, { origin: 'https://evil.example' })).status, 403);
  t.same(await (await browser.get('/api/v1/session')).json(), { name: 'local', role: 'operator', login: false });
});
