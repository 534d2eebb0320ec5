import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { openCoder } from '../../agent/huffman/index.js';
import { Random } from './random.js';

const trainer = fileURLToPath(new URL('../../agent/huffman/train.js', import.meta.url));
const run = (...args: string[]) => spawnSync(process.execPath, [trainer, ...args], { encoding: 'utf8' });

t.test('tables of two rates from a file of frames', async (t) => {
  const dir = t.testdir({});
  const random = new Random(30);
  const perFrame = 6 * 5 * 3;
  const rates = [0, 1, 1, 0, 1, 0, 0, 1];
  const steep = [1, 2, 80, 2, 1, 0.1, 0.1];
  const frames = rates.map((rate) => random.symbols(perFrame, rate === 0 ? steep : [1, 1, 1, 1, 1, 1, 1]));
  const [symbolsFile, ratesFile, out] = ['s.u8', 'r.u8', 'entropy.json'].map((name) => join(dir, name));
  writeFileSync(symbolsFile, Buffer.concat(frames));
  writeFileSync(ratesFile, Uint8Array.from(rates));
  const args = [
    '--symbols',
    symbolsFile,
    '--shape',
    '8,6,5,3',
    '--levels',
    '7',
    '--rates',
    ratesFile,
    '--form',
    'plain',
  ];
  const done = run(...args, '--out', out, '--json');
  t.equal(done.status, 0, done.stderr);
  const report = JSON.parse(done.stdout);
  t.equal(report.rates.length, 2);
  t.equal(report.rates[1].frames, 4);
  t.ok(report.rates[0].payload_bytes_mean < report.rates[1].payload_bytes_mean, 'the skewed rate is smaller');
  t.ok(report.rates[1].payload_bytes_mean >= report.rates[1].channel_entropy_bytes_mean, 'above its entropy');

  const tables = JSON.parse(readFileSync(out, 'utf8'));
  const coder = openCoder(tables, { height: 6, width: 5, channels: 3, levels: 7 });
  const payload = new Uint8Array(coder.maxBytes);
  const sizes = frames.filter((_, i) => rates[i] === 0).map((symbols) => coder.encode(symbols, 0, payload));
  t.equal(sizes.reduce((a, b) => a + b) / 4, report.rates[0].payload_bytes_mean);

  const again = run(...args, '--out', join(dir, 'again.json'));
  t.match(again.stdout, 'plain form');
  t.equal(readFileSync(join(dir, 'again.json'), 'utf8'), readFileSync(out, 'utf8'), 'the same data, the same tables');
});

t.test('what is wrong with the arguments or the data is said', async (t) => {
  const dir = t.testdir({ 's.u8': Buffer.from([0, 1, 2, 9]), 'r.u8': Buffer.from([2]) });
  const symbols = join(dir, 's.u8');
  const out = join(dir, 'o.json');
  const cases: [string[], RegExp][] = [
    [[], /--shape is missing|--symbols is missing/],
    [['--symbols', symbols, '--shape', '1,2', '--levels', '10', '--out', out], /expected N,h,w,C/],
    [['--symbols', symbols, '--shape', '2,2,2,1', '--levels', '10', '--out', out], /has 4 bytes; 2 frames/],
    [['--symbols', symbols, '--shape', '1,2,2,1', '--levels', '9', '--out', out], /symbol 9 at 3/],
    [
      ['--symbols', symbols, '--shape', '1,2,2,1', '--levels', '10', '--out', out, '--rates', join(dir, 'r.u8')],
      /no frame has rate 0/,
    ],
    [['--symbols', join(dir, 'none'), '--shape', '1,2,2,1', '--levels', '10', '--out', out], /none/],
    [['--symbols', symbols, '--shape', '1,2,2,1', '--levels', '10', '--out', out, '--form', 'x'], /allowed are plain/],
    [['--no-such'], /no-such/],
  ];
  for (const [args, message] of cases) {
    const done = run(...args);
    t.equal(done.status, 2, args.join(' '));
    t.match(done.stderr, message);
  }
});
