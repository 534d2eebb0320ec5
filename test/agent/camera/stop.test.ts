import { readdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import { until } from '../rig.js';
import { cameraAgent, lives, standIn } from './rig.js';
import type { Behaviour } from './stand-in/behaviour.js';

/** A process and all that came of it. */
function family(pid: number): number[] {
  const parents = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        // The name in parentheses may hold anything.
        const [, parent] = (readFileSync(`/proc/${name}/stat`, 'utf8').split(')').at(-1) as string).trim().split(' ');
        return [[Number(name), Number(parent)]];
      } catch {
        return [];
      }
    });
  const found = [pid];
  for (const each of found) found.push(...parents.filter(([, parent]) => parent === each).map(([child]) => child));
  return found;
}

t.test('a camera that hangs does not hold up the end', async (t) => {
  const running = /agent\/camera: running/;
  const cases: [string, Behaviour][] = [
    ['stalled', { stallAfter: 3 }],
    ['stalled, and ignores every signal', { stallAfter: 3, ignores: ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGPIPE'] }],
    ['the list of cameras never comes', { listMs: 120_000 }],
  ];
  for (const [name, behaviour] of cases) {
    await t.test(name, async (t) => {
      const { env, starts } = standIn(t, behaviour);
      const agent = cameraAgent(env);
      const pid = agent.child.pid as number;
      if (behaviour.listMs) await until(() => family(pid).length > 1, 'the program that lists cameras');
      else await agent.says(running);
      const children = [...family(pid).slice(1), ...starts().map((start) => start.pid)];
      t.ok(children.length > 0);
      const begin = performance.now();
      agent.child.kill('SIGTERM');
      t.equal(await agent.ended(), 0);
      const ms = Math.round(performance.now() - begin);
      // Two seconds are promised; this machine may be busy.
      t.ok(ms < 5000, `ended ${ms} ms after SIGTERM`);
      await until(() => !children.some(lives), 'the end of all children');
    });
  }
});
