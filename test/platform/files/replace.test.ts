import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readProfile, writeProfile } from '../../../agent/partition/profile.js';
import { packageRoot } from '../../../platform/root.js';

const here = join(packageRoot(), 'dist/test/platform/files');

t.test('a process that dies at any change of a file leaves the old profile or the new one', async (t) => {
  const old = { fingerprint: 'old', device_ms: { input: 1 }, edge_ms: {} };
  const outcomes: string[] = [];
  for (let cut = 1; ; cut++) {
    const folder = t.testdir({});
    const file = join(folder, 'profile.json');
    writeProfile(file, old);
    const child = spawnSync(
      process.execPath,
      [`--import=${join(here, 'cut.js')}`, join(here, 'keep-profile.js'), file, 'new'],
      { env: { PATH: process.env.PATH, DEEPCOD_CUT: `${cut}` } },
    );
    const [before, after] = [readProfile(file, 'old'), readProfile(file, 'new')];
    t.ok((before === undefined) !== (after === undefined), `cut ${cut}: one of the two`);
    if (after) t.equal(Object.keys(after.device_ms).length, 50, 'whole');
    outcomes.push(after ? 'new' : 'old');
    writeProfile(file, old);
    t.same(readdirSync(folder), ['profile.json'], 'what was left over is in nobody’s way');
    if (child.signal === null) {
      t.equal(child.status, 0, child.stderr.toString());
      break;
    }
    t.ok(cut < 50);
  }
  t.match(outcomes.join(' '), /^(old )+(new ?)+$/, 'first the old one, from some change on the new one');
  t.ok(outcomes.length >= 7, `${outcomes.length} places`);
});
