import { createPrivateKey, createPublicKey } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import t, { type Test } from 'tap';
import { ResultStore } from '../../../agent/store/store.js';
import { silentLog } from '../../../platform/log.js';
import { openSiteCa } from '../../../platform/pki.js';
import { run as keyCommand } from '../../../scripts/commands/key.js';
import { writeFiles } from '../../../scripts/commands/provision/boot-folder.js';
import { identityOf } from '../../../scripts/commands/provision/identity.js';
import { cutFiles } from './cutting.js';

class PowerCut extends Error {}

/**
 * Does work whose power is cut at its first change of a file, its second, and so on, each time in a new folder, until it gets
 * through; looks at each.
 * @returns how often it was cut
 */
async function everyCut(
  t: Test,
  work: (folder: string) => Promise<unknown>,
  look: (folder: string, cut: string) => Promise<void>,
): Promise<number> {
  for (let cut = 1; ; cut++) {
    const folder = join(t.testdirName, `${cut}`);
    mkdirSync(folder);
    let isCut = false;
    const restore = await cutFiles(cut, () => {
      isCut = true;
      throw new PowerCut(`change ${cut}`);
    });
    try {
      await work(folder);
    } catch (error) {
      // What fails after the cut may be called anything.
      if (!isCut) throw error;
    } finally {
      restore();
    }
    await look(folder, `cut ${cut}`);
    if (!isCut) return cut - 1;
  }
}

const read = (file: string): string | undefined => (existsSync(file) ? readFileSync(file, 'latin1') : undefined);

t.test('results: a power cut at any change of a file loses nothing that was on the disk', async (t) => {
  const open = (folder: string, lost: (cause: string) => void = () => {}) =>
    new ResultStore(folder, 2 ** 20, lost, silentLog);
  t.testdir({});
  let kept = 0;
  const work = async (folder: string) => {
    kept = 0;
    const troubles: string[] = [];
    const first = open(folder, (cause) => troubles.push(cause));
    for (let i = 1; i <= 5; i++) await first.append(Buffer.from(`result ${i}`));
    await first.close();
    if (troubles.length === 0 && existsSync(join(folder, '000000000001.results'))) kept = 5;
    const second = open(folder);
    for (let i = 1; i <= 3; i++) {
      const record = await second.next(0);
      if (record) await second.remove(record.sequence);
    }
    await second.close();
  };
  const cuts = await everyCut(t, work, async (folder, cut) => {
    const lost: string[] = [];
    const store = open(folder, (cause) => lost.push(cause));
    const numbers: number[] = [];
    for (let after = 0; ; ) {
      const record = await store.next(after);
      if (!record) break;
      after = record.sequence;
      numbers.push(Number(/^result (\d)$/.exec(record.payload.toString())?.[1]));
    }
    const expected = Array.from({ length: numbers.length }, (_, i) => numbers[0] + i);
    t.same(numbers, expected, `${cut}: whole, in order, each once`);
    t.ok(lost.length === 0 || (kept === 0 && lost.length === 1), `${cut}: at most the one that was being written`);
    if (kept > 0) t.same(numbers.slice(-2), [4, 5], `${cut}: what was kept is there`);
    await store.append(Buffer.from('result 6'));
    t.ok(await store.next(0), `${cut}: it goes on`);
    await store.close();
  });
  t.ok(cuts >= 10, `${cuts} places`);
});

t.test('a key for releases: both files in the end, and the first key stays', async (t) => {
  t.testdir({});
  const create = (folder: string) => keyCommand(['create', 'site', '--out', folder]);
  let alone = 0;
  const cuts = await everyCut(t, create, async (folder, cut) => {
    const files = ['site.key.pem', 'site.pub.pem'].map((name) => join(folder, name));
    const [secret, open] = files.map(read);
    t.notOk(secret === undefined && open !== undefined, `${cut}: no public key alone`);
    if (secret !== undefined) createPrivateKey(secret);
    if (open === undefined) {
      alone += Number(secret !== undefined);
      await create(folder);
    }
    const [after, made] = files.map((file) => readFileSync(file, 'latin1'));
    if (secret !== undefined) t.equal(after, secret, `${cut}: the same key`);
    t.equal(made, createPublicKey(after).export({ type: 'spki', format: 'pem' }), `${cut}: they belong together`);
    t.equal(statSync(files[0]).mode & 0o777, 0o600);
  });
  t.ok(alone > 0, 'a private key was left alone');
  t.ok(cuts >= 12, `${cuts} places`);
});

t.test('a site’s authority: its key stays', async (t) => {
  t.testdir({});
  const cuts = await everyCut(t, openSiteCa, async (folder, cut) => {
    const before = read(join(folder, 'ca.key'));
    t.ok((await openSiteCa(folder)).certificate, `${cut}: it can be opened`);
    if (before !== undefined) t.equal(read(join(folder, 'ca.key')), before, `${cut}: the same key`);
  });
  t.ok(cuts >= 14, `${cuts} places`);
});

t.test('a card: what is there is whole, no key is made twice, and the same again completes it', async (t) => {
  const content = 'a package '.repeat(100);
  const deb = join(t.testdir({ package: { 'own.deb': content } }), 'package', 'own.deb');
  const site = join(t.testdirName, 'site');
  const ca = await openSiteCa(site);
  const provision = async (folder: string) => {
    const { key } = await identityOf(site, ca, { name: basename(folder), kind: 'device' });
    await writeFiles(join(folder, 'card'), [
      { path: 'deepcod/deepcod.deb', content: { copyOf: deb } },
      { path: 'deepcod/device.key', content: key },
      { path: 'deepcod/agent.yaml', content: 'device: line-01\n' },
    ]);
  };
  const cuts = await everyCut(t, provision, async (folder, cut) => {
    const files = {
      authority: join(folder, 'site', 'ca.key'),
      own: join(site, 'devices', basename(folder), 'device.key'),
      deb: join(folder, 'card', 'deepcod', 'deepcod.deb'),
      key: join(folder, 'card', 'deepcod', 'device.key'),
      yaml: join(folder, 'card', 'deepcod', 'agent.yaml'),
    };
    const before = Object.fromEntries(Object.entries(files).map(([name, file]) => [name, read(file)]));
    t.ok(before.deb === undefined || before.deb === content, `${cut}: the package is whole`);
    t.ok(before.yaml === undefined || before.key !== undefined, `${cut}: the configuration comes last`);
    await provision(folder);
    for (const [name, file] of Object.entries(files)) {
      if (before[name] !== undefined) t.equal(read(file), before[name], `${cut}: ${name} stays`);
    }
    t.equal(read(files.deb), content);
    t.equal(read(files.key), read(files.own));
    t.equal(read(files.yaml), 'device: line-01\n');
  });
  t.ok(cuts >= 30, `${cuts} places`);
});
