import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { packageRoot } from '../../platform/root.js';

const folder = join(packageRoot(), 'edge', 'web', 'public');
const { default: strings } = (await import(join(folder, 'strings', 'en.js'))) as {
  default: Record<string, string | Record<string, string>>;
};
const files = (await readdir(folder, { recursive: true })).filter(
  (name) => name.endsWith('.js') && !/strings/.test(name),
);
const sources = await Promise.all(
  files.map(async (name) => ({ name, text: await readFile(join(folder, name), 'utf8') })),
);

t.test('every text that a module asks for is there, and no text is left over', async (t) => {
  const used = new Set<string>(['locale']);
  /** Keys that are put together: everything that begins so may be asked for. */
  const begun: string[] = [];
  for (const { name, text } of sources) {
    for (const [, key] of text.matchAll(/'([a-z_]+(?:\.[a-zA-Z_]+)*)'/g)) used.add(key as string);
    for (const [, key] of text.matchAll(/\bt\(\s*'([^']+)'/g))
      t.ok(strings[key as string] !== undefined, `${name}: ${key}`);
    for (const [, key] of text.matchAll(/`([a-z_.]+\.)\$\{/g)) begun.push(key as string);
  }
  const left = Object.keys(strings).filter(
    (key) => !used.has(key) && !begun.some((start) => key.startsWith(start)) && !/_named$/.test(key),
  );
  t.same(left, []);
});

t.test('no text for people stands in a module', async (t) => {
  for (const { name, text } of sources) {
    const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
    const sentences = [...code.matchAll(/'([A-Z][a-z]+(?: [a-z]+)+[^']*)'/g)].map(([, words]) => words);
    t.same(sentences, [], name);
  }
});

t.test('a text is filled in, with the form that its number asks for', async (t) => {
  const { t: text } = (await import(join(folder, 't.js'))) as { t: (key: string, values?: object) => string };
  t.equal(text('live.summary', { n: 1, online: 0 }), '1 camera, 0 online');
  t.equal(text('live.summary', { n: 1234, online: 12 }), '1,234 cameras, 12 online');
  t.equal(text('zones.deleted', { name: '<b>{n}</b>' }), '<b>{n}</b> is deleted.');
  t.equal(text('no such key'), 'no such key');
});
