import t from 'tap';
import { advance, idle, meets, seenBy, type Watch } from '../../edge/rules/evaluate.js';
import type { PlacedDetection } from '../../edge/rules/places.js';
import { completeRule } from '../../edge/rules/rule.js';
import { inSchedule } from '../../edge/rules/schedule.js';
import type { RuleSettings } from '../../edge/rules/types.js';
import { Random } from '../huffman/random.js';

const rule = (change: Partial<RuleSettings> = {}): RuleSettings =>
  completeRule({ name: 'r', type: 'presence', seconds: 3, cooldown_s: 10, ...change });
const head = (change: Partial<PlacedDetection> = {}): PlacedDetection => ({
  ...{ class: 0, label: 'head', score: 0.8, box: [10, 10, 20, 20] },
  ...change,
});
const PATIENCE = 2000;

t.test('what a rule sees: classes, zones, scores, masks; a helmet on a head', (t) => {
  const counted = (settings: Partial<RuleSettings>, ...detections: PlacedDetection[]) =>
    seenBy(rule(settings), detections).count;
  t.equal(counted({}, head(), head({ label: 'helmet' })), 2, 'no classes: all');
  t.equal(counted({ labels: ['helmet'] }, head(), head({ label: 'helmet' })), 1);
  t.equal(counted({ zone: 'A' }, head(), head({ zones: ['A'] }), head({ zones: ['B'] })), 1);
  t.equal(counted({ min_score: 0.9 }, head(), head({ score: 0.95 })), 1);
  t.equal(counted({}, head({ masked: true })), 0);
  const helmet = (score: number, x: number): PlacedDetection => head({ label: 'helmet', score, box: [x, 10, 20, 20] });
  t.equal(counted({ type: 'no_helmet' }, head(), helmet(0.9, 12)), 0, 'a stronger helmet in the same place');
  t.equal(counted({ type: 'no_helmet' }, head(), helmet(0.7, 12)), 1, 'a weaker one');
  t.equal(counted({ type: 'no_helmet' }, head(), helmet(0.9, 100)), 1, 'one elsewhere');
  const count = rule({ type: 'count', above: 2 });
  t.notOk(meets(count, { count: 2, score: 1, labels: [] }));
  t.ok(meets(count, { count: 3, score: 1, labels: [] }));
  t.throws(() => rule({ type: 'count' }), { code: 'rule_invalid' });
  t.throws(() => rule({ above: 2 }), { code: 'rule_invalid' });
  t.end();
});

t.test('hours: within a day, through midnight, by weekday', (t) => {
  const at = (day: number, hour: number, minute = 0) => new Date(2026, 5, 7 + day, hour, minute).getTime();
  t.equal(new Date(at(0, 0)).getDay(), 0, 'a Sunday');
  t.ok(inSchedule([], at(0, 3)));
  const work = [{ days: [1, 2, 3, 4, 5], from: '06:00', to: '18:00' }];
  t.ok(inSchedule(work, at(1, 6)));
  t.ok(inSchedule(work, at(5, 17, 59)));
  t.notOk(inSchedule(work, at(5, 18)));
  t.notOk(inSchedule(work, at(0, 12)));
  const night = [{ days: [5], from: '22:00', to: '05:30' }];
  t.ok(inSchedule(night, at(5, 23)));
  t.ok(inSchedule(night, at(6, 5, 29)), 'Friday’s night lasts into Saturday');
  t.notOk(inSchedule(night, at(6, 5, 30)));
  t.notOk(inSchedule(night, at(6, 23)));
  t.notOk(inSchedule(night, at(5, 3)), 'not Thursday’s');
  const whole = [{ days: [2], from: '00:00', to: '00:00' }];
  t.ok(inSchedule(whole, at(2, 0)) && inSchedule(whole, at(2, 23, 59)));
  t.notOk(inSchedule(whole, at(3, 0)));
  t.end();
});

t.test('property: alerts begin only after the rule held so long, never overlap, and keep their distance', (t) => {
  const source = new Random(11);
  const next = (): number => source.next();
  let starts = 0;
  for (let round = 0; round < 200; round++) {
    const settings = rule({
      seconds: Math.floor(next() * 8),
      cooldown_s: Math.floor(next() * 20),
      ...(next() < 0.3 && { type: 'count', above: 1 }),
    });
    let watch: Watch = idle;
    let at = 1_760_000_000_000;
    let active = false;
    let endedAt = Number.NEGATIVE_INFINITY;
    /** Times at which it was met, oldest first. */
    const met: number[] = [];
    let busy = next() < 0.5;
    for (let step = 0; step < 400; step++) {
      if (next() < 0.05) busy = !busy;
      at += next() < 0.03 ? 5000 * next() : 100 + 400 * next();
      const quiet = next() < 0.1;
      const seen = quiet
        ? undefined
        : { count: busy && next() < 0.9 ? 1 + Math.floor(next() * 3) : 0, score: 0.5, labels: ['head'] };
      const holds = seen !== undefined && meets(settings, seen);
      const before = met.at(-1);
      const result = advance(watch, settings, at, seen, PATIENCE);
      watch = result.watch;
      if (holds) met.push(at);
      if (result.happened === 'start') {
        starts++;
        if (active) t.fail('an alert within an alert');
        if (!holds) t.fail('an alert of nothing');
        if (at - endedAt < settings.cooldown_s * 1000) t.fail('too soon after the last');
        // back from now, without a gap, it was met for so long
        let since = at;
        for (let i = met.length - 2; i >= 0 && since - met[i] <= PATIENCE; i--) since = met[i];
        if (at - since < settings.seconds * 1000) t.fail(`held for ${at - since} ms only`);
        active = true;
      } else if (result.happened === 'end') {
        if (!active) t.fail('an end of nothing');
        if (before === undefined || at - before <= PATIENCE) t.fail('ended although it held');
        active = false;
        endedAt = watch.endedAt ?? Number.NaN;
        if (endedAt !== before) t.fail('it ended when it held last');
      }
      if (watch.active !== active) t.fail('what it remembers is not what it said');
    }
  }
  t.ok(starts > 200, `${starts} alerts`);
  t.end();
});

t.test(
  'property: whatever is seen, nothing begins outside the schedule or while it is off; leaving it ends what goes on',
  (t) => {
    const monday = new Date(2026, 5, 8, 7, 59, 50).getTime();
    const settings = rule({ seconds: 1, cooldown_s: 0, schedule: [{ days: [1], from: '08:00', to: '08:01' }] });
    const seen = { count: 1, score: 0.5, labels: ['head'] };
    let watch: Watch = idle;
    const happened: [number, string][] = [];
    for (let at = monday; at < monday + 120_000; at += 250) {
      const result = advance(watch, settings, at, seen, PATIENCE);
      watch = result.watch;
      if (result.happened) happened.push([at - monday, result.happened]);
    }
    t.same(happened, [
      [11_000, 'start'],
      [70_000, 'end'],
    ]);
    const off = { ...settings, schedule: [], enabled: false };
    for (let at = 0; at < 60_000; at += 500) t.equal(advance(idle, off, at, seen, PATIENCE).happened, undefined);
    t.end();
  },
);
