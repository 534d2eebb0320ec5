import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { openCoder } from '../../agent/huffman/index.js';
import { openEdgeBundles } from '../../edge/worker/bundles.js';
import { Intake, isRefusal } from '../../edge/worker/intake.js';
import { EdgeWorker } from '../../edge/worker/worker.js';
import { silentLog } from '../../platform/log.js';
import { packageRoot } from '../../platform/root.js';
import {
  Coding,
  codeChecksum,
  encodeFrame,
  type FrameHeader,
  isFailure,
  parseResult,
  REFERENCE_CHECKSUM_BYTES,
  type ResultMessage,
  Topics,
  writePredicted,
} from '../../protocol/index.js';
import { header, until } from './harness.js';

const dir = join(packageRoot(), 'test/fixtures/tiny-context-bundle');
const bundles = await openEdgeBundles([dir]);
const [bundleId] = bundles.keys();
const tables = JSON.parse(await readFile(join(dir, 'entropy/input.json'), 'utf8'));
const coder = openCoder(tables, { height: 8, width: 8, channels: 3, levels: 8 });
const out = new Uint8Array(REFERENCE_CHECKSUM_BYTES + coder.maxBytes);

/** A code with some symbols other than in another. */
const code = (step: number): Uint8Array =>
  Uint8Array.from({ length: 192 }, (_, i) => (i * 5 + (i % 50 < step ? 3 : 0)) % 8);

function key(frame: number, symbols: Uint8Array, change: Partial<FrameHeader> = {}): Uint8Array {
  const length = coder.encode(symbols, change.rate ?? 0, out);
  return encodeFrame(header(frame, { bundleId, ...change }), out.slice(0, length));
}

function inter(
  frame: number,
  symbols: Uint8Array,
  reference: Uint8Array,
  change: Partial<FrameHeader> = {},
): Uint8Array {
  const length = writePredicted(out, codeChecksum(reference), (room) =>
    coder.encodeInter(symbols, reference, change.rate ?? 0, room),
  );
  const fields = { bundleId, coding: Coding.inter, reference: 1, ...change };
  return encodeFrame(header(frame, fields), out.slice(0, length));
}

t.test('lengths count without the checksum', async (t) => {
  const intake = new Intake({ topics: new Topics(), bundles, maxAgeMs: 1000 });
  const fields = header(3, { bundleId, coding: Coding.inter, reference: 1 });
  const accept = (bytes: number) =>
    intake.accept('deepcod/cam/frame', encodeFrame(fields, new Uint8Array(bytes)), {}, 0);
  t.notOk(isRefusal(accept(coder.maxBytes + 4)));
  t.match(accept(coder.maxBytes + 5), { cause: 'bad_payload' });
});

t.test(
  'a reference is this device’s, of this stream and number, with these symbols; else a key frame is asked for',
  async (t) => {
    const answers: { device: string; message: ResultMessage }[] = [];
    const worker = new EdgeWorker(
      {
        name: 'edge-t',
        topics: new Topics(),
        bundles,
        inference: { provider: 'cpu', threads: 1, maxLoaded: 4, maxBytes: 2 ** 30, batch: 4, parallel: 2 },
        queue: { depth: 64, devices: 100, bytes: 1e6, maxAgeMs: 60_000 },
        referenceBytes: 1e6,
        publish: ({ device }, text) => {
          answers.push({ device, message: parseResult(Buffer.from(text)) });
          return true;
        },
      },
      silentLog,
    );
    t.teardown(() => worker.close());
    /** What came of a frame: `result`, or the error's code. */
    const send = async (message: Uint8Array, device = 'cam'): Promise<string> => {
      const before = answers.length;
      worker.handle(`deepcod/${device}/frame`, message);
      await until(() => answers.length > before, 'an answer');
      const { device: to, message: answer } = answers[before];
      t.equal(to, device);
      return isFailure(answer) ? answer.error.code : 'result';
    };
    const [a, b, c] = [code(0), code(1), code(2)];
    t.equal(await send(inter(5, b, a)), 'need_key_frame', 'nothing is here yet');
    t.equal(await send(key(5, a)), 'result');
    t.equal(await send(inter(6, b, a)), 'result');
    t.equal(await send(inter(6, b, a)), 'result', 'the same again');
    t.equal(await send(inter(7, c, b)), 'result');
    t.equal(await send(inter(8, a, b)), 'need_key_frame', 'frame 7 was another');
    t.equal(await send(inter(9, a, c)), 'need_key_frame', 'frame 8 is not here');
    t.equal(await send(inter(9, a, c), 'gate'), 'need_key_frame', 'another device has none');
    t.equal(await send(inter(8, a, c, { session: 1 })), 'need_key_frame', 'another start of the agent');
    t.equal(await send(inter(8, a, c, { partition: 1 })), 'need_key_frame', 'another partition point');
    t.equal(await send(inter(8, a, c, { rate: 1 })), 'need_key_frame', 'another rate');
    const damaged = inter(8, a, c);
    const cut = encodeFrame(
      header(8, { bundleId, coding: Coding.inter, reference: 1 }),
      Buffer.concat([damaged.subarray(36), Buffer.alloc(9)]),
    );
    t.equal(await send(cut), 'bad_payload', 'what does not decode changes nothing');
    t.equal(await send(inter(8, a, c)), 'result');
    t.equal(await send(key(5, c, { session: 1 })), 'result', 'the agent starts again');
    t.equal(await send(inter(9, b, a)), 'need_key_frame', 'what it knew before is gone');
    t.equal(await send(inter(6, b, c, { session: 1 })), 'result');
    t.same(worker.stats().drops, { need_key_frame: 8, bad_payload: 1 });
  },
);
