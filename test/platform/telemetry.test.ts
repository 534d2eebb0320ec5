import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { defaultBundle, packageRoot } from '../../platform/root.js';

const model = join(defaultBundle(), 'input.head.onnx');
const module = (name: string) => join(packageRoot(), 'dist', 'platform', 'inference', name);

t.test('ONNX Runtime makes no identifier and keeps no events', async (t) => {
  const run = (script: string) => {
    const home = join(t.testdir({ home: {}, 'run.mjs': script }), 'home');
    const env = { PATH: process.env.PATH, HOME: home };
    const { status, stderr } = spawnSync(process.execPath, [join(home, '..', 'run.mjs')], {
      env,
      encoding: 'utf8',
    });
    t.equal(status, 0, stderr);
    return readdirSync(home, { recursive: true });
  };
  t.same(
    run(`import { InferenceWorker } from ${JSON.stringify(module('index.js'))};
      await (await InferenceWorker.open({ model: ${JSON.stringify(model)}, threads: 1 })).close();`),
    [],
    'in a worker thread',
  );
  t.same(
    run(`import { readOperators } from ${JSON.stringify(module('inspect.js'))};
      await readOperators({ model: ${JSON.stringify(model)}, threads: 1 });`),
    [],
    'in this thread',
  );
});
