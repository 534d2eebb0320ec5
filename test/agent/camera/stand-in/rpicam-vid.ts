/**
 * Stands in for rpicam-vid: obeys the same options, says what the real one says, and does what a test's behaviour file
 * (RPICAM_BEHAVIOUR) asks for. Pictures: Y of column x, row y is (3 x + 5 y) mod 256 but the frame's number at 0, 0; U is 90
 * and V is 160 plus the row; what pads a row is 238.
 */
import { appendFileSync, writeSync } from 'node:fs';
import { behaviour, die, sleepMs } from './behaviour.js';

const VALUES = new Set([
  ...['--camera', '--codec', '-t', '-o', '--width', '--height', '--framerate', '--mode', '--shutter', '--gain'],
  ...['--autofocus-mode', '--lens-position'],
]);
const FLAGS = new Set(['-n', '--flush', '--hflip', '--vflip']);

const said = new Map<string, string>();
const args = process.argv.slice(2);
for (let i = 0; i < args.length; i++) {
  if (FLAGS.has(args[i])) said.set(args[i], '');
  else if (VALUES.has(args[i]) && args[i + 1] !== undefined) said.set(args[i], args[++i]);
  else die(`ERROR: *** unrecognised option '${args[i]}' ***`);
}
if (said.get('--codec') !== 'yuv420' || said.get('-o') !== '-') die('ERROR: *** only yuv420 to - here ***');
if (!/^(\d+:\d+:\d+:[PU])?$/.test(said.get('--mode') ?? '')) die('ERROR: *** Invalid mode ***');
const width = Number(said.get('--width'));
const height = Number(said.get('--height'));
if (width % 2 || height % 2) die('ERROR: *** failed to configure streams ***');
const { ignores = [], log } = behaviour();
for (const signal of ignores) process.on(signal, () => {});
if (log) appendFileSync(log, `${JSON.stringify({ pid: process.pid, args })}\n`);

const { startMs = 50, says, exit } = behaviour();
sleepMs(startMs);
process.stderr.write('[0:19:06.390293141] [2746]  INFO Camera camera_manager.cpp:326 libcamera v0.5.1+100-e53bdf1f\n');
if (says) process.stderr.write(`${says}\n`);
if (exit !== undefined) process.exit(exit);

const stride = Math.ceil(width / (behaviour().padding ?? 64)) * (behaviour().padding ?? 64);
const frame = new Uint8Array((stride * height * 3) / 2).fill(238);
for (let y = 0; y < height; y++) {
  for (let x = 0; x < width; x++) frame[y * stride + x] = (3 * x + 5 * y) & 255;
}
for (let y = 0; y < height / 2; y++) {
  const u = stride * height + (y * stride) / 2;
  frame.fill(90, u, u + width / 2);
  frame.fill((160 + y) & 255, u + (stride * height) / 4, u + (stride * height) / 4 + width / 2);
}

let number = 0;
setInterval(
  () => {
    const { stallAfter, dieAfter, halfAt = [] } = behaviour();
    if (dieAfter !== undefined && number >= dieAfter) process.exit(1);
    if (stallAfter !== undefined && number >= stallAfter) return;
    frame[0] = number & 255;
    let data = halfAt.includes(number) ? frame.subarray(0, frame.length / 2 - 100) : frame;
    number++;
    try {
      while (data.length > 0) data = data.subarray(writeSync(1, data));
    } catch {
      // rpicam-vid throws when its output is closed, in a thread that nobody catches it in
      process.abort();
    }
  },
  1000 / Number(said.get('--framerate')),
);
