import t from 'tap';
import { ReferenceStore } from '../../edge/worker/references.js';
import { Coding, codeChecksum, type Frame, REFERENCE_WINDOW } from '../../protocol/index.js';

const frame = (number: number, change: Partial<Frame> = {}): Frame => ({
  coding: Coding.intra,
  bundleId: '0123456789abcdef',
  session: 1,
  frame: number,
  partition: 0,
  rate: 0,
  reference: 0,
  sourceWidth: 1,
  sourceHeight: 1,
  payload: new Uint8Array(1),
  ...change,
});
const inter = (number: number, reference: number, change: Partial<Frame> = {}): Frame =>
  frame(number, { coding: Coding.inter, reference, ...change });
const code = (value: number, length = 100): Uint8Array => new Uint8Array(length).fill(value);

t.test('a code is found by its device, stream, number and content, and by nothing less', async (t) => {
  const store = new ReferenceStore(1e6);
  const symbols = code(7);
  store.keep('cam', frame(5), symbols);
  symbols.fill(0);
  const checksum = codeChecksum(code(7));
  t.same(store.find('cam', inter(7, 2), checksum), code(7), 'a copy');
  t.equal(store.find('cam', inter(7, 1), checksum), undefined, 'another number');
  t.equal(store.find('other', inter(7, 2), checksum), undefined, 'another device');
  t.equal(store.find('cam', inter(7, 2), checksum ^ 1), undefined, 'other symbols');
  for (const change of [{ session: 2 }, { bundleId: 'f'.repeat(16) }, { partition: 1 }, { rate: 1 }]) {
    t.equal(store.find('cam', inter(7, 2, change), checksum), undefined, JSON.stringify(change));
  }
});

t.test('a device has few codes, and those before a used reference go', async (t) => {
  const store = new ReferenceStore(1e6);
  for (let i = 0; i < 3 * REFERENCE_WINDOW; i++) store.keep('cam', frame(i), code(i));
  t.equal(store.count('cam'), REFERENCE_WINDOW);
  const last = 3 * REFERENCE_WINDOW;
  t.equal(
    store.find('cam', inter(last, REFERENCE_WINDOW + 1), codeChecksum(code(last - REFERENCE_WINDOW - 1))),
    undefined,
  );
  t.ok(store.find('cam', inter(last, REFERENCE_WINDOW), codeChecksum(code(last - REFERENCE_WINDOW))));
  store.keep('cam', inter(last, 2), code(last));
  t.equal(store.count('cam'), 3, 'the reference, the one after it, and the new one');
  for (let i = 0; i < 50; i++) store.keep('cam', frame(last), code(i));
  t.equal(store.count('cam'), 3, 'the same frame again takes no more');
  t.equal(store.find('cam', inter(last + 1, 1), codeChecksum(code(last))), undefined, 'and replaces what was there');
  store.keep('cam', frame(0, { session: 9 }), code(1));
  t.equal(store.count('cam'), 1, 'a restarted device begins anew');
});

t.test('memory is bounded, and is what the store says', async (t) => {
  const store = new ReferenceStore(50_000);
  for (let i = 0; i < 5000; i++) {
    const reference = i % 3 === 0 && i > 2 ? 1 + (i % 7) : 0;
    const change = { session: i % 4, rate: i % 2, coding: reference > 0 ? Coding.inter : Coding.intra, reference };
    store.keep(`cam-${(i * 7919) % 1000}`, frame(i, change), code(i, 1 + (i % 900)));
    if (store.bytes > 50_000 || store.bytes < 0) t.fail(`${store.bytes} bytes`);
  }
  t.ok(store.devices > 20 && store.devices < 49);
  store.keep('one', frame(1), code(1, 40_000));
  t.equal(store.count('one'), 1);
  store.keep('huge', frame(1), code(1, 60_000));
  t.same([store.devices, store.bytes], [0, 0], 'what cannot fit is not kept, and nothing is left over in the sum');
});

t.test('the device unused for longest is forgotten first', async (t) => {
  const store = new ReferenceStore(3 * (1000 + 1024));
  for (const name of ['a', 'b', 'c']) store.keep(name, frame(1), code(1, 1000));
  store.keep('a', inter(2, 1), code(1, 1000));
  t.same(
    ['a', 'b', 'c'].map((name) => store.count(name)),
    [2, 0, 1],
  );
});
