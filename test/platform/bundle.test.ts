import { cp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { bundleId, openBundle } from '../../platform/bundle.js';
import { packageRoot } from '../../platform/root.js';

const tiny = join(packageRoot(), 'test/fixtures/tiny-bundle');

/** A copy to break. */
async function copy(t: Test): Promise<string> {
  const dir = join(t.testdir({}), 'bundle');
  await cp(tiny, dir, { recursive: true });
  return dir;
}

async function edit(dir: string, change: (manifest: Record<string, unknown>) => void): Promise<void> {
  const path = join(dir, 'manifest.json');
  const manifest = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
  change(manifest);
  await writeFile(path, JSON.stringify(manifest));
}

t.test('a whole bundle', async (t) => {
  const bundle = await openBundle(tiny);
  t.match(bundle.id, /^[0-9a-f]{16}$/);
  t.equal(bundle.id, bundleId(await readFile(join(tiny, 'manifest.json'))));
  t.equal(bundle.manifest.service.name, 'tiny');
  t.equal(bundle.file('heads/input.onnx'), join(bundle.dir, 'heads', 'input.onnx'));
  t.throws(() => bundle.file('heads/other.onnx'), { code: 'bundle_file' });
  t.throws(() => bundle.file('../../package.json'), { code: 'bundle_file' });
});

t.test('no bundle at all', async (t) => {
  await t.rejects(openBundle('/nowhere/bundle'), { code: 'bundle_missing', exitCode: 3, message: /\/nowhere\/bundle/ });
  await t.rejects(openBundle(t.testdir({})), { code: 'bundle_missing', message: /no manifest\.json/ });
});

t.test('a manifest that cannot be used', async (t) => {
  const dir = await copy(t);
  await writeFile(join(dir, 'manifest.json'), '{"format": 1, ');
  await t.rejects(openBundle(dir), { code: 'bundle_json', message: /manifest\.json/, hint: String });
  await writeFile(join(dir, 'manifest.json'), 'null');
  await t.rejects(openBundle(dir), { code: 'bundle_format' });
  await cp(join(tiny, 'manifest.json'), join(dir, 'manifest.json'));
  await edit(dir, (manifest) => {
    manifest.format = 2;
  });
  await t.rejects(openBundle(dir), {
    code: 'bundle_format',
    message: /format: 2; this program reads format 1/,
    hint: /Update/,
  });
  await edit(dir, (manifest) => {
    manifest.format = 1;
    manifest.input = { width: 'wide' };
  });
  await t.rejects(openBundle(dir), { code: 'bundle_invalid', exitCode: 3, message: /manifest\.json.*input/ });
});

t.test('files that are missing, damaged or another', async (t) => {
  const dir = await copy(t);
  const head = join(dir, 'heads/input.onnx');
  const bytes = await readFile(head);
  bytes[bytes.length >> 1] ^= 1;
  await writeFile(head, bytes);
  await t.rejects(openBundle(dir), { code: 'bundle_hash', message: /heads\/input\.onnx: its SHA-256 is/ });
  await writeFile(head, bytes.subarray(0, 10));
  await t.rejects(openBundle(dir), { code: 'bundle_hash', message: /has 10 bytes/ });
  await rm(head);
  await t.rejects(openBundle(dir), { code: 'bundle_file', message: /heads\/input\.onnx.*not there/ });
});

t.test('nothing leads out of the bundle', async (t) => {
  const dir = await copy(t);
  const head = join(dir, 'heads/input.onnx');
  await rm(head);
  await symlink(join(tiny, 'heads/input.onnx'), head);
  await t.rejects(openBundle(dir), { code: 'bundle_path', message: /leads out of the bundle/ });
  await edit(dir, (manifest) => {
    const files = manifest.files as Record<string, unknown>;
    files['../service.onnx'] = files['service.onnx'];
  });
  await t.rejects(openBundle(dir), { code: 'bundle_invalid' });
});
