import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { packageRoot } from '../../platform/root.js';
import { commands } from '../../scripts/commands/index.js';
import { toolkitCommands } from '../../scripts/commands/toolkit.js';
import { run } from '../platform/process.js';

const deepcod = (...args: string[]) => run('scripts/deepcod.js', args);

t.test('without a command, and with --help: the list', async (t) => {
  const alone = await deepcod();
  t.equal(alone.code, 0);
  t.same(await deepcod('--help'), alone);
  for (const [name, { summary }] of Object.entries(commands))
    t.match(alone.output, `  ${name.padEnd(10)} ${summary}\n`);
});

t.test('every command has its usage, and refuses what it does not know', async (t) => {
  for (const [name, { load }] of Object.entries(commands)) {
    const help = await deepcod(name, '--help');
    t.same(help, { code: 0, output: `${(await load()).usage}\n` });
    t.match(help.output, new RegExp(`^usage: \\./scripts/deepcod ${name} [\\s\\S]*--help[\\s\\S]*Exit codes: 0 `));
    const wrong = await deepcod(name, '--hlep');
    t.equal(wrong.code, 2);
    t.match(wrong.output, /--hlep: unknown option; did you mean "help"/);
  }
});

t.test('unknown commands, and those of the toolkit', async (t) => {
  t.match(await deepcod('porfile'), { code: 2, output: /porfile: unknown command; did you mean "profile"\?/ });
  t.match(await deepcod('xyzzy-xyzzy'), { code: 2, output: /unknown command; allowed: .*profile.*explain/ });
  t.match(await deepcod('train'), { code: 2, output: /train: that is the toolkit's: see docs\/training\.md/ });
  const toolkit = join(packageRoot(), 'training', 'deepcod');
  const registered = readdirSync(toolkit, { recursive: true })
    .filter((file) => String(file).endsWith('.py'))
    .flatMap((file) => [...readFileSync(join(toolkit, String(file)), 'utf8').matchAll(/add_parser\(\s*"([a-z]+)"/g)])
    .map(([, name]) => name);
  t.same([...toolkitCommands].sort(), registered.sort(), 'the list is the toolkit’s own');
  t.notOk(toolkitCommands.some((name) => Object.hasOwn(commands, name)));
});
