import t from 'tap';
import { RuleEngine } from '../../edge/rules/engine.js';
import { completeRule, type RuleDraft } from '../../edge/rules/rule.js';
import type { Rule } from '../../edge/rules/types.js';
import { EventTracker } from '../../edge/store/history/tracker.js';

const rule = (draft: Partial<RuleDraft>, id = 'r1'): Rule => ({
  id,
  ...completeRule({ name: 'Bare heads', type: 'no_helmet', seconds: 2, cooldown_s: 5, ...draft }),
  updated: 1,
});
const head = { class: 0, label: 'head', score: 0.8, box: [10, 10, 20, 20] as [number, number, number, number] };

t.test('an alert begins, grows and ends; another camera has its own', (t) => {
  const engine = new RuleEngine();
  engine.setRules([rule({ cameras: ['gate'], zone: 'Crane', severity: 'critical' })], 0);
  const seen = { ...head, zones: ['Crane'] };
  const changes = [];
  for (let at = 0; at <= 4000; at += 500)
    changes.push(...engine.observe('gate', at, at < 3000 ? [seen] : [seen, seen]));
  changes.push(...engine.observe('yard', 4000, [seen]));
  for (let at = 5000; at < 9000; at += 1000) changes.push(...engine.tick(at));
  t.match(changes, [
    {
      type: 'new',
      alert: {
        camera: 'gate',
        severity: 'critical',
        zone: 'Crane',
        count: 1,
        started: 0,
        state: 'open',
        message: /Bare heads: 1 without a helmet at Crane, gate for 2 s/,
      },
    },
    { type: 'update', alert: { count: 2 } },
    { type: 'end', alert: { count: 2, ended: 4000 } },
  ]);
  t.equal(changes.length, 3);
  t.equal(new Set(changes.map(({ alert }) => alert.id)).size, 1);
  t.end();
});

t.test('a rule that changes or goes ends its alerts; one that stays goes on', (t) => {
  const engine = new RuleEngine();
  const [first, second] = [rule({ seconds: 0 }, 'r1'), rule({ seconds: 0 }, 'r2')];
  engine.setRules([first, second], 0);
  const started = engine.observe('gate', 0, [head]);
  t.equal(started.length, 2);
  t.match(engine.setRules([{ ...first, updated: 2 }, second], 100), [
    { type: 'end', alert: { rule: { id: 'r1' }, ended: 100 } },
  ]);
  t.match(engine.setRules([second], 200), []);
  t.ok(engine.has(started[1].alert));
  t.match(engine.setRules([], 300), [{ type: 'end', alert: { rule: { id: 'r2' } } }]);
  t.end();
});

t.test('where frames come seldom, a gap may be longer', (t) => {
  const engine = new RuleEngine();
  engine.setRules([rule({ seconds: 20 })], 0);
  let starts = 0;
  for (let at = 0; at < 300_000; at += 5000)
    starts += engine.observe('slow', at, [head]).filter(({ type }) => type === 'new').length;
  t.equal(starts, 1);
  t.end();
});

t.test('events: seen in 2 of 4 frames, until ten silent seconds; zones, best, most', (t) => {
  const tracker = new EventTracker();
  const frame = (...detections: object[]) => ({ detections: detections as (typeof head)[], width: 100, height: 100 });
  t.same(tracker.observe('gate', 0, frame(head)), [], 'once is nothing');
  for (const at of [100, 200, 300, 400]) t.same(tracker.observe('gate', at, frame()), []);
  t.same(tracker.observe('gate', 500, frame(head)), [], 'and twice too far apart');
  const [begun] = tracker.observe('gate', 700, frame({ ...head, score: 0.9 }, head));
  t.match(begun, {
    type: 'new',
    before: undefined,
    after: { label: 'head', started: 500, score: 0.9, max_count: 2, frames: 2, box: [0.1, 0.1, 0.2, 0.2] },
  });
  t.same(tracker.observe('gate', 900, frame(head)), [], 'nothing new to tell');
  t.match(
    tracker.observe('gate', 1000, frame({ ...head, zones: ['Crane'] })),
    [{ type: 'update', after: { zones: ['Crane'] } }],
    'a zone is news',
  );
  t.match(tracker.observe('gate', 7000, frame(head)), [
    { type: 'update', before: { zones: ['Crane'], frames: 4 }, after: { frames: 5 } },
  ]);
  t.same(tracker.observe('gate', 8000, frame({ ...head, masked: true })), []);
  t.same(tracker.tick(16_900), []);
  t.match(tracker.tick(17_000), [{ type: 'end', after: { id: begun.after.id, ended: 7000, frames: 5 } }]);
  t.same(tracker.tick(99_000), []);
  t.end();
});

t.test('an event lasts an hour at most, then the next begins; memory is bounded', (t) => {
  const tracker = new EventTracker();
  const frame = { detections: [head], width: 100, height: 100 };
  const changes = [];
  for (let at = 0; at < 2.5 * 3_600_000; at += 4000) changes.push(...tracker.observe('gate', at, frame));
  const ends = changes.filter(({ type }) => type === 'end');
  t.equal(ends.length, 2);
  t.ok(ends.every(({ after }) => (after.ended ?? 0) - after.started <= 3_600_000));
  t.equal(changes.filter(({ type }) => type === 'new').length, 3);
  for (let i = 0; i < 5000; i++) tracker.observe(`cam-${i}`, 3 * 3_600_000, frame);
  t.ok(tracker.cameras <= 2000);
  const labels = Array.from({ length: 500 }, (_, i) => ({ ...head, label: `l${i}` }));
  for (let i = 0; i < 3; i++) tracker.observe('wild', 3 * 3_600_000 + i, { ...frame, detections: labels });
  t.ok(tracker.end().filter(({ after }) => after.camera === 'wild').length <= 64);
  t.end();
});
