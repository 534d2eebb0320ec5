import { existsSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type Disk, realDisk } from '../../agent/update/disk.js';
import type { UpdateStatus } from '../../protocol/update.js';
import { configRelease } from '../../scripts/commands/update/make-release.js';
import { Device, tempFolder, terms, world } from './world.js';

/** The power goes. */
class PowerCut extends Error {
  override readonly name = 'PowerCut';
}

/** What a cut leaves of the write that it meets, and of writes before that were never synced. */
type Cut = 'before' | 'torn' | 'unsynced';

/**
 * The real disk, until the nth change of it; from then on nothing changes any more. `torn`: half of the nth write is there.
 * `unsynced`: of files that were not synced, only half of what was written since is there, or zeros.
 */
function cutDisk(n: number, cut: Cut): { disk: Disk; count: () => number; kinds: string[] } {
  let count = 0;
  const kinds: string[] = [];
  /** Bytes of a file that are on the disk for sure. */
  const unsynced = new Map<string, number>();
  const die = () => {
    if (cut === 'unsynced') {
      for (const [path, safe] of unsynced) {
        if (!existsSync(path)) continue;
        const { size } = statSync(path);
        truncateSync(path, safe + Math.floor((size - safe) / 2));
        if (size > safe) truncateSync(path, size);
      }
    }
    throw new PowerCut(`change ${n}`);
  };
  const step = (kind: string, torn?: () => void): void => {
    if (count >= n) throw new PowerCut(`after change ${n}`);
    kinds.push(kind);
    if (++count < n) return;
    if (cut === 'torn') torn?.();
    die();
  };
  const written = (path: string, safe: number) => unsynced.set(path, Math.min(unsynced.get(path) ?? safe, safe));
  const disk: Disk = {
    makeFolder: async (path) => {
      step('makeFolder');
      await realDisk.makeFolder(path);
    },
    write: async (path, bytes) => {
      step('write', () => writeFileSync(path, bytes.subarray(0, bytes.length >> 1)));
      await realDisk.write(path, bytes);
      written(path, 0);
    },
    writeAt: async (path, bytes, at) => {
      step('writeAt', () => writeFileSync(path, bytes.subarray(0, bytes.length >> 1), { flag: 'a' }));
      await realDisk.writeAt(path, bytes, at);
      written(path, at);
    },
    truncate: async (path, bytes) => {
      step('truncate');
      await realDisk.truncate(path, bytes);
    },
    sync: async (path) => {
      step('sync');
      unsynced.delete(path);
    },
    rename: async (from, to) => {
      step('rename');
      await realDisk.rename(from, to);
      const safe = unsynced.get(from);
      unsynced.delete(from);
      if (safe === undefined) unsynced.delete(to);
      else unsynced.set(to, safe);
    },
    link: async (from, to) => {
      step('link');
      await realDisk.link(from, to);
    },
    remove: async (path) => {
      step('remove');
      await realDisk.remove(path);
      unsynced.delete(path);
    },
  };
  return { disk, count: () => count, kinds };
}

/** Offers a release and flies frames until it is kept. @returns false when the power went before */
async function update(
  device: Device,
  release: Parameters<Device['offer']>[0],
  done: (status: UpdateStatus) => boolean,
) {
  device.updater.start();
  device.offer(release);
  for (const end = performance.now() + 60_000; performance.now() < end; ) {
    if (done(device.status)) return true;
    if (device.status.state === 'probation') device.fly(1);
    if (device.events.some(({ fields }) => isCut(fields.error))) return false;
    if (device.host.gaveUp) return false;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  throw new Error(`nothing happens: ${JSON.stringify(device.status)}`);
}

const isCut = (error: unknown): boolean => error instanceof PowerCut || String(error).includes('PowerCut');

/** Where a kind of cut may make a difference. */
const where: Record<Cut, (kind: string) => boolean> = {
  before: () => true,
  torn: (kind) => kind.startsWith('write'),
  unsynced: (kind) => ['rename', 'link'].includes(kind),
};

for (const cut of ['before', 'torn', 'unsynced'] as const) {
  t.test(
    `the power goes at every change of the disk (${cut}): old or new runs, and in the end the new one`,
    async (t) => {
      const { root, edge, release } = await world(t);
      const { id, release: next } = await release(1, { weights: 20_000 });
      const kept = ({ state }: UpdateStatus) => state === 'kept';
      /** An update with a cut at the nth change. @returns whether it was kept before */
      const attempt = async (
        folder: string,
        disk: Disk | undefined,
      ): Promise<{ device: Device; whole: boolean; began: string }> => {
        const device = await Device.start(root, edge, { folder, ...(disk && { disk }) });
        const began = device.host.bundle.id;
        device.host.serve(began, id);
        device.fly(20);
        const whole = await update(device, next, kept);
        await device.updater.stop();
        return { device, whole, began };
      };
      const dry = cutDisk(Number.POSITIVE_INFINITY, cut);
      const { began: old } = await attempt('dry', dry.disk);
      const cuts = dry.kinds.map((kind, i) => (where[cut](kind) ? i + 1 : 0)).filter((n) => n > 0);
      t.ok(cuts.length >= 3, `${cuts.length} cuts at ${dry.kinds.length} changes`);
      let stayed = 0;
      for (const n of cuts) {
        const folder = `update-${n}`;
        const { whole } = await attempt(folder, cutDisk(n, cut).disk);
        const second = await attempt(folder, undefined);
        if (second.began === old) stayed++;
        else if (second.began !== id) t.fail(`cut ${n}: ${second.began} runs`);
        if (!second.whole || second.device.host.bundle.id !== id) t.fail(`cut ${n}: no end`);
        const bundles = readdirSync(join(root, folder, 'bundles'));
        if (bundles.join() !== id && !whole) t.fail(`cut ${n}: ${bundles.join()} stay`);
      }
      t.ok(stayed > 0, `the old one ran ${stayed} times, the new one ${cuts.length - stayed} times`);
    },
  );
}

t.test('the power goes at every change of the disk while it goes back', async (t) => {
  const { root, edge, release } = await world(t);
  const { id, release: bad } = await release(1, { weights: 1000 });
  for (let n = 1; ; n++) {
    const folder = `update-${n}`;
    const first = await Device.start(root, edge, { folder });
    const before = first.host.bundle.id;
    first.host.serve(before, id);
    first.updater.start();
    first.fly(30);
    first.offer(bad);
    await first.reaches('probation');
    await first.updater.stop();

    const { disk, count } = cutDisk(n, 'before');
    const second = await Device.start(root, edge, { disk, folder });
    second.updater.start();
    await second.reaches('probation');
    second.fly(3, { outcome: 'failed' });
    await second.until(({ state }) => state === 'rolled_back' || second.host.gaveUp !== undefined, 'an end');
    await second.updater.stop();
    const third = await Device.start(root, edge, { folder });
    third.updater.start();
    if (third.host.bundle.id === id) {
      await third.reaches('probation');
      third.fly(3, { outcome: 'failed' });
    }
    await third.reaches('rolled_back', 'frames_fail');
    await third.updater.stop();
    if (third.host.bundle.id !== before) t.fail(`cut ${n}: ${third.host.bundle.id} runs`);
    if (count() < n) {
      t.ok(n > 5, `${n - 1} changes of the disk`);
      break;
    }
  }
});

t.test('settings, too', async (t) => {
  const { root, key, edge } = await world(t);
  const next = configRelease({ camera: { fps: 9 } }, terms(1), key);
  for (let n = 1; ; n++) {
    const folder = `update-${n}`;
    const { disk, count } = cutDisk(n, n % 2 ? 'torn' : 'unsynced');
    const first = await Device.start(root, edge, { disk, folder });
    const done = ({ state }: UpdateStatus) => state === 'kept';
    const whole = await update(first, next, done);
    await first.updater.stop();
    if (whole && count() < n) {
      t.ok(n > 5, `${n - 1} changes of the disk`);
      break;
    }
    const second = await Device.start(root, edge, { folder });
    if (![5, 9].includes(second.host.config.camera.fps)) t.fail(`cut ${n}`);
    await update(second, next, done);
    await second.updater.stop();
    t.equal((await Device.start(root, edge, { folder })).host.config.camera.fps, 9);
  }
});

t.test('this test cuts where it says', async (t) => {
  const folder = await tempFolder(t);
  const { disk } = cutDisk(2, 'torn');
  await disk.write(join(folder, 'a'), Buffer.from('1234'));
  await t.rejects(disk.write(join(folder, 'b'), Buffer.from('1234')), PowerCut);
  await t.rejects(disk.remove(join(folder, 'a')), PowerCut);
  t.equal(statSync(join(folder, 'b')).size, 2);
  const lossy = cutDisk(3, 'unsynced').disk;
  await lossy.write(join(folder, 'c'), Buffer.from('12345678'));
  await lossy.rename(join(folder, 'c'), join(folder, 'd'));
  await t.rejects(lossy.rename(join(folder, 'd'), join(folder, 'e')), PowerCut);
  t.same(readFileSync(join(folder, 'd')), Buffer.from('1234\0\0\0\0'));
});
