import { writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { LiveStore } from '../../edge/store/live.js';
import { readPage } from '../../edge/web/files.js';
import { Seats } from '../../edge/web/seats.js';
import { type LiveWeb, startWebServer, type WebOptions } from '../../edge/web/server.js';
import { SnapshotMaker } from '../../edge/web/snapshots.js';

async function serve(t: Test, options: Partial<WebOptions> = {}): Promise<LiveWeb> {
  const web = await startWebServer({ store: new LiveStore(), ...options });
  t.teardown(() => web.close());
  return web;
}

/** Sends bytes as they are: fetch() would tidy them up. */
function raw(url: string, text: string): Promise<string> {
  return new Promise((done, fail) => {
    const { port, hostname } = new URL(url);
    let answer = '';
    const socket = connect(Number(port), hostname, () => socket.write(text));
    socket.setEncoding('latin1').on('data', (data: string) => {
      answer += data;
    });
    socket.on('close', () => done(answer)).on('error', fail);
  });
}

const get = (path: string, host = '127.0.0.1'): string =>
  `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;

function answer(store: LiveStore, device: string, frame: number, boxes = 1): void {
  store.onResult(device, {
    v: 1,
    session: 1,
    frame,
    bundle: '0011223344556677',
    partition: 'input',
    rate: 0,
    worker: 'edge-1',
    width: 1280,
    height: 720,
    detections: Array.from({ length: boxes }, () => ({ class: 0, label: 'head', score: 0.9, box: [1, 2, 3, 4] })),
    edge_ms: { queue: 1, decode: 1, tail: 1, post: 1, total: 4 },
  });
}

interface Message {
  devices: { name: string; trips: { frame: number }[] }[];
  gone?: string[];
  workers?: { name: string }[];
}

/** Reads a stream of server-sent events, one message at a time. */
async function listen(t: Test, web: LiveWeb): Promise<() => Promise<Message>> {
  const stop = new AbortController();
  t.teardown(() => stop.abort());
  const response = await fetch(`${web.url}api/events`, { signal: stop.signal });
  t.equal(response.status, 200);
  t.match(response.headers.get('content-type'), 'text/event-stream');
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const decoder = new TextDecoder();
  let text = '';
  return async () => {
    for (;;) {
      const end = text.indexOf('\n\n');
      if (end >= 0) {
        const message = text.slice(0, end);
        text = text.slice(end + 2);
        return JSON.parse(message.replace(/^data: /, '')) as Message;
      }
      const { value, done } = await reader.read();
      if (done) throw new Error('the stream ended');
      text += decoder.decode(value, { stream: true });
    }
  };
}

/** Where the page's script lies. */
const scriptOf = async (url: string): Promise<string> =>
  /src="([^"]+main\.js)"/.exec(await (await fetch(url)).text())?.[1] as string;

t.test('the page and its files, with a policy that allows nothing inline and nothing from elsewhere', async (t) => {
  const web = await serve(t);
  t.match(web.url, /^http:\/\/127\.0\.0\.1:\d+\/$/, 'loopback unless told otherwise');
  const page = await fetch(web.url);
  const html = await page.text();
  t.equal(page.status, 200);
  t.match(page.headers.get('content-type'), 'text/html');
  const policy = page.headers.get('content-security-policy') ?? '';
  t.match(policy, "default-src 'none'");
  t.notMatch(policy, 'unsafe-inline');
  t.equal(page.headers.get('x-content-type-options'), 'nosniff');
  t.equal(page.headers.get('x-frame-options'), 'DENY');
  t.notMatch(html, /<script(?![^>]*\bsrc=)/, 'no inline script');
  t.notMatch(html, /\s(style|on[a-z]+)=/, 'no inline style, no inline handler');
  t.notMatch(html, /(src|href)="(https?:)?\/\//, 'nothing from elsewhere');

  const tag = page.headers.get('etag') as string;
  const again = await fetch(web.url, { headers: { 'if-none-match': tag } });
  t.equal(again.status, 304);
  const files = [...html.matchAll(/(?:src|href)="([\w-]+\/[a-z./-]+)"/g)].map(([, file]) => file as string);
  t.ok(files.length > 40, 'styles, and every module at once');
  for (const file of files) {
    const response = await fetch(`${web.url}${file}`);
    t.equal(response.status, 200, file);
    t.match(response.headers.get('cache-control'), 'immutable', `${file} is asked for once`);
    await response.arrayBuffer();
  }
  t.equal(page.headers.get('cache-control'), 'no-cache', 'the index is asked for each time');
});

t.test('files come packed as the browser takes them', async (t) => {
  const web = await serve(t);
  const script = `${web.url}${await scriptOf(web.url)}`;
  const get = async (accepted: string) => {
    const response = await fetch(script, { headers: { 'accept-encoding': accepted } });
    t.equal(response.headers.get('vary'), 'accept-encoding');
    return { packed: response.headers.get('content-encoding'), text: await response.text() };
  };
  const plain = await get('identity');
  t.equal(plain.packed, null);
  for (const [accepted, packed] of [
    ['gzip, deflate, br', 'br'],
    ['gzip, br;q=0', 'gzip'],
    ['gzip;q=0, brotli', null],
  ] as const)
    t.same(await get(accepted), { packed, text: plain.text }, accepted);
});

t.test('a change of any file changes the address of all, and the index', async (t) => {
  const folder = t.testdir({
    'index.html': '<head></head><script src="main.js">',
    'main.js': 'import "./a.js"',
    'a.js': '1',
  });
  const before = await readPage(folder);
  t.same([...(await readPage(folder)).keys()], [...before.keys()], 'the same files, the same addresses');
  await writeFile(join(folder, 'a.js'), '2');
  const after = await readPage(folder);
  t.equal([...after.keys()].filter((path) => before.has(path)).join(), '/');
  t.not(after.get('/')?.tag, before.get('/')?.tag);
});

t.test('every module that a script of the page imports is there', async (t) => {
  const web = await serve(t);
  const seen = new Set<string>();
  const follow = async (file: string): Promise<void> => {
    if (seen.has(file)) return;
    seen.add(file);
    const response = await fetch(`${web.url}${file}`);
    t.equal(response.status, 200, file);
    t.match(response.headers.get('content-type'), 'text/javascript');
    for (const [, next] of (await response.text()).matchAll(/ from '(\.[^']+)'/g)) {
      await follow(new URL(next as string, `${web.url}${file}`).pathname.slice(1));
    }
  };
  await follow(await scriptOf(web.url));
  t.ok(seen.size > 40);
});

t.test('no path leads out of the page', async (t) => {
  const web = await serve(t);
  for (const path of [
    '/../server.ts',
    '/..%2fserver.ts',
    '/%2e%2e/%2e%2e/package.json',
    '//etc/passwd',
    '/..\\..\\package.json',
    '/index.html/../../../package.json',
    '/api/devices/..%2f..%2fx/shown',
    '/api/devices/a.b/picture',
    '/constructor',
    '/__proto__',
    'http://127.0.0.1/../package.json',
  ]) {
    const text = await raw(web.url, get(path));
    t.match(text, /^HTTP\/1\.1 404/, path);
    t.notMatch(text, 'dependencies');
  }
  t.match(await raw(web.url, 'GARBAGE\r\n\r\n'), /^$|400/, 'what is no HTTP is hung up on');
  t.match(await raw(web.url, get('/healthz')), /ok\n$/, 'and the server is well');
});

t.test('only GET and HEAD; only this machine’s own names while it serves only this machine', async (t) => {
  const web = await serve(t);
  const post = await fetch(`${web.url}api/state`, { method: 'POST', body: 'x' });
  t.equal(post.status, 405);
  t.equal(post.headers.get('allow'), 'GET, HEAD');
  const head = await fetch(`${web.url}api/state`, { method: 'HEAD' });
  t.equal(head.status, 200);
  t.equal(await head.text(), '');
  t.match(await raw(web.url, get('/api/state', 'evil.example:80')), /^HTTP\/1\.1 421/, 'a rebound name is refused');
  t.match(await raw(web.url, get('/api/state', 'localhost:1234')), /^HTTP\/1\.1 200/);
  t.match(await raw(web.url, get('/api/state', 'evil.127.0.0.1.example')), /^HTTP\/1\.1 421/);
});

t.test('boxes and picture of one frame come together', async (t) => {
  const store = new LiveStore();
  const web = await serve(t, { store });
  t.equal((await fetch(`${web.url}api/devices/cam/shown`)).status, 404);
  const end = store.subscribe(() => {});
  const maker = new SnapshotMaker(store);
  const pixels = { data: new Uint8Array(64 * 36 * 3).fill(200), width: 64, height: 36 };
  t.ok(maker.offer('cam', { session: 1, frame: 9 }, pixels));
  t.notOk(maker.offer('cam', { session: 1, frame: 10 }, pixels), 'ten a second are enough');
  answer(store, 'cam', 9, 300);
  while (!store.device('cam')?.shown(Date.now())?.snapshot) await new Promise((done) => setTimeout(done, 5));
  const body = await (await fetch(`${web.url}api/devices/cam/shown`)).arrayBuffer();
  const length = new DataView(body).getUint32(0, true);
  const shown = JSON.parse(Buffer.from(body, 4, length).toString()) as {
    frame: number;
    detections: unknown[];
    total: number;
  };
  t.match(shown, {
    frame: 9,
    width: 1280,
    height: 720,
    total: 300,
    answered: true,
    picture: { type: 'image/jpeg', width: 64 },
  });
  t.equal(shown.detections.length, 200, 'a bounded number of boxes');
  t.same([...new Uint8Array(body, 4 + length, 3)], [0xff, 0xd8, 0xff], 'then a JPEG');
  const picture = await fetch(`${web.url}api/devices/cam/picture`);
  t.equal(picture.headers.get('content-type'), 'image/jpeg');
  t.equal(picture.headers.get('cache-control'), 'no-store');
  t.equal((await picture.arrayBuffer()).byteLength, body.byteLength - 4 - length);
  end();
  t.notOk(maker.offer('cam', { session: 1, frame: 11 }, pixels), 'nobody looks: no picture is made');
});

t.test('a letterboxed input loses its border', async (t) => {
  const store = new LiveStore();
  store.subscribe(() => {});
  const maker = new SnapshotMaker(store);
  const spec = { width: 32, height: 32, letterbox: { align: 'center' as const, pad: 114 } };
  const input = new Uint8Array(32 * 32 * 3).fill(114);
  input.fill(250, 8 * 32 * 3, 24 * 32 * 3);
  t.ok(maker.offerInput('cam', { session: 1, frame: 1 }, spec, { width: 64, height: 32 }, input));
  while (!store.device('cam')?.shown(Date.now())) await new Promise((done) => setTimeout(done, 5));
  t.match(store.device('cam')?.shown(Date.now())?.snapshot, { width: 32, height: 16, from: 'input' });
  t.notOk(
    maker.offerInput('cam', { session: 1, frame: 2 }, spec, { width: 64, height: 32 }, new Uint8Array(5)),
    'a wrong size is refused',
  );
});

t.test('the stream: all at first, then what changed, then what is gone', async (t) => {
  const store = new LiveStore({ devices: 2 });
  const web = await serve(t, { store });
  answer(store, 'a', 1);
  answer(store, 'b', 1);
  store.onEdgeStatus('edge-1', { online: true });
  const next = await listen(t, web);
  t.ok(store.watched, 'somebody looks');
  const first = await next();
  t.same(
    first.devices.map((d) => d.name),
    ['a', 'b'],
  );
  t.match(first.workers, [{ name: 'edge-1' }]);
  answer(store, 'b', 2);
  answer(store, 'b', 3);
  const second = await next();
  t.match(second, { devices: [{ name: 'b', trips: [{ frame: 2 }, { frame: 3 }] }] });
  t.equal(second.devices.length, 1);
  t.equal(second.devices[0]?.trips.length, 2, 'only the new trips');
  answer(store, 'c', 1);
  t.match(await next(), { devices: [{ name: 'c' }], gone: ['a'] });
});

t.test('hundreds of devices come in portions', async (t) => {
  const store = new LiveStore();
  for (let i = 0; i < 200; i++) answer(store, `cam-${i}`, 1);
  const web = await serve(t, { store });
  const next = await listen(t, web);
  const names = new Set<string>();
  let messages = 0;
  while (names.size < 200) {
    const { devices } = await next();
    messages++;
    t.ok(devices.length <= 64);
    for (const { name } of devices) names.add(name);
  }
  t.equal(messages, 4);
});

t.test('too many pages are turned away, and a place becomes free again', async (t) => {
  const web = await serve(t, { seats: new Seats({ all: 2, user: 3 }) });
  const stops = [new AbortController(), new AbortController()];
  for (const stop of stops) t.equal((await fetch(`${web.url}api/events`, { signal: stop.signal })).status, 200);
  const third = await fetch(`${web.url}api/events`);
  t.equal(third.status, 503);
  t.ok(third.headers.get('retry-after'));
  await third.text();
  stops[0]?.abort();
  for (let tries = 0; ; tries++) {
    const stop = new AbortController();
    const { status, body } = await fetch(`${web.url}api/events`, { signal: stop.signal });
    if (status === 200 || tries > 100) {
      t.equal(status, 200);
      stop.abort();
      break;
    }
    await body?.cancel();
    await new Promise((done) => setTimeout(done, 10));
  }
  stops[1]?.abort();
});

t.test('a page that stops reading costs bounded memory and does not stop the others', async (t) => {
  const store = new LiveStore();
  const web = await serve(t, { store });
  const { port } = new URL(web.url);
  const slow = await new Promise<Socket>((done) => {
    const socket = connect(Number(port), '127.0.0.1', () => {
      socket.write('GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n');
      socket.pause();
      done(socket);
    });
  });
  t.teardown(() => slow.destroy());
  const next = await listen(t, web);
  await next().catch(() => {});
  const before = process.memoryUsage().heapUsed + process.memoryUsage().external;
  // about 100 KB a message, far more than the slow page's socket takes
  const long = 'x'.repeat(900);
  for (let round = 0; round < 60; round++) {
    for (let d = 0; d < 60; d++) {
      store.onHealth(`cam-${d}`, {
        v: 1,
        device: `cam-${d}`,
        session: 1,
        uptime_s: round,
        drops: { [long]: round },
      });
    }
    await next();
  }
  const grown = process.memoryUsage().heapUsed + process.memoryUsage().external - before;
  t.ok(grown < 48e6, `${Math.round(grown / 1e6)} MB`);
});

t.test('a taken port is named, with what to do', async (t) => {
  const web = await serve(t);
  const port = Number(new URL(web.url).port);
  await t.rejects(startWebServer({ store: new LiveStore(), port }), {
    code: 'web_port',
    message: new RegExp(`${port}`),
    exitCode: 2,
  });
});

t.test('closing frees the port although pages are open', async (t) => {
  const web = await startWebServer({ store: new LiveStore() });
  const response = await fetch(`${web.url}api/events`);
  await web.close();
  await t.rejects(fetch(web.url));
  await response.text().catch(() => {});
});

t.test('a page for programs', async (t) => {
  const store = new LiveStore();
  answer(store, 'cam', 5);
  const web = await serve(t, { store });
  t.match(await (await fetch(`${web.url}api/state`)).json(), {
    devices: [
      { name: 'cam', online: true, trips: [{ frame: 5 }], shown: { frame: 5, detections: [{ label: 'head' }] } },
    ],
    workers: [],
  });
});
