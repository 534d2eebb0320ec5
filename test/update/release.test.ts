import { createHash, createPublicKey, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { refusal } from '../../agent/update/acceptance.js';
import { readTrustedKeys } from '../../agent/update/keys.js';
import { emptyState } from '../../agent/update/state.js';
import {
  type BundleRelease,
  CHUNK_BYTES,
  ChunkAnswer,
  ChunkHasher,
  canonicalJson,
  chunkListBytes,
  encodeChunk,
  isOlderVersion,
  keyId,
  parseChunk,
  parseOffer,
  parseRequest,
  releaseDigest,
  type SignedRelease,
  signedBytes,
  Topics,
  validateRelease,
  verifyRelease,
} from '../../protocol/index.js';
import { bundleRelease, configRelease } from '../../scripts/commands/update/make-release.js';
import { newKey, tempFolder, terms, tinyBundle } from './world.js';

t.test('canonical JSON: the examples of RFC 8785', async (t) => {
  const example = {
    numbers: [333333333.3333333, 1e30, 4.5, 2e-3, 1e-27],
    string: '\u20ac$\u000f\nA\'B"\\\\"/',
    literals: [null, true, false],
  };
  t.equal(
    canonicalJson(example),
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
  );
  const keys = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\ud83d\ude00': 5, '\u0080': 6, ö: 7 };
  t.same(Object.values(JSON.parse(canonicalJson(keys))).length, 7);
  t.match(canonicalJson(keys), /^\{"\\r":2,"1":4,"\u0080":6,"ö":7,"€":1,"😀":5,"\ufb33":3\}$/u);
  for (const odd of [undefined, Number.NaN, Number.POSITIVE_INFINITY, () => 1, 1n]) {
    t.throws(() => canonicalJson({ odd }), TypeError);
  }
});

t.test('a signature holds for what was signed, by its key, and for nothing else', async (t) => {
  const key = newKey();
  const release = await bundleRelease(tinyBundle, terms(7), key);
  const open = createPublicKey(key);
  t.ok(verifyRelease(release, open));
  t.equal(release.key, keyId(open));
  t.notOk(verifyRelease(release, createPublicKey(newKey())));
  t.match(signedBytes(release).toString(), /^deepcod release 1\n\{"bundle":/);
  const shuffled = Object.fromEntries(Object.entries(release).reverse()) as unknown as SignedRelease;
  t.ok(verifyRelease(shuffled, open), 'the order of keys does not matter');
  t.equal(releaseDigest(shuffled), releaseDigest(release));
  for (const change of [
    { sequence: 8 },
    { to: ['yard'] },
    { allow_older: true },
    { min_agent: '0.0.1' },
    { kind: 'config' },
  ]) {
    t.notOk(verifyRelease({ ...release, ...change } as SignedRelease, open), JSON.stringify(change));
  }
  const { files } = release as BundleRelease;
  for (const name of Object.keys(files)) {
    const changed = { ...files, [name]: { ...files[name], bytes: files[name].bytes + 1 } };
    t.notOk(verifyRelease({ ...release, files: changed } as SignedRelease, open), name);
  }
});

t.test('releases that cannot be meant are none: paths, sizes, ids, unknown keys', async (t) => {
  const key = newKey();
  const good = (await bundleRelease(tinyBundle, terms(7), key)) as BundleRelease & SignedRelease;
  t.same(validateRelease(good), good);
  const file = { bytes: 10, sha256: 'a'.repeat(64) };
  const withFile = (name: string, more: object = file) => ({ ...good, files: { ...good.files, [name]: more } });
  const { 'manifest.json': _, ...rest } = good.files;
  const odd: [string, unknown][] = [
    ...[
      '../evil',
      'a/../../evil',
      '/etc/passwd',
      'a\\b',
      'c:x',
      'a//b',
      '.hidden',
      'a/.',
      '',
      'a\0b',
      'x'.repeat(201),
    ].map((name): [string, unknown] => [`path ${JSON.stringify(name)}`, withFile(name)]),
    ['huge file', withFile('big', { ...file, bytes: 2 ** 40, chunks: 'b'.repeat(64) })],
    [
      'huge sum',
      {
        ...good,
        files: {
          ...good.files,
          ...Object.fromEntries(
            [1, 2, 3, 4, 5].map((i) => [`f${i}`, { bytes: 2 ** 31, sha256: 'a'.repeat(64), chunks: 'b'.repeat(64) }]),
          ),
        },
      },
    ],
    ['negative', withFile('x', { ...file, bytes: -1 })],
    ['a fraction', withFile('x', { ...file, bytes: 1.5 })],
    ['no chunk list', withFile('x', { ...file, bytes: CHUNK_BYTES + 1 })],
    ['no manifest', { ...good, files: { a: file, ...rest } }],
    ['another bundle', { ...good, bundle: '0'.repeat(16) }],
    ['many files', { ...good, files: Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`f${i}`, file])) }],
    ['unknown key', { ...good, run: 'rm -rf /' }],
    ['sequence 0', { ...good, sequence: 0 }],
    ['no device', { ...good, to: ['edge'] }],
    ['no signature', { ...good, signature: undefined }],
    ['both kinds', { ...good, config: { a: 1 } }],
    ['no time', { ...good, created: '2026-99-99T99:99:99.999Z' }],
    ['nothing', null],
  ];
  for (const [what, value] of odd) {
    t.throws(() => validateRelease(JSON.parse(JSON.stringify(value))), { code: 'release_invalid' }, what);
  }
  const left: string[] = [];
  const offer = parseOffer(Buffer.from(JSON.stringify({ v: 1, releases: [withFile('../evil'), good] })), (e) =>
    left.push(e.code),
  );
  t.same(offer.releases, [good], 'a bad one does not stand in the way of a good one');
  t.same(left, ['release_invalid']);
  for (const bytes of [
    '',
    '[]',
    '{"v":2,"releases":[]}',
    '{"v":1}',
    `{"v":1,"releases":[${'1,'.repeat(9)}1]}`,
    ' '.repeat(300_000),
  ]) {
    t.throws(() => parseOffer(Buffer.from(bytes), () => {}));
  }
});

t.test('chunks: one hash each, the list proves them', async (t) => {
  for (const bytes of [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 5 * CHUNK_BYTES + 77]) {
    const content = randomBytes(bytes);
    const hasher = new ChunkHasher();
    for (let at = 0; at < bytes; ) {
      const size = 1 + Math.floor(Math.random() * 40_000);
      hasher.update(content.subarray(at, at + size));
      at += size;
    }
    const { sha256, list } = hasher.finish();
    t.equal(sha256, createHash('sha256').update(content).digest('hex'));
    t.equal(list.length, chunkListBytes(bytes));
    for (let i = 0; i * CHUNK_BYTES < bytes; i++) {
      const chunk = content.subarray(i * CHUNK_BYTES, (i + 1) * CHUNK_BYTES);
      t.same(list.subarray(i * 32, i * 32 + 32), createHash('sha256').update(chunk).digest());
    }
  }
});

t.test('pieces on the wire', async (t) => {
  const data = randomBytes(100);
  const message = encodeChunk(0xfedcba98, ChunkAnswer.data, data);
  t.equal(message.subarray(0, 8).toString('hex'), '445501009 8badcfe'.replace(' ', ''));
  t.same(parseChunk(message), { id: 0xfedcba98, answer: 0, data });
  t.same(parseChunk(encodeChunk(1, ChunkAnswer.busy))?.data.length, 0);
  for (const odd of [
    message.subarray(0, 7),
    Buffer.alloc(8),
    Buffer.alloc(CHUNK_BYTES + 9),
    Buffer.from('4455010900000000', 'hex'),
  ]) {
    t.equal(parseChunk(odd), undefined);
  }
  const request = { v: 1, id: 1, edge: 'e', file: 'a'.repeat(64), of: 'data', at: 0, bytes: 1 };
  t.same(parseRequest(Buffer.from(JSON.stringify(request))), request);
  for (const odd of [
    { at: -1 },
    { bytes: 0 },
    { bytes: CHUNK_BYTES + 1 },
    { file: '../x' },
    { of: 'x' },
    { at: 0.5 },
    { id: 2 ** 32 },
  ]) {
    t.throws(() => parseRequest(Buffer.from(JSON.stringify({ ...request, ...odd }))), { code: 'message_invalid' });
  }
  t.throws(() => parseRequest(Buffer.from(JSON.stringify({ ...request, x: 'x'.repeat(2000) }))), {
    code: 'message_too_large',
  });
});

t.test('topics', async (t) => {
  const topics = new Topics();
  t.same(topics.parse(topics.updateOffer('yard', 'edge-1')), {
    kind: 'update-offer',
    device: 'yard',
    worker: 'edge-1',
  });
  t.same(topics.parse(topics.updateRequest('yard')), { kind: 'update-request', device: 'yard' });
  t.same(topics.parse(topics.updateChunk('yard')), { kind: 'update-chunk', device: 'yard' });
  t.same(topics.parse(topics.updateStatus('yard')), { kind: 'update-status', device: 'yard' });
  for (const odd of [
    'update',
    'update/offer',
    'update/offer/a b',
    'update/offer/e/x',
    'update/x',
    'update/status/x',
    'update/offer/+',
  ]) {
    t.equal(topics.parse(`deepcod/yard/${odd}`), undefined, odd);
  }
  t.throws(() => topics.updateOffer('yard', '+'));
});

t.test('what a device takes', async (t) => {
  const root = await tempFolder(t);
  const key = newKey(join(root, 'keys'));
  const keys = readTrustedKeys(join(root, 'keys'));
  const facts = { device: 'yard', version: '0.2.0', keys };
  const state = emptyState();
  state.bundle = { sequence: 10, created: '2026-01-01T00:00:10.000Z' };
  const make = (sequence: number, more: object = {}, by = key) => bundleRelease(tinyBundle, terms(sequence, more), by);
  const code = (release: SignedRelease, now = state) => refusal(release, facts, now)?.code;
  t.equal(code(await make(11)), undefined);
  t.equal(code(await make(11, {}, newKey())), 'unknown_key');
  t.equal(code({ ...(await make(11)), key: (await make(11, {}, newKey())).key }), 'unknown_key');
  t.equal(code({ ...(await make(11)), sequence: 12 }), 'bad_signature');
  t.equal(code({ ...(await make(11)), signature: 'A'.repeat(86) }), 'bad_signature');
  t.equal(code(await make(10)), 'older', 'the same number again');
  t.equal(code(await make(9)), 'older');
  t.equal(code(await make(11, { created: new Date(0) })), 'older', 'signed before what is accepted');
  t.equal(code(await make(9, { allowOlder: true })), undefined);
  t.equal(code(await make(11, { to: ['gate'] })), 'not_for_this_device');
  t.equal(code(await make(11, { to: ['gate', 'yard'] })), undefined);
  t.equal(code(await make(11, { minAgent: '0.2.1' })), 'agent_too_old');
  t.equal(code(await make(11, { minAgent: '0.2.0' })), undefined);
  const settings = configRelease({ camera: { fps: 2 } }, terms(1), key);
  t.equal(code(settings), undefined, 'settings count for themselves');
  const back = await make(3, { allowOlder: true });
  const ended = structuredClone(state);
  ended.endings.push({ kind: 'bundle', digest: releaseDigest(back), sequence: 3, outcome: 'kept' });
  t.equal(code(back, ended), 'done', 'going back is for once: nobody can play it again');
  t.ok(isOlderVersion('0.9.9', '0.10.0'));
  t.notOk(isOlderVersion('1.0.0', '1.0.0'));
  t.notOk(isOlderVersion('2.0.0', '1.9.9'));
});

t.test('keys on a device: public ones only', async (t) => {
  const root = await tempFolder(t);
  const keys = join(root, 'keys');
  const first = newKey(keys, 'a');
  newKey(keys, 'b');
  t.equal(readTrustedKeys(keys).size, 2, 'several, to go from one to the next');
  t.equal(readTrustedKeys(join(keys, 'a.pem')).size, 1);

  writeFileSync(join(keys, 'c.pem'), first.export({ type: 'pkcs8', format: 'pem' }));
  t.throws(() => readTrustedKeys(keys), { code: 'update_keys', message: /private key/ });
  writeFileSync(join(keys, 'c.pem'), 'nonsense');
  t.throws(() => readTrustedKeys(keys), { code: 'update_keys' });
  t.throws(() => readTrustedKeys(join(root, 'none')), { code: 'update_keys' });
  const empty = await tempFolder(t);
  t.throws(() => readTrustedKeys(empty), { code: 'update_keys', message: /no \*\.pem/ });
});
