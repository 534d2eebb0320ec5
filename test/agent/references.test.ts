import t from 'tap';
import { References } from '../../agent/pipeline/references.js';
import { codeChecksum, REFERENCE_WINDOW } from '../../protocol/index.js';

const symbols = (value: number): Uint8Array => new Uint8Array(16).fill(value);

/** References with one edge, and short ways to use them. */
function made(keyIntervalMs = 10_000) {
  const state = { edge: 'edge-1' as string | undefined, now: 0 };
  const references = new References(keyIntervalMs);
  return {
    state,
    references,
    send: (frame: number, { partition = 0, rate = 0, key = true } = {}) =>
      references.sent({ frame, partition, rate, symbols: symbols(frame) }, key, state.now),
    choose: (frame: number, partition = 0, rate = 0) =>
      references.choose(frame, partition, rate, state.edge, state.now),
  };
}

t.test('only a frame that was answered is a reference, and the latest one', async (t) => {
  const { references, send, choose } = made();
  t.equal(choose(0), undefined, 'the first frame is a key frame');
  send(0);
  t.equal(choose(1), undefined, 'on its way is not there');
  references.answered(0, 'edge-1');
  t.match(choose(1), { frame: 0, symbols: symbols(0), checksum: codeChecksum(symbols(0)) });
  send(1, { key: false });
  send(2, { key: false });
  references.answered(2, 'edge-1');
  references.answered(1, 'edge-1');
  t.equal(choose(3)?.frame, 2, 'answers out of order');
  references.answered(99, 'edge-1');
  t.equal(choose(3)?.frame, 2, 'an answer to what was never sent');
  t.equal(references.size, 1, 'what was answered is not kept twice');
});

t.test('what makes a key frame', async (t) => {
  const ready = () => {
    const all = made();
    all.send(0);
    all.references.answered(0, 'edge-1');
    t.ok(all.choose(1));
    return all;
  };
  const cases: Record<string, (all: ReturnType<typeof made>) => unknown> = {
    'another partition': ({ choose }) => choose(1, 1, 0),
    'another rate': ({ choose }) => choose(1, 0, 1),
    'another edge': ({ state, choose }) => {
      state.edge = 'edge-2';
      return choose(1);
    },
    'several edges, or none': ({ state, choose }) => {
      state.edge = undefined;
      return choose(1);
    },
    'a loss': ({ references, send, choose }) => {
      send(1);
      references.lost(1);
      return choose(2);
    },
    'the interval': ({ state, choose }) => {
      state.now = 10_000;
      return choose(1);
    },
    'a reference that the edge may have dropped': ({ send, choose }) => {
      for (let i = 1; i < REFERENCE_WINDOW; i++) send(i, { key: false });
      t.ok(choose(REFERENCE_WINDOW), 'not yet');
      send(REFERENCE_WINDOW, { key: false });
      return choose(REFERENCE_WINDOW + 1);
    },
    'a distance that the header cannot hold': ({ choose }) => {
      t.ok(choose(65_535));
      return choose(65_536);
    },
  };
  for (const [name, act] of Object.entries(cases)) t.equal(act(ready()), undefined, name);
  const skipped = ready();
  skipped.send(1, { key: false });
  skipped.references.skipped(1);
  t.equal(skipped.choose(2)?.frame, 0, 'a frame that an edge passed over leaves the reference');
  const none = made(0);
  none.send(0);
  none.references.answered(0, 'edge-1');
  t.equal(none.choose(1), undefined, 'interval 0: every frame');
});

t.test('missing references again and again: longer pauses, until a predicted frame is answered', async (t) => {
  const { references, send, choose } = made();
  let frame = 0;
  const miss = () => {
    references.missing();
    let keys = 0;
    do {
      send(++frame);
      references.answered(frame, 'edge-1');
      keys++;
    } while (choose(frame + 1) === undefined);
    return keys;
  };
  t.same(Array.from({ length: 9 }, miss), [1, 2, 4, 8, 16, 32, 64, 64, 64]);
  send(++frame, { key: false });
  references.answered(frame, 'edge-1');
  t.equal(miss(), 1);
  references.giveUp();
  for (let i = 0; i < 200; i++) {
    send(++frame);
    references.answered(frame, 'edge-1');
  }
  t.equal(choose(frame + 1), undefined, 'an edge that does not read predicted frames is not asked again');
});
