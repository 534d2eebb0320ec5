import { join } from 'node:path';
import t from 'tap';
import { FrameEncoder } from '../../agent/pipeline/encode.js';
import { References } from '../../agent/pipeline/references.js';
import { openEdgeBundle } from '../../edge/worker/bundles.js';
import { ReferenceStore } from '../../edge/worker/references.js';
import { decodeSymbols } from '../../edge/worker/symbols.js';
import { packageRoot } from '../../platform/root.js';
import { Coding, codeChecksum, parseFrame, splitPredicted } from '../../protocol/index.js';

t.test('a predicted message holds the checksum of its reference, then the code; the edge decodes it', async (t) => {
  const edge = await openEdgeBundle(join(packageRoot(), 'test/fixtures/tiny-context-bundle'));
  const { code } = edge.bundle.manifest.partitions[0];
  const encoder = new FrameEncoder(edge.bundle, 7);
  const references = new References(1e9);
  const store = new ReferenceStore(2 ** 20);
  const info = { sourceWidth: 32, sourceHeight: 32 };
  const decoded = (message: Uint8Array): Uint8Array | undefined => {
    const frame = parseFrame(message);
    const out = new Uint8Array(edge.routes[0].cells);
    return decodeSymbols({ device: 'cam', frame, route: edge.routes[0] }, store, out) ? out : undefined;
  };

  const first = Uint8Array.from({ length: edge.routes[0].cells }, (_, i) => (i * 5) % code.levels);
  const key = encoder.symbols(0, 1, first, { ...info, frame: 1 });
  t.same(decoded(key), first);
  references.sent({ frame: 1, partition: 0, rate: 1, symbols: first }, true, 0);
  references.answered(1, 'edge-1');

  for (const frame of [2, 3]) {
    const symbols = first.slice();
    symbols[frame] = (symbols[frame] + 1) % code.levels;
    const reference = references.choose(frame, 0, 1, 'edge-1', 1);
    if (reference === undefined) throw new Error('no reference');
    const made = encoder.shortest(0, 1, { symbols }, { ...info, frame }, reference);
    t.notOk(made.key);
    const { coding, payload, reference: back } = parseFrame(made.message);
    t.same([coding, back, splitPredicted(payload).checksum], [Coding.inter, frame - 1, codeChecksum(first)]);
    t.ok(made.message.length < key.length);
    t.same(decoded(made.message), symbols, `frame ${frame}`);
  }
});
