import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { packageRoot } from '../../platform/root.js';
import { type Bom, withPython } from '../../scripts/sbom/bom.js';
import { run } from '../platform/process.js';

t.test('the bill of materials: every package that runs, once, with where it comes from', async (t) => {
  const out = join(t.testdir({}), 'sbom.json');
  const { code, output } = await run('scripts/sbom.js', ['--out', out]);
  t.equal(code, 0, output);
  const bom = JSON.parse(readFileSync(out, 'utf8')) as Bom;
  t.match(bom, { bomFormat: 'CycloneDX', specVersion: /^1\.[5-9]$/, metadata: { component: { name: 'deepcod' } } });
  const refs = bom.components.map((component) => component['bom-ref']);
  t.equal(new Set(refs).size, refs.length, 'nothing twice');
  t.ok(bom.components.every(({ name, version, purl }) => name && version && /^pkg:(npm|pypi)\//.test(purl)));
  const names = new Set(bom.components.map(({ name }) => name));
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8'));
  for (const name of Object.keys(dependencies)) t.ok(names.has(name), name);
  t.notOk(
    names.has('tap') || names.has('typescript'),
    `nothing that only builds or tests (${Object.keys(devDependencies).length})`,
  );
  t.ok(names.has('torch'), 'the toolkit too');
  const known = new Set([...refs, bom.metadata.component['bom-ref']]);
  t.ok(
    bom.dependencies.every(({ ref, dependsOn = [] }) => known.has(ref) && dependsOn.every((each) => known.has(each))),
  );
  t.throws(() => withPython(bom, 'torch>=2\n'), /not pinned/);
});
