import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { run } from '../platform/process.js';
import { tempFolder, tinyBundle } from './world.js';

const cli = (...args: string[]) => run('scripts/deepcod.js', args);

t.test('deepcod key, publish, update', async (t) => {
  const root = await tempFolder(t);
  const made = await cli('key', 'create', 'site', '--out', root);
  t.equal(made.code, 0, made.output);
  const id = /key ([0-9a-f]{16})/.exec(made.output)?.[1];
  for (const file of ['site.key.pem', 'site.pub.pem']) {
    t.match(await cli('key', 'show', join(root, file)), { code: 0, output: `${id}\n` });
  }
  t.match(await cli('key', 'create', 'site', '--out', root), { code: 2, output: /there already/ });
  const key = ['--key', join(root, 'site.key.pem')];
  const signed = join(root, 'offline.json');
  t.match(await cli('publish', tinyBundle, ...key, '--to', 'yard', '--out', signed, '--sequence', '5'), { code: 0 });
  const put = await cli('publish', tinyBundle, '--signed', signed, '--into', join(root, 'shelf'));
  t.match(put, { code: 0, output: /release 5 of bundle tiny/ });
  const fps = join(root, 'fps.yaml');
  await writeFile(fps, 'camera:\n  fps: 2\n');
  t.match(await cli('publish', '--settings', fps, ...key, '--to', 'all', '--into', join(root, 'shelf')), { code: 0 });
  await writeFile(fps, 'broker:\n  url: mqtt://evil\n');
  const evil = await cli('publish', '--settings', fps, ...key, '--to', 'all', '--into', join(root, 'shelf'));
  t.match(evil, { code: 2, output: /broker\.url cannot be changed/ });
  t.match(await cli('publish', tinyBundle, ...key, '--into', root), { code: 2, output: /--to/ });
  t.match(await cli('publish', root, ...key, '--to', 'all', '--into', root), { code: 3 });
});
