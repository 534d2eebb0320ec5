import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import t, { type Test } from 'tap';
import { ApiError, DeepcodClient, operations, type StreamMessage } from '../../client/client.js';
import { Notifier } from '../../edge/rules/notify/notifier.js';
import { Site } from '../../edge/rules/site.js';
import { LiveStore } from '../../edge/store/live.js';
import { buildServer, startWebServer } from '../../edge/web/server.js';
import { silentLog } from '../../platform/log.js';
import { packageRoot } from '../../platform/root.js';
import { openHistory } from '../store/parts.js';

const document = JSON.parse(await readFile(join(packageRoot(), 'docs', 'openapi.json'), 'utf8')) as {
  paths: Record<
    string,
    Record<string, { operationId: string; responses: Record<string, { content?: Record<string, { schema: object }> }> }>
  >;
  components: object;
};

interface Rig {
  url: string;
  store: LiveStore;
  site: Site;
  client: DeepcodClient;
  sent: object[];
  /** Asks, and holds the answer to the document. */
  ask(
    path: string,
    init?: { method?: string; body?: unknown },
  ): Promise<{ status: number; text: string; type: string }>;
}

async function rig(t: Test): Promise<Rig> {
  const store = new LiveStore();
  const history = await openHistory(t);
  const site = await Site.open(history, await Notifier.open(history.database, new Map(), silentLog), silentLog);
  const sent: object[] = [];
  const commands = {
    partition: (device: string, command: object) => sent.push({ device, ...command }) > 0,
    remove: () => true,
  };
  const bundles = new Map([
    ['0011223344556677', { labels: ['head', 'helmet'], choices: [{ partition: 'input', rates: [0, 1] }] }],
  ]);
  const web = await startWebServer({ store, site, commands: commands as never, bundles });
  t.teardown(async () => {
    await web.close();
    await site.close();
  });
  const ask: Rig['ask'] = async (path, { method = 'GET', body } = {}) => {
    const headers = {
      origin: new URL(web.url).origin,
      ...(body !== undefined && { 'content-type': 'application/json' }),
    };
    const response = await fetch(`${web.url}api/v1${path}`, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const type = (response.headers.get('content-type') ?? '').split(';')[0];
    const text = await response.text();
    conforms(t, method, path, response.status, type, text);
    return { status: response.status, text, type };
  };
  return { url: web.url, store, site, client: new DeepcodClient(web.url), sent, ask };
}

const ajv = new Ajv2020({ strict: false });
ajv.addSchema(document, 'api');
const checked = new Set<string>();

/** Whether an answer is one that the document says the route gives. */
function conforms(t: Test, method: string, path: string, status: number, type: string, text: string): void {
  const [plain] = path.split('?', 1) as [string];
  const route = Object.keys(document.paths)
    .sort((a, b) => a.split('{').length - b.split('{').length)
    .find((pattern) =>
      new RegExp(`^${pattern.replace(/[.]/g, '\\.').replace(/\{\w+\}/g, '[^/]+')}$`).test(`/api/v1${plain}`),
    );
  const operation = route && document.paths[route][method.toLowerCase()];
  if (!operation) {
    t.ok(status === 404 || status === 405, `${method} ${path} is not in the document`);
    return;
  }
  const key = status < 400 ? `${status}` : `${Math.floor(status / 100)}XX`;
  const response = operation.responses[key];
  if (!response) {
    t.fail(`${method} ${path}: ${status} is not in the document`);
    return;
  }
  if (status < 400) checked.add(operation.operationId);
  if (!response.content) {
    t.equal(text, '', `${method} ${path}: nothing is answered`);
    return;
  }
  t.ok(response.content[type], `${method} ${path}: ${type}`);
  if (!type.endsWith('json')) return;
  const pointer = [
    'paths',
    route.replaceAll('~', '~0').replaceAll('/', '~1'),
    method.toLowerCase(),
    'responses',
    key,
    'content',
    type.replaceAll('/', '~1'),
    'schema',
  ];
  const check = ajv.compile({ $ref: `api#/${pointer.map(encodeURIComponent).join('/')}` });
  t.ok(check(JSON.parse(text)), `${method} ${path} ${status}: ${ajv.errorsText(check.errors)}`);
}

const result = (frame: number, label = 'head', score = 0.9) => ({
  ...{ v: 1 as const, session: 1, frame, bundle: '0011223344556677', partition: 'input', rate: 1, worker: 'edge-1' },
  ...{
    width: 100,
    height: 100,
    detections: [{ class: 0, label, score, box: [10, 10, 20, 20] as [number, number, number, number] }],
  },
  edge_ms: { queue: 1, decode: 1, tail: 1, post: 1, total: 4 },
});

function feed({ store, site }: Rig, camera: string, frame: number, at: number, label?: string): void {
  const located = site.locate(camera, result(frame, label));
  store.onResult(camera, located, 1000);
  site.onAnswer(camera, located, 1000, undefined, at);
}

t.test('every route but the page’s files is in the document, each with its role', async (t) => {
  const { app, endStreams } = await buildServer({ store: new LiveStore() });
  t.teardown(() => {
    endStreams();
    return app.close();
  });
  await app.ready();
  const known = new Set(
    Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    ),
  );
  t.same(
    known,
    new Set(Object.values(operations).map(({ method, path }) => `${method} ${path}`)),
    'and the client knows them all',
  );
  for (const entry of known) {
    const [method, path] = entry.split(' ') as ['GET', string];
    t.ok(app.hasRoute({ method, url: path.replace(/\{(\w+)\}/g, ':$1') }), entry);
  }
});

t.test(
  'all that staff do: zones, rules, events, alerts, retention; every answer is what the document says',
  async (t) => {
    const r = await rig(t);
    const start = Date.now();
    r.store.onHealth('gate', {
      v: 1,
      device: 'gate',
      session: 1,
      uptime_s: 5,
      fps: 4,
      bundle: { id: '0011223344556677', name: 'worksite' },
      steps_ms: { total: 40 },
      drops: { slow: 2 },
    });

    const zone = {
      camera: 'gate',
      name: 'Crane',
      kind: 'zone',
      points: [
        [0, 0],
        [0.5, 0],
        [0.5, 0.5],
        [0, 0.5],
      ],
    };
    const made = await r.ask('/zones', { method: 'POST', body: zone });
    t.equal(made.status, 201);
    const { id } = JSON.parse(made.text) as { id: string };
    t.match(JSON.parse((await r.ask('/zones', { method: 'POST', body: zone })).text), {
      status: 422,
      code: 'zone_exists',
    });
    t.match(JSON.parse((await r.ask('/zones', { method: 'POST', body: { ...zone, colour: 1 } })).text), {
      status: 400,
      detail: /unknown key "colour"/,
    });
    t.match(JSON.parse((await r.ask('/zones', { method: 'POST', body: { ...zone, kind: 'hole' } })).text), {
      status: 400,
      detail: /zone, mask/,
    });
    t.equal((await r.ask(`/zones/${id}`, { method: 'PUT', body: { ...zone, name: 'Große Tür' } })).status, 200);
    t.match(JSON.parse((await r.ask('/zones?camera=gate')).text), { zones: [{ name: 'Große Tür', anchor: 'foot' }] });
    t.equal((await r.ask('/zones/none', { method: 'PUT', body: zone })).status, 404);

    const draft = { name: 'Bare', type: 'no_helmet', seconds: 1, zone: 'Große Tür', notify: ['mqtt'] };
    const rule = JSON.parse((await r.ask('/rules', { method: 'POST', body: draft })).text) as { id: string };
    t.match(JSON.parse((await r.ask(`/rules/${rule.id}`)).text), {
      enabled: true,
      severity: 'warning',
      cooldown_s: 60,
    });
    t.equal((await r.ask('/rules', { method: 'POST', body: { ...draft, type: 'count' } })).status, 422);
    t.equal(
      (await r.ask('/rules', { method: 'POST', body: { ...draft, seconds: '1' } })).status,
      400,
      'a body is what it is',
    );
    t.equal(
      (await r.ask(`/rules/${rule.id}`, { method: 'PUT', body: { ...draft, severity: 'critical' } })).status,
      200,
    );
    t.match(JSON.parse((await r.ask('/rules')).text), { rules: [{ severity: 'critical' }] });

    for (let i = 0; i < 8; i++) feed(r, 'gate', i, start + i * 250);
    feed(r, 'yard', 1, start, '=cmd()');
    feed(r, 'yard', 2, start + 100, '=cmd()');
    const [event] = (
      await r.client.call('listEvents', { query: { camera: 'gate' } }).then(async () => {
        await r.site.history.flush();
        return r.client.call('listEvents', { query: { camera: 'gate', zone: 'Große Tür' } });
      })
    ).events;
    t.match(event, { label: 'head', zones: ['Große Tür'], snapshot: false });
    r.site.history.savePicture(event.id, Buffer.from([0xff, 0xd8, 0xff]));
    await r.site.history.pictures.close();
    t.match(JSON.parse((await r.ask(`/events/${event.id}`)).text), { snapshot: true });
    t.match(await r.ask(`/events/${event.id}/snapshot`), { status: 200, type: 'image/jpeg' });
    t.equal((await r.ask('/events/none/snapshot')).status, 404);
    t.match(JSON.parse((await r.ask('/events?limit=1')).text), { events: [{}], next: String });
    t.equal((await r.ask('/events?cursor=junk')).status, 422);
    const csv = await r.ask('/events.csv?camera=yard');
    t.match(csv, { status: 200, type: 'text/csv' });
    t.match(csv.text, /^id,camera,class,.*\r\n[^,]+,yard,'=cmd\(\),/, 'no formula runs in a spreadsheet');

    const { alerts } = JSON.parse((await r.ask('/alerts?state=open')).text) as { alerts: { id: string }[] };
    t.match(alerts, [
      {
        camera: 'gate',
        severity: 'critical',
        zone: 'Große Tür',
        event: event.id,
        snapshot: true,
        message: /without a helmet/,
      },
    ]);
    t.match(JSON.parse((await r.ask('/cameras')).text), {
      cameras: [{ name: 'gate', state: 'online', open_alerts: 1 }, { name: 'yard' }],
    });
    t.match(
      JSON.parse((await r.ask(`/alerts/${alerts[0].id}/acknowledge`, { method: 'POST', body: { note: 'seen' } })).text),
      { state: 'acknowledged', by: 'local', note: 'seen' },
    );
    for (let i = 8; i < 12; i++) feed(r, 'gate', i, start + i * 250);
    r.site.tick(start + 60_000);
    await r.site.history.flush();
    t.match(
      JSON.parse((await r.ask(`/alerts/${alerts[0].id}`)).text),
      { state: 'acknowledged', ended: Number },
      'what people said stays',
    );
    t.equal((await r.ask(`/alerts/${alerts[0].id}/snapshot`)).status, 200);
    t.match(JSON.parse((await r.ask(`/alerts/${alerts[0].id}/close`, { method: 'POST', body: {} })).text), {
      state: 'closed',
    });
    t.match(JSON.parse((await r.ask('/cameras/gate')).text), {
      open_alerts: 0,
      labels: ['head', 'helmet'],
      steps_ms: { total: 40 },
      drops: { slow: 2 },
    });
    t.equal((await r.ask('/alerts/none/close', { method: 'POST', body: {} })).status, 404);

    r.site.tick(start + 120_000);
    await r.site.history.flush();
    t.match(JSON.parse((await r.ask(`/cameras/gate/samples?from=${start - 60_000}&to=${start + 60_000}`)).text), {
      step_s: 60,
      samples: [{ counts: { head: { max: 1 } }, steps_ms: { tail: 1 } }],
    });
    t.match(JSON.parse((await r.ask('/cameras/gate/samples?step_s=3600')).text), { step_s: 3600 });
    t.match(JSON.parse((await r.ask('/cameras/gate/changes')).text), { changes: [{ partition: 'input', rate: 1 }] });
    t.equal((await r.ask('/cameras/gate/picture')).status, 404);
    t.equal((await r.ask('/cameras/none')).status, 404);
    t.match(
      await r.ask('/cameras/gate/commands/partition', { method: 'POST', body: { partition: 'stage1', rate: 2 } }),
      { status: 202 },
    );
    t.same(r.sent, [{ device: 'gate', partition: 'stage1', rate: 2 }]);
    t.equal(
      (await r.ask('/cameras/gate/commands/partition', { method: 'POST', body: { partition: 'a/b' } })).status,
      400,
    );

    const retention = { days: 7, megabytes: 50, snapshot_days: 3, snapshot_megabytes: 20 };
    t.same(JSON.parse((await r.ask('/settings/retention', { method: 'PUT', body: retention })).text), retention);
    t.same(JSON.parse((await r.ask('/settings/retention')).text), retention);
    t.equal((await r.ask('/settings/retention', { method: 'PUT', body: { ...retention, days: 0 } })).status, 400);
    t.match(JSON.parse((await r.ask('/status')).text), { database: 'sqlite', dropped: 0, commands: true });
    t.same(JSON.parse((await r.ask('/labels')).text), { labels: ['head', 'helmet'] });
    t.equal((await r.ask(`/zones/${id}`, { method: 'DELETE' })).status, 204);
    t.equal((await r.ask(`/rules/${rule.id}`, { method: 'DELETE' })).status, 204);
    t.equal((await r.ask('/nothing')).status, 404);
    t.equal((await r.ask('/events', { method: 'DELETE' })).status, 405);
    t.equal((await r.ask('/cameras/gate', { method: 'DELETE' })).status, 409, 'a camera that is there stays');
    t.equal((await r.ask('/cameras/sold', { method: 'DELETE' })).status, 204);

    const binary = ['getPicture', 'stream', 'liveState', 'liveEvents', 'livePicture', 'liveShown'];
    t.same(
      Object.keys(operations).filter((operation) => !checked.has(operation) && !binary.includes(operation)),
      [],
      'no operation was left out',
    );
  },
);

t.test('masked detections count for nothing, and are flagged live', async (t) => {
  const r = await rig(t);
  await r.client.call('createZone', {
    body: {
      camera: 'gate',
      name: 'Poster',
      kind: 'mask',
      points: [
        [0, 0],
        [1, 0],
        [1, 1],
        [0, 1],
      ],
    },
  });
  for (let i = 0; i < 5; i++) feed(r, 'gate', i, Date.now() + i);
  await r.site.history.flush();
  t.same((await r.client.call('listEvents', {})).events, []);
  t.match(r.store.device('gate')?.shown(Date.now())?.detections, [{ masked: true }]);
  t.same(r.store.device('gate')?.trips.at(-1)?.found, {});
});

t.test('the stream tells of cameras, events, alerts and settings; the client reads it', async (t) => {
  const r = await rig(t);
  const stop = new AbortController();
  const heard: StreamMessage[] = [];
  const reading = (async () => {
    for await (const message of r.client.stream(stop.signal)) heard.push(message);
  })().catch(() => {});
  const until = async (what: (message: StreamMessage) => boolean) => {
    for (let i = 0; i < 500 && !heard.some(what); i++) await new Promise((done) => setTimeout(done, 20));
    t.ok(heard.some(what), what.toString());
  };
  await until((m) => m.event === 'cameras' && m.data.cameras.length === 0);
  await r.client.call('createRule', { body: { name: 'Any', type: 'presence', seconds: 0 } });
  for (let i = 0; i < 3; i++) feed(r, 'gate', i, Date.now() + i);
  await until((m) => m.event === 'settings' && m.data.changed === 'rules');
  await until((m) => m.event === 'event' && m.data.type === 'new' && m.data.after.camera === 'gate');
  await until((m) => m.event === 'alert' && m.data.type === 'new');
  await until((m) => m.event === 'cameras' && m.data.cameras[0]?.open_alerts === 1);
  stop.abort();
  await reading;
});

t.test('what goes wrong is an ApiError with the problem; without a history the routes say so', async (t) => {
  const web = await startWebServer({ store: new LiveStore() });
  t.teardown(() => web.close());
  const client = new DeepcodClient(web.url);
  await t.rejects(client.call('listEvents', {}), { name: 'ApiError', problem: { status: 503, code: 'no_history' } });
  await t.rejects(client.call('choosePartition', { params: { camera: 'x' }, body: { partition: 'auto' } }), {
    name: 'ApiError',
    problem: { status: 403, code: 'commands_off' },
  });
  t.ok(new ApiError({ type: '', title: '', status: 400, code: 'x', detail: 'y' }) instanceof Error);
  t.match(await client.call('getStatus'), { database: 'none' });
});
