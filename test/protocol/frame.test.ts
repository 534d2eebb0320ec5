import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { packageRoot } from '../../platform/root.js';
import {
  Coding,
  encodeFrame,
  FRAME_HEADER_BYTES,
  FRAME_MAX_BYTES,
  FrameError,
  type FrameHeader,
  finishFrame,
  parseFrame,
} from '../../protocol/index.js';
import { vectors } from './vectors.js';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const header: FrameHeader = {
  coding: Coding.intra,
  bundleId: '0123456789abcdef',
  session: 1,
  frame: 2,
  partition: 0,
  rate: 0,
  reference: 0,
  sourceWidth: 640,
  sourceHeight: 480,
};
const failure = (f: () => unknown): FrameError => {
  try {
    f();
  } catch (error) {
    if (error instanceof FrameError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
};

t.test('golden frames read and written, byte for byte', async (t) => {
  for (const vector of vectors.frames.valid) {
    const payload = Buffer.from(vector.payload, 'hex');
    t.equal(hex(encodeFrame(vector.header, payload)), vector.hex, `${vector.name}: written`);
    const { payload: read, ...fields } = parseFrame(Buffer.from(vector.hex, 'hex'));
    t.same(fields, vector.header, `${vector.name}: header`);
    t.equal(hex(read), vector.payload, `${vector.name}: payload`);
  }
});

t.test('the example in docs/protocol.md is the first vector', async (t) => {
  const text = readFileSync(join(packageRoot(), 'docs/protocol.md'), 'utf8');
  const dump = /```\n([0-9a-f \n]+)```/.exec(text)?.[1] ?? '';
  t.equal(dump.replace(/\s/g, ''), vectors.frames.valid[0].hex);
});

t.test('golden bad frames are refused by their code', async (t) => {
  for (const vector of vectors.frames.invalid) {
    const error = failure(() => parseFrame(Buffer.from(vector.hex, 'hex')));
    t.equal(error.code, vector.code, vector.name);
    t.equal(error.identity !== undefined, vector.answerable, `${vector.name}: answerable or not`);
  }
});

t.test('an answerable error carries what the answer repeats', async (t) => {
  const vector = vectors.frames.invalid.find((v) => v.name === 'version 2');
  const error = failure(() => parseFrame(Buffer.from(vector?.hex ?? '', 'hex')));
  t.same(error.identity, { bundleId: '0123456789abcdef', session: 0xdeadbeef, frame: 7 });
});

t.test('every truncation and every single bit flip is refused', async (t) => {
  const whole = encodeFrame(
    header,
    Uint8Array.from({ length: 40 }, (_, i) => i),
  );
  const accepted: string[] = [];
  for (let length = 0; length < whole.length; length++) {
    if (!(failure(() => parseFrame(whole.subarray(0, length))) instanceof FrameError)) accepted.push(`cut ${length}`);
  }
  for (let bit = 0; bit < whole.length * 8; bit++) {
    const changed = whole.slice();
    changed[bit >> 3] ^= 1 << (bit & 7);
    const error = failure(() => parseFrame(changed));
    if (error.identity !== undefined) accepted.push(`bit ${bit} trusted`);
  }
  t.same(accepted, []);
});

t.test('views, not copies; also of a message inside a larger buffer', async (t) => {
  const message = encodeFrame(header, Uint8Array.of(1, 2, 3));
  const larger = Buffer.alloc(100);
  larger.set(message, 13);
  const frame = parseFrame(larger.subarray(13, 13 + message.length));
  t.equal(frame.payload.buffer, larger.buffer);
  t.same([...frame.payload], [1, 2, 3]);
});

t.test('finishFrame puts the header before a payload in place', async (t) => {
  const buffer = new Uint8Array(200);
  buffer.set([9, 8, 7], FRAME_HEADER_BYTES);
  const message = finishFrame(buffer, header, 3);
  t.equal(message.buffer, buffer.buffer);
  t.same([...parseFrame(message).payload], [9, 8, 7]);
  t.equal(failure(() => finishFrame(buffer, header, 165)).code, 'frame_length');
  t.equal(failure(() => finishFrame(buffer, header, 0)).code, 'frame_empty');
  t.equal(failure(() => finishFrame(buffer, header, -1)).code, 'frame_empty');
});

t.test('the size cap holds both ways, to the byte', async (t) => {
  const most = new Uint8Array(FRAME_MAX_BYTES - FRAME_HEADER_BYTES);
  t.equal(parseFrame(encodeFrame(header, most)).payload.length, most.length);
  t.equal(failure(() => encodeFrame(header, new Uint8Array(most.length + 1))).code, 'frame_too_large');
  t.equal(failure(() => parseFrame(new Uint8Array(FRAME_MAX_BYTES + 1))).code, 'frame_too_large');
});

t.test('a writer cannot put a field out of its range', async (t) => {
  const wrong: Partial<Record<keyof FrameHeader, unknown>>[] = [
    { bundleId: '0123' },
    { bundleId: '0123456789ABCDEF' },
    { session: 2 ** 32 },
    { session: -1 },
    { frame: 0.5 },
    { frame: Number.NaN },
    { partition: 256 },
    { rate: 256 },
    { reference: 65536 },
    { sourceWidth: 65536 },
    { sourceHeight: -1 },
  ];
  for (const change of wrong) {
    const error = failure(() => encodeFrame({ ...header, ...change } as FrameHeader, Uint8Array.of(1)));
    t.equal(error.code, 'frame_field', JSON.stringify(change));
  }
  t.equal(failure(() => encodeFrame({ ...header, sourceWidth: 0 }, Uint8Array.of(1))).code, 'frame_size');
});
