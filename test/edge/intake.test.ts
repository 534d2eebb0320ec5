import t from 'tap';
import { openEdgeBundles } from '../../edge/worker/bundles.js';
import { Intake, isRefusal } from '../../edge/worker/intake.js';
import { Coding, encodeFrame, frameChecksum, PARTITION_RAW, Topics } from '../../protocol/index.js';
import { codedFrame, codedPayload, header, rawFrame, tinyBundle } from './harness.js';

const bundles = await openEdgeBundles([tinyBundle, tinyBundle]);
const intake = new Intake({ topics: new Topics(), bundles, maxAgeMs: 1000 });
const accept = (message: Uint8Array, properties = {}, topic = 'deepcod/cam/frame') =>
  intake.accept(topic, message, properties, 10);

t.test('good frames become jobs', async (t) => {
  t.equal(bundles.size, 1, 'the same bundle twice counts once');
  const coded = accept(codedFrame(7, 0, 1));
  if (isRefusal(coded)) throw new Error(coded.cause);
  t.match(coded, {
    device: 'cam',
    to: { topic: 'deepcod/cam/result' },
    route: { partition: 'input', input: 'symbols' },
  });
  t.equal(coded.arrivedAt, 10);
  t.equal(coded.expiresAt, 1010);
  const raw = accept(rawFrame(8));
  if (isRefusal(raw)) throw new Error(raw.cause);
  t.match(raw.route, { partition: 'raw', input: 'picture', dims: [32, 32, 3] });
});

t.test('an MQTT 5 expiry shortens a frame’s life, never lengthens it', async (t) => {
  t.match(accept(codedFrame(1), { messageExpiryInterval: 0.5 }), { expiresAt: 510 });
  t.match(accept(codedFrame(1), { messageExpiryInterval: 50 }), { expiresAt: 1010 });
});

t.test('a frame that the broker kept from earlier is counted, not answered', async (t) => {
  t.same(accept(codedFrame(1), { retain: true }), { cause: 'retained' });
});

t.test('response topics are followed only below the device’s own', async (t) => {
  t.match(accept(codedFrame(1), { responseTopic: 'deepcod/cam/result/x' }), { to: { topic: 'deepcod/cam/result/x' } });
  t.match(accept(codedFrame(1), { responseTopic: 'deepcod/other/result' }), { to: { topic: 'deepcod/cam/result' } });
});

t.test('each thing that only a bundle can tell is refused with its code, answerably', async (t) => {
  const payload = codedPayload(0, 0);
  const cases: [string, Uint8Array][] = [
    ['unknown_bundle', encodeFrame(header(3, { bundleId: 'ffffffffffffffff' }), payload)],
    ['unknown_partition', encodeFrame(header(3, { partition: 1 }), payload)],
    ['unknown_partition', encodeFrame(header(3, { partition: 254 }), payload)],
    ['unknown_rate', encodeFrame(header(3, { rate: 2 }), payload)],
    ['unsupported_coding', encodeFrame(header(3, { coding: Coding.inter, reference: 1 }), payload)],
    ['bad_payload', encodeFrame(header(3), new Uint8Array(100_000))],
    ['bad_payload', encodeFrame(header(3, { coding: Coding.raw, partition: PARTITION_RAW }), new Uint8Array(3071))],
    ['bad_payload', encodeFrame(header(3, { coding: Coding.raw, partition: PARTITION_RAW }), new Uint8Array(3073))],
  ];
  for (const [code, message] of cases) {
    const refusal = accept(message);
    t.match(refusal, { cause: code, answer: { code, identity: { session: 99, frame: 3 } } }, code);
  }
  const unknown = accept(cases[0][1]);
  t.match(isRefusal(unknown) && unknown.answer?.hint, /tiny \([0-9a-f]{16}\)/, 'the hint names what is here');
});

t.test('damaged messages are counted, and not answered: nobody knows whose they were', async (t) => {
  const good = codedFrame(3);
  const flipped = good.slice();
  flipped[50] ^= 1;
  t.same(accept(flipped), { cause: 'frame_crc' });
  t.same(accept(good.subarray(0, 20)), { cause: 'frame_short' });
  t.same(accept(good.subarray(0, -1)), { cause: 'frame_length' });
  t.same(accept(new Uint8Array(3 * 2 ** 20)), { cause: 'frame_too_large' });
  t.same(accept(good, {}, 'deepcod/edge/frame'), { cause: 'topic' });
  t.same(accept(good, {}, 'deepcod/a/b/frame'), { cause: 'topic' });
});

t.test('a whole message of another version, or that contradicts itself, is answered', async (t) => {
  const later = codedFrame(3);
  later[2] = 9;
  new DataView(later.buffer).setUint32(32, frameChecksum(later), true);
  t.match(accept(later), { cause: 'frame_version', answer: { code: 'unsupported_version', identity: { frame: 3 } } });
  const strange = codedFrame(3);
  strange[3] = 7;
  new DataView(strange.buffer).setUint32(32, frameChecksum(strange), true);
  t.match(accept(strange), { cause: 'frame_coding', answer: { code: 'bad_frame' } });
});
