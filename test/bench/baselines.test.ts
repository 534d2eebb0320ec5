import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { packageRoot } from '../../platform/root.js';

const folder = await mkdtemp(join(tmpdir(), 'baselines-'));
t.teardown(() => rm(folder, { recursive: true }));
const images = join(folder, 'coco-val', 'images');
const annotations = join(folder, 'coco-val', 'instances.json');
const service = join(folder, 'yolox-nano-416.onnx');
const python = join(folder, 'python');
await mkdir(images, { recursive: true });
await Promise.all([annotations, service].map((file) => writeFile(file, '{}')));
await writeFile(python, '#!/bin/sh\nprintf "%s\\n" "$@" "threads: $OMP_NUM_THREADS $OPENBLAS_NUM_THREADS"\n');
await chmod(python, 0o755);

/** Runs the bench with a Python that only says what it was told. */
async function bench(...args: string[]) {
  const program = join(packageRoot(), 'dist', 'bench', 'baselines.js');
  const env = { ...process.env, DEEPCOD_PYTHON: python };
  const run = promisify(execFile)(process.execPath, [program, ...args], { cwd: packageRoot(), env });
  const { stderr, code } = await run.then(
    ({ stderr }) => ({ stderr, code: 0 }),
    (error: { stderr: string; code: number }) => error,
  );
  return { told: stderr.trim().split('\n'), stderr, code };
}

t.test('the toolkit is told where all that belongs to a service lies', async (t) => {
  const set = ['--service', service, '--images', images, '--annotations', annotations];
  const { told, code } = await bench(
    ...set,
    '--json',
    join(packageRoot(), 'x.json'),
    '--page',
    join(packageRoot(), 'docs', 'x.md'),
    '--pictures',
    join(packageRoot(), 'runs', 'packs', 'x.npz'),
    '--times-only',
    '--minutes',
    '2',
    '--partition',
    'input',
  );
  t.equal(code, 0);
  const value = (name: string) => told[told.indexOf(name) + 1];
  t.same(told.slice(0, 3), ['-m', 'deepcod', 'baselines']);
  t.equal(value('--description'), 'training/services/yolox-nano.json');
  t.equal(value('--codecs'), 'models/codecs/yolox-nano');
  t.equal(value('--rate-report'), 'docs/results/rate-yolox-nano.json');
  t.equal(value('--work'), 'runs/baselines');
  t.same([value('--json'), value('--minutes'), value('--partition')], ['x.json', '2', 'input']);
  t.same([value('--page'), value('--pictures')], ['docs/x.md', 'runs/packs/x.npz']);
  t.ok(told.includes('--times-only'));
  t.ok(told.includes('threads: 1 1'));
  t.notOk(told.includes('--quick'));
});

t.test('rows of the rate bench go beside only where it measured the same photos', async (t) => {
  const others = join(folder, 'mine.json');
  await writeFile(others, '{}');
  const { told } = await bench('--service', service, '--images', images, '--annotations', others, '--json', 'x.json');
  t.ok(told.includes('--annotations'));
  t.notOk(told.includes('--rate-report'));
});

t.test('wrong usage is refused', async (t) => {
  const wrong = [
    { args: [], says: /--json FILE/ },
    { args: ['--json', 'x.json', '--mehtods', 'offload'], says: /--methods/ },
    { args: ['--json', 'x.json', '--service', join(folder, 'none.onnx')], says: /no such file/ },
    { args: ['--json', 'x.json', '--service', service], says: /--images DIR/ },
  ];
  for (const { args, says } of wrong) {
    const { code, stderr } = await bench(...args);
    t.equal(code, 2);
    t.match(stderr, says);
  }
});
