import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { packageRoot } from '../../platform/root.js';

const text = readFileSync(join(packageRoot(), 'docs', 'security.md'), 'utf8');

t.test('every test and file that docs/security.md names is there', (t) => {
  const named = [
    ...text.matchAll(/`((?:test|deploy|edge|platform|scripts|docs|agent|training)\/[A-Za-z0-9_./-]+\.[a-z]+)`/g),
  ];
  t.ok(named.length > 15);
  for (const [, path] of named) t.ok(existsSync(join(packageRoot(), path)), path);
  t.end();
});

t.test('it speaks of every provision of ETSI EN 303 645', (t) => {
  for (let i = 1; i <= 13; i++) t.match(text, new RegExp(`^### 5\\.${i} `, 'm'));
  t.match(text, /^### 6 /m);
  for (const section of text.split(/^### /m).slice(1)) {
    const [title] = section.split('\n');
    t.match(section, /\*\*(Holds|Holds in part|Does not hold)\*\*/, title);
  }
  t.end();
});
