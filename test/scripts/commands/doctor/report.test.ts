import { spawnSync } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { list } from 'tar';
import { packageRoot } from '../../../../platform/root.js';
import { compileSchema } from '../../../../protocol/validate.js';
import { writeArchive } from '../../../../scripts/commands/doctor/archive.js';
import { type Check, defineCheck } from '../../../../scripts/commands/doctor/check.js';
import { allChecks } from '../../../../scripts/commands/doctor/checks/index.js';
import type { Known } from '../../../../scripts/commands/doctor/known.js';
import { redactConfig, redactText } from '../../../../scripts/commands/doctor/redact.js';
import { doctorSchema, exitCode, makeReport, verdict } from '../../../../scripts/commands/doctor/report.js';
import { chosen, common, runChecks } from '../../../../scripts/commands/doctor/run.js';
import { noPaint, paintFor, showReport, wrap } from '../../../../scripts/commands/doctor/show.js';
import { run } from '../../../platform/process.js';
import { configFile, device, examine, folder } from './stand-in.js';

const checks = allChecks(undefined);

/** A check that does what it is given. */
const made = (name: string, work: Check['run'], more: Partial<Check> = {}): Check =>
  defineCheck({
    ...{ name, title: name, group: 'device', timeoutMs: 100 },
    findings: {
      fine: { status: 'pass', means: 'fine' },
      bad: { status: 'failure', symptom: 'slow', means: 'bad', todo: 'do `{what}`' },
      odd: { status: 'warning', symptom: 'slow', means: 'odd' },
    },
    run: work,
    ...more,
  });

t.test('every check: its texts say what to do, and what it needs comes before it', (t) => {
  const seen = new Set<string>();
  const ids = new Set<string>();
  for (const check of checks) {
    for (const [id, { status, means, todo }] of Object.entries(check.findings)) {
      t.notOk(ids.has(id), `${id}: one name, one meaning`);
      ids.add(id);
      t.ok(means.endsWith('.'), `${id}: ${means}`);
      if (status !== 'pass') t.ok(todo, `${id}: what to do`);
    }
    for (const name of check.after ?? []) t.ok(seen.has(name), `${check.name} after ${name}`);
    for (const fact of [...(check.needs ?? []), ...(check.uses ?? [])]) {
      t.ok(
        checks.some(({ name, gives }) => gives?.includes(fact) && seen.has(name)),
        `${check.name}: who gives ${fact}`,
      );
    }
    seen.add(check.name);
  }
  t.ok(checks.reduce((sum, { findings }) => sum + Object.keys(findings).length, 0) > 80);
  t.end();
});

t.test('the field guide lists every finding, in the words of the checks', (t) => {
  const guide = readFileSync(join(packageRoot(), 'docs', 'field-guide.md'), 'utf8');
  for (const findings of [...checks.map((check) => check.findings), common]) {
    for (const [id, { means }] of Object.entries(findings)) {
      t.ok(
        guide.includes(`| \`${id}\` |`) && guide.includes(means.replaceAll('|', '\\|')),
        `${id}: if this fails, run "npm run schemas"`,
      );
    }
  }
  t.end();
});

t.test('checks run when what they need is known, side by side, each within its time', async (t) => {
  const env = device(t, {});
  const order: string[] = [];
  const findings = await runChecks(
    [
      made(
        'slow',
        async ({ known, tell }) => {
          await new Promise((resolve) => setTimeout(resolve, 50));
          known.delayMs = 1;
          order.push('slow');
          tell('fine', 'fine');
        },
        { gives: ['delayMs'] },
      ),
      made(
        'needy',
        async ({ tell }) => {
          order.push('needy');
          tell('bad', 'bad', { what: 'this' });
        },
        { needs: ['delayMs'] },
      ),
      made('hopeless', async ({ tell }) => tell('fine', ''), { needs: ['tcpMs'] }),
      made('stuck', () => new Promise(() => {})),
      made('broken', async () => {
        throw new Error('a mistake');
      }),
      made('quick', async ({ tell, atEnd }) => {
        atEnd(() => void order.push('end'));
        order.push('quick');
        tell('odd', 'odd');
      }),
    ],
    env,
    {},
  );
  t.same(order, ['quick', 'slow', 'needy', 'end']);
  t.match(findings, [
    { check: 'slow', id: 'fine' },
    { check: 'needy', id: 'bad', todo: 'do `this`', values: { what: 'this' } },
    { check: 'hopeless', id: 'skipped', status: 'skipped', what: 'see tcpMs' },
    { check: 'stuck', id: 'timeout', status: 'warning', todo: /--only stuck/ },
    { check: 'broken', id: 'check_failed', what: /a mistake/ },
    { check: 'quick', id: 'odd' },
  ]);
  const start = performance.now();
  const late = await runChecks(
    [made('stuck', () => new Promise(() => {}), { timeoutMs: 60_000 })],
    env,
    {},
    () => {},
    50,
  );
  t.match(late, [{ id: 'timeout' }]);
  t.ok(performance.now() - start < 2000, 'the total limit holds for a check of any length');
});

t.test('--only takes along what a check needs', (t) => {
  t.same(
    chosen(checks, ['dns']).map(({ name }) => name),
    ['configuration', 'dns'],
  );
  t.ok(chosen(checks, ['trip']).some(({ name }) => name === 'inference'));
  t.equal(chosen(checks, []).length, checks.length);
  t.throws(() => chosen(checks, ['dsn']), { code: 'usage', message: /did you mean "dns"/ });
  t.end();
});

t.test('verdict and exit code', async (t) => {
  const finding = (id: string, status: 'pass' | 'warning' | 'failure', symptom?: 'slow' | 'silent') => ({
    ...{ id, check: id, group: 'device' as const, status, what: `${id}\nmore`, todo: 'x' },
    ...(symptom && { symptom }),
  });
  const list = [
    finding('a', 'warning', 'slow'),
    finding('b', 'failure', 'slow'),
    finding('c', 'failure', 'slow'),
    finding('d', 'warning', 'silent'),
  ];
  t.match(
    verdict(list),
    [
      { symptom: 'silent', status: 'warning', because: 'd' },
      { symptom: 'slow', status: 'failure', because: 'b', finding: 'b' },
    ],
    'the first failure, else the first warning',
  );
  const code = (...of: (typeof list)[number][]) => exitCode(makeReport(of, {}, { at: 0, seconds: 1 }));
  t.same([code(), code(finding('p', 'pass')), code(list[0]), code(list[0], list[1])], [0, 0, 10, 11]);
});

t.test('the report for people: narrow enough, coloured on terminals alone', async (t) => {
  const { findings, known } = await examine(t, ['login', 'power', 'heat'], {
    config: { broker: { url: 'mqtt://127.0.0.1:1' } },
    programs: { vcgencmd: 'throttled=0x50005' },
  });
  const report = makeReport(findings, known, { at: 0, seconds: 2 });
  const shown = showReport(report, noPaint, 80);
  for (const line of shown.split('\n')) t.ok(line.length <= 80 || !line.trim().includes(' '), line);
  t.match(shown, /\n {2}FAIL {2}tcp {12}127\.0\.0\.1 port 1: connection refused\n {23}The host is there/);
  t.match(shown, /\n {2}skip {2}login {10}see tls\n/);
  t.match(shown, /\nSILENT because 127\.0\.0\.1 port 1: connection refused\n-> .*\n/);
  t.match(shown, /\nSLOW because under-voltage now/);
  t.match(shown, /\n3 failed, 0 warnings, 2 passed, 3 skipped, in 2\.0 s$/);
  t.notOk(shown.includes('\u001b'));
  t.ok(showReport(report, paintFor({ isTTY: true }, {}), 80).includes('\u001b[31mFAIL'));
  t.equal(paintFor({ isTTY: true }, { NO_COLOR: '1' }), noPaint);
  t.equal(paintFor({ isTTY: false }, {}), noPaint);
  t.same(wrap('one two three', 8), ['one two', 'three']);
  t.doesNotThrow(() => compileSchema<unknown>(doctorSchema, 'report', 'message_invalid')(report));
});

t.test('what came over the network does not steer the terminal', (t) => {
  const finding = {
    id: 'x',
    check: 'edge',
    group: 'edge' as const,
    status: 'failure' as const,
    what: 'an \u001b[2Jedge\u0007',
  };
  const shown = showReport(makeReport([finding], {}, { at: 0, seconds: 1 }), noPaint);
  t.notOk(shown.includes('\u001b') || shown.includes('\u0007'));
  t.end();
});

t.test('the command: JSON as its schema says, exit codes, usage', async (t) => {
  const config = configFile(t, { broker: { url: 'mqtt://127.0.0.1:1' } });
  const json = await run('scripts/deepcod.js', ['doctor', '--config', config, '--only', 'tcp', '--json']);
  t.equal(json.code, 11);
  const report = JSON.parse(json.output) as unknown;
  t.doesNotThrow(() => compileSchema<unknown>(doctorSchema, 'report', 'message_invalid')(report));
  t.match(report, { v: 1, device: 'yard', verdict: [{ symptom: 'silent', finding: 'tcp_refused' }] });
  t.match(await run('scripts/deepcod.js', ['doctor', '--only', 'nothing']), { code: 2, output: /no such check/ });
  t.match(await run('scripts/deepcod.js', ['doctor', '--config', config, '--only', 'bundle']), {
    code: 0,
    output: /ok {4}bundle .*\n\nNothing found/,
  });
  const archive = join(folder(t), 'support.tar.gz');
  t.match(await run('scripts/deepcod.js', ['doctor', '--config', config, '--only', 'bundle', '--bundle', archive]), {
    code: 0,
    output: /support\.tar\.gz: \d+ files/,
  });
  t.equal(statSync(archive).mode & 0o777, 0o600);
});

t.test('the archive holds what helps, and none of the secrets', async (t) => {
  const dir = folder(t);
  const secrets = {
    password: 'correct horse/battery+staple',
    inUrl: 'pw-in-url-4711',
    token: 'tok-8d1f9c',
    psk: 'wifi-psk-secret',
    ssid: 'Site Office WLAN',
    key: 'MHcCAQEEIPretendKeyMaterial0123456789abcdef',
    extra: 'api-key-value-99',
  };
  const password_file = join(dir, 'password');
  const key_file = join(dir, 'yard.key');
  writeFileSync(password_file, `${secrets.password}\n`, { mode: 0o600 });
  writeFileSync(key_file, `-----BEGIN EC PRIVATE KEY-----\n${secrets.key}\n-----END EC PRIVATE KEY-----\n`, {
    mode: 0o600,
  });
  const openssl = spawnSync('openssl', [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-keyout',
    join(dir, 'ca.key'),
    '-out',
    join(dir, 'ca.crt'),
    '-subj',
    '/CN=site',
    '-days',
    '9',
  ]);
  if (openssl.error) t.comment('openssl is not installed: certificates are not looked at');
  const file = configFile(t, {
    broker: { url: 'mqtt://127.0.0.1:1', username: 'yard', password_file, key_file, ca_file: join(dir, 'ca.crt') },
  });
  const journal = [
    `connecting to mqtts://yard:${secrets.inUrl}@edge.site:8883`,
    `sent ${secrets.password} by mistake, and ${Buffer.from(secrets.password).toString('base64')}`,
    `wlan0: associated with ${'"'}${secrets.ssid}${'"'}; SSID="${secrets.ssid}" psk=${secrets.psk}`,
    `Authorization: Bearer ${secrets.token}`,
    `{"token":"${secrets.token}","password": '${secrets.inUrl}'}`,
    `-----BEGIN PRIVATE KEY-----\n${secrets.key}\n-----END PRIVATE KEY-----`,
    'ordinary line: 12 frames lost',
  ].join('\n');
  const { findings, known, env } = await examine(t, ['tcp', 'secrets'], {
    file,
    programs: { journalctl: journal, dmesg: journal },
  });
  const text = `${readFileSync(file, 'utf8').slice(0, -1)},"token":"${secrets.token}","list":[{"api_key":"${secrets.extra}"}],"camera":{"url":"rtsp://me:${secrets.inUrl}@cam/1"}}`;
  const planted = join(dir, 'agent.yaml');
  writeFileSync(planted, text);
  known.health = { v: 1, device: 'yard', session: 1, uptime_s: 3 };
  const report = makeReport(findings, known, { at: 0, seconds: 1 });
  const archive = join(dir, 'support.tar.gz');
  const names = await writeArchive(archive, env, known, report, showReport(report, noPaint), planted);
  const contents: Record<string, string> = {};
  await list({
    file: archive,
    onReadEntry: (entry) => {
      contents[entry.path] = '';
      entry.on('data', (chunk) => {
        contents[entry.path] += chunk.toString();
      });
    },
  });
  for (const name of names) t.type(contents[`deepcod-support/${name}`], 'string', name);
  const all = Object.values(contents).join('\n');
  for (const [name, secret] of Object.entries(secrets)) {
    t.notOk(all.includes(secret), `${name} is not in it`);
    t.notOk(all.includes(Buffer.from(secret).toString('base64')), `${name} is not in it as base64`);
  }
  t.match(contents['deepcod-support/agent.log'], /ordinary line: 12 frames lost/);
  t.match(contents['deepcod-support/agent.yaml'], /username: ?"?yard|"username": ?"yard"/);
  t.match(contents['deepcod-support/agent.yaml'], /password_file/, 'where a secret lies is no secret');
  t.match(JSON.parse(contents['deepcod-support/report.json']), { findings: Array });
  t.match(contents['deepcod-support/health.json'], /uptime_s/);
  if (!openssl.error) t.match(contents['deepcod-support/certificates.json'], /CN=site/);
  await t.rejects(writeArchive(join(password_file, 'x.tar.gz'), env, {} as Known, report, '', planted), {
    code: 'archive_unwritable',
    exitCode: 2,
  });
});

t.test('redaction leaves what is harmless', (t) => {
  const plain = 'broker mqtt://edge:1883 away; keyframe 12; passed over 3; tokens_per_s 4; 10:22:01 ok';
  t.equal(redactText(plain), plain);
  t.equal(
    redactConfig('# who\nbroker:\n  url: mqtt://edge # here\n  password_file: /etc/x\n'),
    '# who\nbroker:\n  url: mqtt://edge # here\n  password_file: /etc/x\n',
  );
  t.equal(redactConfig('broken: [\npassword: hush\n'), 'broken: [\npassword: [removed]\n');
  t.end();
});
