import t from 'tap';
import { configured } from '../../platform/configured.js';
import { DeepcodError } from '../../platform/errors.js';
import { flag, numberOption, parseOptions, text, texts } from '../../platform/options.js';
import { run } from './process.js';

t.test('options', async (t) => {
  const options = { frames: text, input: texts, quick: flag };
  const given = ['--frames', '3', '--input=a', '--input', 'b', '--quick'];
  t.same({ ...parseOptions(given, options) }, { frames: '3', input: ['a', 'b'], quick: true });
  t.same({ ...parseOptions([], options) }, {});
  const wrong = (args: string[], message: RegExp) => t.throws(() => parseOptions(args, options), { message });
  wrong(['--fames', '3'], /^--fames: unknown option; did you mean "frames"\?$/);
  wrong(['--zzzzzzzz=3'], /^--zzzzzzzz: unknown option; allowed: frames, input, quick, help$/);
  wrong(['--hlep'], /did you mean "help"/);
  wrong(['--frames'], /--frames/);
  wrong(['--quick=yes'], /--quick/);
  wrong(['file'], /file/);
  t.throws(() => parseOptions(['--no'], options), DeepcodError);
});

t.test('numbers', async (t) => {
  t.equal(numberOption('n', undefined, 1, 5), undefined);
  t.equal(numberOption('n', '5', 1, 5), 5);
  t.equal(numberOption('n', '0.5', 0, 1, false), 0.5);
  for (const written of ['0', '6', '1.5', 'x', '', ' ', 'NaN']) {
    const message = `--n ${written}: a whole number from 1 to 5`;
    t.throws(() => numberOption('n', written, 1, 5), { message, exitCode: 2 }, written);
  }
  t.throws(() => numberOption('n', '2', 0, 1, false), { message: '--n 2: a number from 0 to 1' });
});

t.test('what a configuration has to say goes to the log that it asks for', async (t) => {
  const lines: string[] = [];
  const write = process.stderr.write;
  t.teardown(() => {
    process.stderr.write = write;
  });
  process.stderr.write = (line: string | Uint8Array) => lines.push(String(line)) > 0;
  const { config, log } = configured('part', ({ env, warn }) => {
    t.equal(env, process.env);
    warn?.('an odd name');
    return { log: { level: 'warn' as const } };
  });
  process.stderr.write = write;
  t.equal(log.level, config.log.level);
  t.equal(lines.length, 1);
  t.match(lines[0], /part: an odd name/);
});

const commands = [
  ...['agent/main', 'agent/camera/dump', 'edge/main', 'scripts/deepcod', 'scripts/demo', 'scripts/schemas'],
  ...['agent-overhead', 'baselines', 'clips', 'detect', 'edge-overhead', 'entropy', 'estimators', 'huffman'].map(
    (name) => `bench/${name}`,
  ),
  ...['links', 'rate', 'simulate'].map((name) => `bench/${name}`),
];
for (const command of commands) {
  t.test(`${command}: --help is the usage with the exit codes, a wrong option code 2 and what is wrong`, async (t) => {
    const help = await run(`${command}.js`, ['--help']);
    t.equal(help.code, 0);
    t.match(help.output, /^usage: /);
    t.match(help.output, /--help +this text/);
    t.match(help.output, /Exit codes: 0 /);
    const wrong = await run(`${command}.js`, ['--hlep']);
    t.equal(wrong.code, 2);
    t.ok(wrong.output.startsWith(help.output), 'the usage first');
    t.match(wrong.output.slice(help.output.length), /--hlep/);
  });
}
