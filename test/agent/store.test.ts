import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import fs, { open } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { encodeRecord, scanRecords } from '../../agent/store/record.js';
import { ResultStore } from '../../agent/store/store.js';
import { createLog, type LogEvent } from '../../platform/log.js';

interface Opened {
  store: ResultStore;
  lost: Record<string, number>;
  events: LogEvent[];
}

function opened(folder: string, megabytes = 1): Opened {
  const lost: Record<string, number> = {};
  const events: LogEvent[] = [];
  const log = createLog('results', 'debug', { write: (_, event) => events.push(event) });
  const count = (cause: string, n: number) => {
    lost[cause] = (lost[cause] ?? 0) + n;
  };
  return { store: new ResultStore(folder, megabytes * 2 ** 20, count, log), lost, events };
}

/** All that is kept, in order; `remove` takes it away too. */
async function read(store: ResultStore, remove = false): Promise<string[]> {
  const texts: string[] = [];
  for (let last = 0; ; ) {
    const record = await store.next(last);
    if (!record) return texts;
    texts.push(record.payload.toString());
    last = record.sequence;
    if (remove) await store.remove(last);
  }
}

const append = async (store: ResultStore, texts: string[]): Promise<void> => {
  for (const text of texts) await store.append(Buffer.from(text));
};
const segments = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.results'))
    .sort()
    .map((name) => join(folder, name));
const bytesIn = (folder: string): number =>
  readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
const texts = Array.from({ length: 5 }, (_, i) => `${i}:${'ä'.repeat(i)}`);

t.test('first in, first out, over restarts; an empty store leaves no segments', async (t) => {
  const folder = join(t.testdir({}), 'made', 'when needed');
  const first = opened(folder);
  t.equal(first.store.empty, false, 'nobody knows yet what is there');
  await append(first.store, texts.slice(0, 4));
  t.equal(first.store.waiting, 4);
  const [oldest] = await read(first.store);
  t.equal(oldest, texts[0]);
  await first.store.remove(1);
  await first.store.close();

  const second = opened(folder);
  await append(second.store, texts.slice(4));
  t.equal(second.store.waiting, 4);
  t.same(await read(second.store, true), texts.slice(1));
  t.ok(second.store.empty);
  t.same(segments(folder), []);
  await append(second.store, ['more']);
  await second.store.close();

  const third = opened(folder);
  t.same(await read(third.store, true), ['more'], 'what was removed does not come again');
  await third.store.close();
  t.same([first.lost, second.lost, third.lost], [{}, {}, {}]);
});

t.test('cut at every byte: what was whole is there, nothing else, and what follows is kept', async (t) => {
  const source = join(t.testdir({}), 'source');
  const { store } = opened(source);
  await append(store, texts);
  await store.remove(1);
  await store.remove(2);
  await store.close();
  const [segment] = segments(source);
  const content = readFileSync(segment);
  const ends = texts.map((_, i) => texts.slice(0, i + 1).reduce((sum, text) => sum + 18 + Buffer.byteLength(text), 0));
  t.equal(content.length, ends.at(-1));
  const folder = join(t.testdirName, 'cut');
  let wrong = 0;
  for (let size = 0; size <= content.length; size++) {
    cpSync(source, folder, { recursive: true });
    writeFileSync(join(folder, '000000000001.results'), content.subarray(0, size));
    const whole = ends.filter((end) => end <= size).length;
    const torn = size > (ends[whole - 1] ?? 0) ? 1 : 0;
    const { store, lost } = opened(folder);
    await store.append(Buffer.from('after'));
    const expected = [...texts.slice(2, Math.max(2, whole)), 'after'];
    const got = await read(store);
    if (JSON.stringify(got) !== JSON.stringify(expected) || (lost.store_damaged ?? 0) !== torn) wrong++;
    await store.close();
    const again = opened(folder);
    if (JSON.stringify(await read(again.store)) !== JSON.stringify(expected)) wrong++;
    if (again.lost.store_damaged !== undefined) wrong++;
    await again.store.close();
    rmSync(folder, { recursive: true });
  }
  t.equal(wrong, 0, `of ${content.length + 1} lengths`);
});

t.test('every byte damaged: only its own record is gone, and it is counted', async (t) => {
  const source = join(t.testdir({}), 'source');
  const { store } = opened(source);
  await append(store, texts);
  await store.close();
  const content = readFileSync(segments(source)[0]);
  const folder = join(t.testdirName, 'damaged');
  let wrong = 0;
  for (let at = 0; at < content.length; at++) {
    mkdirSync(folder);
    const damaged = Buffer.from(content);
    damaged[at] ^= 1 << (at % 8);
    writeFileSync(join(folder, '000000000001.results'), damaged);
    const { store, lost } = opened(folder);
    const got = await read(store, true);
    const missing = texts.filter((text) => !got.includes(text));
    if (missing.length !== 1 || JSON.stringify([...got, ...missing].sort()) !== JSON.stringify(texts)) wrong++;
    if (JSON.stringify(got) !== JSON.stringify([...got].sort()) || lost.store_damaged !== 1) wrong++;
    await store.close();
    rmSync(folder, { recursive: true });
  }
  t.equal(wrong, 0, `of ${content.length} bytes`);
});

t.test('the position cut at every byte, or damaged: records may come again, each once and whole', async (t) => {
  const source = join(t.testdir({}), 'source');
  const { store } = opened(source);
  await append(store, texts);
  await store.remove(1);
  await store.remove(2);
  await store.close();
  const position = readFileSync(join(source, 'position'));
  const folder = join(t.testdirName, 'position');
  const variants = Array.from({ length: position.length }, (_, size) => position.subarray(0, size));
  for (let at = 0; at < position.length; at++) {
    const flipped = Buffer.from(position);
    flipped[at] ^= 1;
    variants.push(flipped);
  }
  for (const variant of [...variants, position]) {
    cpSync(source, folder, { recursive: true });
    writeFileSync(join(folder, 'position'), variant);
    writeFileSync(join(folder, 'position.part'), 'half of');
    const { store } = opened(folder);
    const got = await read(store);
    const expected = variant === position ? texts.slice(2) : texts;
    if (JSON.stringify(got) !== JSON.stringify(expected)) t.fail(`with position ${variant.toString('latin1')}`);
    await store.close();
    rmSync(folder, { recursive: true });
  }
  t.pass(`${variants.length} damaged positions`);
});

t.test('what is repeated, swapped or foreign in a segment', async (t) => {
  const record = (n: number) => encodeRecord(n, Buffer.from(`text ${n}`));
  const folder = t.testdir({ 'notes.txt': 'not ours', '000000000009.results': {} });
  writeFileSync(join(folder, '000000000001.results'), Buffer.concat([record(1), record(2), record(1), record(3)]));
  const zeros = Buffer.alloc(600);
  writeFileSync(join(folder, '000000000002.results'), Buffer.concat([record(2), zeros, record(6), zeros]));
  const { store, lost } = opened(folder);
  t.same(await read(store, true), ['text 1', 'text 2', 'text 3', 'text 6']);
  t.same(lost, { store_damaged: 3 }, 'two missing before 6, and a tail');
  await store.close();
  t.ok(statSync(join(folder, 'notes.txt')).isFile());
  t.same(scanRecords(Buffer.alloc(0)), { records: [], damaged: 0, end: 0 });
});

t.test('a process that dies: at most a few removed records come again', async (t) => {
  const folder = join(t.testdir({}), 'alive');
  const { store } = opened(folder);
  const many = Array.from({ length: 100 }, (_, i) => `result ${i}`);
  await append(store, many);
  for (let n = 1; n <= 75; n++) await store.remove(n);
  const dead = join(t.testdirName, 'dead');
  cpSync(folder, dead, { recursive: true });
  const after = opened(dead);
  const got = await read(after.store);
  t.same(got, many.slice(100 - got.length));
  t.ok(got.length >= 25 && got.length <= 25 + 16, `${got.length - 25} of 75 come again`);
  await after.store.close();
  await store.close();
});

t.test('never larger than it may be: the oldest go, and are counted', async (t) => {
  const folder = join(t.testdir({}), 'full');
  const { store, lost, events } = opened(folder, 1);
  let largest = 0;
  const total = 3000;
  for (let n = 0; n < total; n++) {
    await store.append(Buffer.from(`${n} ${'x'.repeat((n * 37) % 2000)}`));
    if (n % 20 === 0) largest = Math.max(largest, bytesIn(folder));
  }
  t.ok(largest > 0.85 * 2 ** 20 && largest <= 2 ** 20, `${largest} bytes at most`);
  t.equal((lost.store_full ?? 0) + store.waiting, total);
  t.ok(segments(folder).length <= 17);
  const got = (await read(store)).map((text) => Number.parseInt(text, 10));
  t.same(
    got,
    Array.from({ length: store.waiting }, (_, i) => total - store.waiting + i),
    'the newest, in order',
  );
  t.equal(events.filter(({ level }) => level === 'warn').length, 1, 'said once');
  await store.append(Buffer.alloc(2 ** 20, 'y'));
  t.equal(lost.store_failed, 1, 'one that is larger than all is not kept');
  await store.close();
});

t.test('what is being published may make room: nothing is counted twice', async (t) => {
  const { store, lost } = opened(join(t.testdir({}), 'results'), 1);
  const text = 'z'.repeat(60_000);
  for (let n = 0; n < 17; n++) await store.append(Buffer.from(text));
  const record = await store.next(0);
  for (let n = 0; n < 4; n++) await store.append(Buffer.from(text));
  const { waiting } = store;
  t.equal(waiting + (lost.store_full ?? 0), 21);
  await store.remove(record?.sequence ?? 0);
  t.equal(store.waiting, waiting, 'it had gone already');
  await store.close();
});

t.test('a folder that cannot be: said once, counted, and everything goes on', async (t) => {
  const folder = join(t.testdir({ file: 'x' }), 'file', 'results');
  const { store, lost, events } = opened(folder);
  await append(store, texts);
  t.ok(store.empty);
  t.same(lost, { store_failed: texts.length });
  t.same(await read(store), []);
  const said = events.filter(({ level }) => level === 'warn');
  t.equal(said.length, 1);
  t.match(said[0], { message: 'results cannot be kept', fields: { folder, hint: /counted/ } });
  rmSync(join(t.testdirName, 'file'));
  await append(store, ['at last']);
  t.same(await read(store, true), ['at last'], 'and when it can be, it is used');
  t.same(lost, { store_failed: texts.length });
  await store.close();
});

/** While this lasts a file cannot be read, as when too many are open. @returns ends it */
function unreadable(file: string): () => void {
  const { readFile } = fs;
  const set = (to: typeof readFile) => {
    fs.readFile = to;
    syncBuiltinESMExports();
  };
  const failing = async (path: unknown, ...rest: unknown[]) => {
    if (path === file) throw Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' });
    return (readFile as (...args: unknown[]) => Promise<unknown>)(path, ...rest);
  };
  set(failing as typeof readFile);
  return () => set(readFile);
}

/** Three to a segment. */
const large = Array.from({ length: 9 }, (_, i) => `${i} ${'l'.repeat(20_000)}`);
const said = (events: LogEvent[]) => events.filter(({ message }) => message === 'kept results cannot be read').length;

for (const which of [0, 1, 2]) {
  t.test(
    `file ${which + 1} of 3 cannot be read at a start: it stays, and its results come with the next`,
    async (t) => {
      const folder = join(t.testdir({}), 'results');
      const first = opened(folder);
      await append(first.store, large);
      await first.store.close();
      const files = segments(folder);
      t.equal(files.length, 3);
      const end = unreadable(files[which]);
      t.teardown(end);
      const { store, lost, events } = opened(folder);
      await append(store, ['new']);
      const others = large.filter((_, i) => Math.floor(i / 3) !== which);
      t.same(await read(store), [...others, 'new']);
      const [oldest] = others;
      const record = await store.next(0);
      t.equal(record?.payload.toString(), oldest);
      await store.remove(record?.sequence ?? 0);
      await store.close();
      t.same(lost, {});
      t.equal(said(events), 1);
      end();
      const again = opened(folder);
      const all = [...large, 'new'];
      t.same(await read(again.store, true), all, 'what was published meanwhile comes twice, nothing is missing');
      await append(again.store, ['newer']);
      await again.store.close();
      const last = opened(folder);
      t.same(await read(last.store), ['newer']);
      await last.store.close();
      t.same([again.lost, last.lost], [{}, {}]);
    },
  );
}

t.test('a file that cannot be read any more while results are published: likewise', async (t) => {
  const folder = join(t.testdir({}), 'results');
  const { store, lost, events } = opened(folder);
  await append(store, large);
  const record = await store.next(0);
  const end = unreadable(segments(folder)[1]);
  t.teardown(end);
  await store.remove(record?.sequence ?? 0);
  t.same(await read(store, true), [...large.slice(1, 3), ...large.slice(6)]);
  t.ok(store.empty, 'what is left waits for the next start');
  t.equal(segments(folder).length, 1);
  await append(store, ['new']);
  await store.close();
  end();
  t.same(lost, {});
  t.equal(said(events), 1);
  const again = opened(folder);
  t.same(await read(again.store, true), [...large.slice(3, 6), 'new']);
  t.same(again.lost, {});
  await again.store.close();
});

t.test('an unread file makes room like any other, and is counted', async (t) => {
  const folder = join(t.testdir({}), 'results');
  const first = opened(folder);
  await append(first.store, large);
  await first.store.close();
  const end = unreadable(segments(folder)[0]);
  t.teardown(end);
  const { store, lost } = opened(folder);
  await store.append(Buffer.alloc(900_000, 'y'));
  t.same(lost, { store_full: 1 }, 'at least one');
  t.ok(bytesIn(folder) <= 2 ** 20);
  await store.close();
});

const disk = mkdtempSync(join(tmpdir(), 'disk-'));
/** Needs the right to mount. */
const withoutDisk =
  spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk]).status === 0
    ? false
    : 'a small disk cannot be mounted here';
t.teardown(() => {
  if (!withoutDisk) spawnSync('umount', [disk]);
  rmdirSync(disk);
});

t.test('a disk that is full: what fitted stays whole, the rest is counted', { skip: withoutDisk }, async (t) => {
  const { store, lost, events } = opened(join(disk, 'results'));
  const many = Array.from({ length: 200 }, (_, i) => `${i} ${'q'.repeat(900)}`);
  await append(store, many);
  t.ok((lost.store_failed ?? 0) > 100);
  t.equal(store.waiting + (lost.store_failed ?? 0), 200);
  t.equal(events.filter(({ level }) => level === 'warn').length, 1);
  const kept = store.waiting;
  t.same(await read(store), many.slice(0, kept));
  await store.close();
  const again = opened(join(disk, 'results'));
  t.same(await read(again.store, true), many.slice(0, kept));
  t.same(again.lost, {});
  await append(again.store, ['there is room']);
  t.same(await read(again.store), ['there is room']);
  await again.store.close();
});

t.test('the disk is asked about once a second', async (t) => {
  const folder = t.testdir({});
  const handle = await open(join(folder, 'probe'), 'w');
  const kind = Object.getPrototypeOf(handle) as { datasync(): Promise<void> };
  await handle.close();
  const { datasync } = kind;
  let syncs = 0;
  kind.datasync = function () {
    syncs++;
    return datasync.call(this);
  };
  t.teardown(() => {
    kind.datasync = datasync;
  });
  const { store } = opened(join(folder, 'results'));
  const started = performance.now();
  for (let n = 0; n < 50; n++) {
    await store.append(Buffer.from(`result ${n}`));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const seconds = (performance.now() - started) / 1000;
  t.ok(syncs >= 2 && syncs <= seconds, `${syncs} times in ${seconds.toFixed(1)} s`);
  await store.close();
});
