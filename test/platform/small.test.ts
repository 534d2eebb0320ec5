import t from 'tap';
import { DeepcodError } from '../../platform/errors.js';
import { Histogram } from '../../platform/histogram.js';
import { chooseFormat, journalFormat, jsonFormat, textFormat } from '../../platform/log/format.js';
import { createLog } from '../../platform/log.js';
import { matchesFilter } from '../../platform/mqtt/filter.js';
import { defaultRetry, retryDelays } from '../../platform/retry.js';
import { closest, didYouMean, editDistance } from '../../platform/suggest.js';

t.test('percentiles are those of numpy, of the latest values', async (t) => {
  const h = new Histogram(5);
  t.same(h.percentiles(50), [null]);
  t.equal(h.mean(), null);
  for (const value of [100, 200, 1, 2, 3, 4, 10]) h.add(value);
  h.add(Number.NaN);
  t.equal(h.added, 7);
  t.equal(h.size, 5);
  t.equal(h.p50(), 3);
  t.equal(h.mean(), 4);
  const [p0, p95, p100] = h.percentiles(0, 95, 100);
  t.same([p0, p100], [1, 10]);
  t.ok(Math.abs((p95 as number) - 8.8) < 1e-9);
  t.throws(() => new Histogram(0), RangeError);
});

t.test('log: one line per event, levels, children', async (t) => {
  const lines: string[] = [];
  const log = createLog('agent', 'info', { format: textFormat, write: (line) => lines.push(line) });
  log.debug('not shown');
  log.child('broker').warn('gone', { reason: 'connection refused', after_s: 1.23456, nothing: undefined });
  log.error('two\nlines', { error: new DeepcodError('bad', 'it "broke"', 'fix it') });
  t.equal(lines.length, 2);
  t.match(lines[0], /Z warn {2}agent\/broker: gone reason="connection refused" after_s=1\.235$/);
  t.match(lines[1], /error agent: two lines error="it \\"broke\\"" code=bad hint="fix it"$/);
});

t.test('log formats', async (t) => {
  const event = {
    time: new Date(0),
    level: 'error' as const,
    name: 'edge',
    message: 'm',
    fields: { name: 'x', n: 1n },
  };
  t.equal(journalFormat(event), '<3>error edge: m name=x n=1');
  t.same(JSON.parse(jsonFormat(event)), {
    time: '1970-01-01T00:00:00.000Z',
    level: 'error',
    name: 'edge',
    message: 'm',
    field_name: 'x',
    n: '1',
  });
  t.equal(chooseFormat({ JOURNAL_STREAM: '8:1' }, false, '8:1'), journalFormat);
  t.equal(chooseFormat({ JOURNAL_STREAM: '8:1' }, false, '8:2'), textFormat, 'inherited, but it leads elsewhere');
  t.equal(chooseFormat({ DEEPCOD_LOG_FORMAT: 'json', JOURNAL_STREAM: '8:1' }, true), jsonFormat);
});

t.test('retry delays grow to their limit and are spread', async (t) => {
  const take = (random: number) => {
    const delays = retryDelays(defaultRetry, () => random);
    return Array.from({ length: 8 }, () => delays.next().value);
  };
  t.same(take(0.5), [500, 1000, 2000, 4000, 8000, 10000, 10000, 10000]);
  t.equal(take(0)[0], 375);
  t.equal(take(1)[0], 625);
});

t.test('suggestions', async (t) => {
  t.equal(editDistance('fsp', 'fps'), 1);
  t.equal(editDistance('', 'abc'), 3);
  t.equal(closest('simulatd', ['replay', 'simulated']), 'simulated');
  t.equal(closest('zzzzzz', ['replay', 'simulated']), undefined);
  t.equal(didYouMean('zzzzzz', ['a', 'b']), 'allowed: a, b');
});

t.test('MQTT filters', async (t) => {
  t.ok(matchesFilter('a/+/frame', 'a/dev/frame'));
  t.notOk(matchesFilter('a/+/frame', 'a/dev/x/frame'));
  t.ok(matchesFilter('a/b/command/#', 'a/b/command/x/y'));
  t.ok(matchesFilter('$share/edge/a/+/frame', 'a/dev/frame'));
  t.notOk(matchesFilter('a/b', 'a/b/c'));
  t.notOk(matchesFilter('a/b/c', 'a/b'));
});
