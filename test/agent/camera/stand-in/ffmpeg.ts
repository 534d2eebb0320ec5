/** Stands in for ffmpeg with a V4L2 device: tells the formats of a fixture, and gives grey pictures of the size it is asked for. */
import { appendFileSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../../../platform/root.js';
import { behaviour, die } from './behaviour.js';

const args = process.argv.slice(2);
const after = (name: string) => args[args.indexOf(name) + 1];
if (after('-f') !== 'v4l2') die('only v4l2 here');
const { says, list = 'v4l2-c270', log } = behaviour();
if (says) die(says);
if (args.includes('-list_formats')) {
  die(readFileSync(join(packageRoot(), 'test/fixtures/cameras', `${list}.txt`), 'utf8'));
}
if (log) appendFileSync(log, `${JSON.stringify({ pid: process.pid, args })}\n`);
const [, width, height] = /scale=(\d+):(\d+)/.exec(after('-vf')) ?? [];
const frame = new Uint8Array(Number(width) * Number(height) * 3).fill(100);
let number = 0;
setInterval(
  () => {
    const { stallAfter, says: now } = behaviour();
    if (now) die(now);
    if (stallAfter !== undefined && number >= stallAfter) return;
    number++;
    for (let data = frame; data.length > 0; ) data = data.subarray(writeSync(1, data));
  },
  1000 / Number(after('-framerate')),
);
