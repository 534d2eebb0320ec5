import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { packageRoot } from '../../platform/root.js';
import { fieldGuide } from '../../scripts/field-guide.js';
import { manPage } from '../../scripts/man.js';
import { publishedApi, publishedClient, publishedSchemas } from '../../scripts/published.js';

t.test('docs/schemas/ holds what the code holds', async (t) => {
  for (const [name, text] of publishedSchemas()) {
    const written = await readFile(join(packageRoot(), 'docs', 'schemas', name), 'utf8');
    t.equal(written, text, `${name}: if this fails, run "npm run schemas"`);
  }
});

t.test('docs/openapi.json and client/types.ts hold what the routes hold', async (t) => {
  const api = await publishedApi();
  const read = (...path: string[]) => readFile(join(packageRoot(), ...path), 'utf8');
  t.equal(await read('docs', 'openapi.json'), api, 'if this fails, run "npm run schemas"');
  t.equal(await read('client', 'types.ts'), publishedClient(api), 'if this fails, run "npm run schemas"');
});

t.test('the manual page and the field guide hold what the code says', async (t) => {
  const docs = join(packageRoot(), 'docs');
  t.equal(
    await readFile(join(docs, 'man', 'deepcod.1'), 'utf8'),
    await manPage(),
    'if this fails, run "npm run schemas"',
  );
  t.equal(await readFile(join(docs, 'field-guide.md'), 'utf8'), fieldGuide(), 'if this fails, run "npm run schemas"');
});
