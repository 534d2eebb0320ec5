import { createHash } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { startEdge } from '../../edge/edge.js';
import { openEdgeBundle } from '../../edge/worker/bundles.js';
import { silentLog } from '../../platform/log.js';
import type { Manifest } from '../../protocol/index.js';
import { bundleCopy, tinyBundle, tinyConfig } from './harness.js';

t.test('a bundle is opened with a route for each partition point and for pixels', async (t) => {
  const bundle = await openEdgeBundle(tinyBundle);
  t.match(bundle, { name: 'tiny', id: /^[0-9a-f]{16}$/ });
  t.same(
    bundle.routes.map((r) => [r.partition, r.rates, r.cells]),
    [['input', 2, 192]],
  );
  t.same([bundle.raw.partition, bundle.raw.minBytes, bundle.raw.maxBytes], ['raw', 3072, 3072]);
});

t.test('an edge does not start on a damaged bundle: exit code 3, the file is named', async (t) => {
  const changes: [string, (dir: string) => Promise<void>, RegExp][] = [
    ['a changed byte', (dir) => flip(join(dir, 'tails/input.onnx')), /tails\/input\.onnx/],
    ['a file cut short', (dir) => writeFile(join(dir, 'service.onnx'), 'x'), /service\.onnx/],
    ['a missing file', (dir) => rm(join(dir, 'entropy/input.json')), /entropy\/input\.json/],
    ['a missing manifest', (dir) => rm(join(dir, 'manifest.json')), /manifest\.json/],
    ['a manifest that is no JSON', (dir) => writeFile(join(dir, 'manifest.json'), '{'), /manifest\.json/],
    ['another format', (dir) => edit(dir, (m) => Object.assign(m, { format: 2 })), /format/],
    ['a wrong key', (dir) => edit(dir, (m) => Object.assign(m.service, { nms: 1 })), /unknown key "nms"/],
  ];
  for (const [what, change, message] of changes) {
    const dir = await bundleCopy(t);
    await change(dir);
    await t.rejects(
      startEdge(tinyConfig({ bundles: [dir], broker: { port: 0 } }), silentLog),
      { exitCode: 3, message },
      what,
    );
  }
});

t.test('entropy tables that do not fit are an error that names them', async (t) => {
  const dir = await bundleCopy(t);
  const tables = JSON.parse(await readFile(join(dir, 'entropy/input.json'), 'utf8'));
  for (const [what, change, message] of [
    ['fewer rates', { lengths: tables.lengths.slice(0, 1) }, /1 rates; the manifest has 2/],
    ['other channels', { channels: 4 }, /channels/],
    ['no complete code', { lengths: [tables.lengths[0], ['77777777', '33333333', '33333333']] }, /complete/],
  ] as const) {
    const text = JSON.stringify({ ...tables, ...change });
    await writeFile(join(dir, 'entropy/input.json'), text);
    await edit(dir, (m) => {
      const sha256 = createHash('sha256').update(text).digest('hex');
      m.files['entropy/input.json'] = { bytes: text.length, sha256 };
    });
    await t.rejects(openEdgeBundle(dir), { code: 'bundle_entropy', exitCode: 3, message }, what);
  }
});

async function flip(file: string): Promise<void> {
  const bytes = await readFile(file);
  bytes[bytes.length >> 1] ^= 1;
  await writeFile(file, bytes);
}

async function edit(dir: string, change: (manifest: Manifest) => void): Promise<void> {
  const manifest = JSON.parse(await readFile(join(dir, 'manifest.json'), 'utf8')) as Manifest;
  change(manifest);
  await writeFile(join(dir, 'manifest.json'), JSON.stringify(manifest));
}
