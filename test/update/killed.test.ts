import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { run } from '../platform/process.js';
import { world } from './world.js';

t.test('a process that is killed at a change of the disk, again and again', async (t) => {
  const { root, release } = await world(t);
  const { id, folder, release: next } = await release(1, { weights: 60_000 });
  writeFileSync(join(root, 'release.json'), JSON.stringify(next));
  const killed: string[] = [];
  for (let n = 5; n < 200; n += 20) {
    const { code, output } = await run('test/update/fixtures/killed.js', [root, folder, String(n)]);
    killed.push(String(code));
    if (code === 0) {
      t.match(output, new RegExp(`kept ${id}`));
      break;
    }
    t.equal(code, 'SIGKILL', output);
    t.match(output, /runs [0-9a-f]{16}/, 'something ran');
  }
  t.ok(killed.length > 2 && killed.at(-1) === '0', `killed ${killed.length - 1} times on the way`);
});

t.test('killed in each state', async (t) => {
  for (const state of ['fetching', 'verifying', 'switching', 'probation']) {
    const { root, release } = await world(t);
    const { id, folder, release: next } = await release(1, { weights: 60_000 });
    writeFileSync(join(root, 'release.json'), JSON.stringify(next));
    const first = await run('test/update/fixtures/killed.js', [root, folder, state]);
    t.equal(first.code, 'SIGKILL', `in state ${state}`);
    const second = await run('test/update/fixtures/killed.js', [root, folder, '100000']);
    t.equal(second.code, 0, second.output);
    t.match(second.output, new RegExp(`kept ${id}`));
  }
});
