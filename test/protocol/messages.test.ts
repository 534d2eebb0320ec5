import t from 'tap';
import {
  encodeResult,
  HEALTH_MAX_BYTES,
  isFailure,
  ProtocolError,
  parseHealth,
  parseResult,
  parseStatus,
  RESULT_MAX_BYTES,
} from '../../protocol/index.js';
import { vectors } from './vectors.js';

const bytes = (text: string): Uint8Array => Buffer.from(text);

t.test('golden results are read; what is written is read back the same', async (t) => {
  for (const text of vectors.results.valid) {
    const message = parseResult(bytes(text));
    t.same(message, JSON.parse(text));
    t.same(JSON.parse(encodeResult(message)), JSON.parse(text));
  }
  t.equal(vectors.results.valid.filter((text) => isFailure(parseResult(bytes(text)))).length, 2);
});

t.test('golden bad results are refused by their code', async (t) => {
  for (const { text, code } of vectors.results.invalid) t.throws(() => parseResult(bytes(text)), { code }, text);
});

t.test('results are rounded to what a reader can use', async (t) => {
  const message = parseResult(bytes(vectors.results.valid[0]));
  if (isFailure(message)) throw new Error('a result');
  message.detections[0].score = 0.123456789;
  message.detections[0].box = [1.23456, 2, 3.999, 4];
  message.edge_ms.tail = 1.23456789;
  const read = JSON.parse(encodeResult(message));
  t.equal(read.detections[0].score, 0.1235);
  t.same(read.detections[0].box, [1.23, 2, 4, 4]);
  t.equal(read.edge_ms.tail, 1.235);
});

t.test('oversized messages are refused unread', async (t) => {
  t.throws(() => parseResult(new Uint8Array(RESULT_MAX_BYTES + 1)), { code: 'message_too_large' });
  t.throws(() => parseHealth(new Uint8Array(HEALTH_MAX_BYTES + 1)), { code: 'message_too_large' });
});

t.test('errors name the key, the value and what is allowed', async (t) => {
  const text = vectors.results.valid[0].replace('"frame":7', '"frame":-7');
  t.throws(() => parseResult(bytes(text)), { message: /frame: -7; must be >= 0/ });
});

t.test('health', async (t) => {
  const health = { v: 1, device: 'cam-1', session: 5, uptime_s: 1.5, drops: { late: 3 }, steps_ms: { head: 12.5 } };
  t.same(parseHealth(bytes(JSON.stringify(health))), health);
  const wrong = [
    { ...health, device: 'a/b' },
    { ...health, drops: { late: -1 } },
    { ...health, uptime_s: 'long' },
    { ...health, v: 2 },
  ];
  for (const value of wrong) {
    t.throws(() => parseHealth(bytes(JSON.stringify(value))), { code: 'message_invalid' }, JSON.stringify(value));
  }
});

t.test('status of a device, of an edge, and of one that left', async (t) => {
  for (const status of [{ online: false }, { online: true, session: 3 }, { online: true, worker: 'e', bundles: [] }]) {
    t.same(parseStatus(bytes(JSON.stringify(status))), status);
  }
  t.throws(() => parseStatus(bytes('{}')), ProtocolError);
  t.throws(() => parseStatus(bytes('{"online":"yes"}')), { message: /online: "yes"; must be of type boolean/ });
});
