import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { openCoder } from '../../agent/huffman/index.js';
import { Random } from './random.js';
import { patchySymbols } from './tables.js';

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

t.test('the context form learns what neighbours tell, and frames against frames', async (t) => {
  const dir = t.testdir({});
  const random = new Random(31);
  const shape = { height: 24, width: 20, channels: 8, levels: 9 };
  // Patches that are busy in all channels, a first channel that is smooth, and frames that repeat with small changes.
  const frames: Uint8Array[] = [];
  const sequences: number[] = [];
  for (let i = 0; i < 24; i++) {
    const again = i % 4 !== 0;
    const frame = again ? frames[i - 1].slice() : patchySymbols(random, shape);
    for (let position = 0; position < 480; position++) {
      if (!again)
        frame[position * 8] = Math.round(4 + 3 * Math.sin(i + (position % 20) / 6) * Math.cos(position / 200));
      else if (random.next() < 0.01) frame[position * 8 + random.integer(1, 7)] = random.integer(3, 5);
    }
    frames.push(frame);
    sequences.push(i >> 2);
  }
  const [symbolsFile, sequencesFile] = ['s.u8', 'q.u16'].map((name) => join(dir, name));
  writeFileSync(symbolsFile, Buffer.concat(frames));
  writeFileSync(sequencesFile, new Uint8Array(Uint16Array.from(sequences).buffer));
  const args = ['--symbols', symbolsFile, '--shape', '24,24,20,8', '--levels', '9', '--json'];
  const plain = run(...args, '--form', 'plain', '--out', join(dir, 'plain.json'));
  const context = run(...args, '--sequences', sequencesFile, '--out', join(dir, 'context.json'));
  t.equal(context.status, 0, context.stderr);
  const [plainRate] = JSON.parse(plain.stdout).rates;
  const [rate] = JSON.parse(context.stdout).rates;
  t.ok(rate.payload_bytes_mean < 0.9 * plainRate.payload_bytes_mean, 'below one table per channel');
  t.ok(rate.payload_bytes_mean < plainRate.channel_entropy_bytes_mean, 'below the entropy of each channel by itself');
  t.ok(rate.inter.payload_bytes_mean < 0.3 * rate.payload_bytes_mean, 'what repeats is almost free');
  t.equal(rate.inter.frames, 18);

  const coder = openCoder(JSON.parse(readFileSync(join(dir, 'context.json'), 'utf8')), shape);
  const payload = new Uint8Array(coder.maxBytes);
  const total = frames.reduce((sum, symbols) => sum + coder.encode(symbols, 0, payload), 0);
  t.equal(total / 24, rate.payload_bytes_mean);
  const again = run(...args, '--sequences', sequencesFile, '--out', join(dir, 'again.json'));
  t.equal(again.status, 0);
  t.ok(
    readFileSync(join(dir, 'again.json')).equals(readFileSync(join(dir, 'context.json'))),
    'the same data, the same tables',
  );

  writeFileSync(sequencesFile, new Uint8Array(Uint16Array.from(frames, (_, i) => i).buffer));
  const alone = run(...args, '--sequences', sequencesFile, '--out', join(dir, 'x.json'));
  t.equal(alone.status, 2);
  t.match(alone.stderr, /no two frames of one sequence/);
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
