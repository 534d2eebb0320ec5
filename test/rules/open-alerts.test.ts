import t, { type Test } from 'tap';
import { Notifier } from '../../edge/rules/notify/notifier.js';
import { OpenAlerts } from '../../edge/rules/open-alerts.js';
import { completeRule } from '../../edge/rules/rule.js';
import { type News, Site } from '../../edge/rules/site.js';
import type { Alert } from '../../edge/rules/types.js';
import { History } from '../../edge/store/history/history.js';
import { silentLog } from '../../platform/log.js';
import { folderFor, retention } from '../store/parts.js';

const NOW = Date.now();

function alert(id: string, change: Partial<Alert> = {}): Alert {
  return {
    ...{
      id,
      rule: { id: 'r1', name: 'Heads' },
      camera: 'gate',
      severity: 'warning',
      message: 'a head',
      labels: ['head'],
    },
    ...{
      count: 1,
      score: 0.9,
      started: NOW - 60_000,
      ended: NOW - 50_000,
      state: 'open',
      changed: NOW,
      snapshot: false,
    },
    ...change,
  };
}

const openHistory = (folder: string) => History.open({ folder, retention }, silentLog);

async function openSite(t: Test, folder: string): Promise<Site> {
  const history = await openHistory(folder);
  const site = await Site.open(history, await Notifier.open(history.database, new Map(), silentLog), silentLog);
  t.teardown(() => site.close());
  return site;
}

/** A site with the rules r1 and r2 whose history has these alerts. */
async function siteWith(t: Test, alerts: readonly Alert[]): Promise<Site> {
  const folder = folderFor(t);
  const first = await openSite(t, folder);
  for (const id of ['r1', 'r2']) await first.saveRule(completeRule({ name: id, type: 'no_helmet', seconds: 0 }), id);
  for (const each of alerts) first.history.saveAlert(each);
  await first.close();
  return openSite(t, folder);
}

/** Waits until the edge has closed what it closes by itself. */
async function closed(site: Site, id: string): Promise<Alert | undefined> {
  for (let i = 0; i < 2400; i++) {
    const known = await site.history.alert(id);
    if (known?.state === 'closed') return known;
    await new Promise((done) => setTimeout(done, 25));
  }
  throw new Error(`${id} is still open`);
}

t.test('a restart knows all that nobody has closed, not the newest alone', async (t) => {
  const many = Array.from({ length: 700 }, (_, i) => alert(`a${i}`, { camera: i % 7 ? 'gate' : 'yard' }));
  many.push(alert('seen', { state: 'acknowledged' }), alert('done', { state: 'closed' }));
  const site = await siteWith(t, many);
  t.equal(site.openAlerts('gate'), 601);
  t.equal(site.openAlerts('yard'), 100);
  t.equal(site.openAlerts(), 701);
  await site.setAlert('a1', 'closed', 'ada');
  await site.setAlert('a1', 'closed', 'ada');
  t.equal(site.openAlerts('gate'), 600, 'counted once');
  await site.setAlert('a1', 'open', 'ada');
  t.equal(site.openAlerts('gate'), 601);
});

t.test(
  'who removes a rule or a camera has dealt with its alerts: closed, with a note, told, and still in the history',
  async (t) => {
    const site = await siteWith(t, [
      alert('one', { note: 'looked at it', state: 'acknowledged', by: 'ada' }),
      alert('two', { camera: 'yard' }),
      alert('three', { rule: { id: 'r2', name: 'Others' } }),
      alert('four', { rule: { id: 'r2', name: 'Others' }, camera: 'yard' }),
    ]);
    const news: News[] = [];
    site.onNews((each) => news.push(each));
    await site.deleteRule('r1');
    t.match(await closed(site, 'one'), { state: 'closed', by: '(edge)', note: 'looked at it', ended: NOW - 50_000 });
    t.match(await closed(site, 'two'), { state: 'closed', by: '(edge)', note: 'its rule was removed' });
    t.equal(site.openAlerts('gate'), 1);
    site.onRemoved('yard');
    t.match(await closed(site, 'four'), { note: 'its camera was removed' });
    t.match(await site.history.alert('three'), { state: 'open' }, 'of another camera and another rule');
    t.equal(site.openAlerts(), 1);
    const told = news.flatMap((each) => (each.kind === 'alert' ? `${each.type} ${each.alert.id}` : []));
    t.same(told, ['update one', 'update two', 'update four']);
  },
);

t.test('a rule that went while nobody looked leaves none open either', async (t) => {
  const site = await siteWith(t, [alert('left', { rule: { id: 'gone', name: 'Gone' } }), alert('mine')]);
  t.match(await closed(site, 'left'), { note: 'its rule was removed' });
  t.equal(site.openAlerts(), 1);
});

t.test('beyond the bound the oldest are closed', async (t) => {
  const rows = new Map<string, Alert>();
  const written: Alert[] = [];
  const history = { alert: async (id: string) => rows.get(id), flush: async () => {} };
  const open = new OpenAlerts(history, (each) => written.push(each), silentLog, 3);
  for (const id of ['a', 'b', 'c', 'd', 'e']) {
    rows.set(id, alert(id));
    open.note(alert(id));
  }
  t.equal(open.count(), 3);
  t.equal(open.count('gate'), 3);
  await open.done();
  t.same(
    written.map(({ id, state, note }) => [id, state, note]),
    ['a', 'b'].map((id) => [id, 'closed', 'more than 3 alerts were open']),
  );
  const again = new OpenAlerts(history, (each) => written.push(each), silentLog, 3);
  again.restore(
    [...rows.keys()].map((id) => ({ id, rule: 'r1', camera: 'gate' })),
    new Set(['r1']),
  );
  t.equal(again.count(), 3);
});

t.test('what cannot be written now is tried at the next start, and stops nobody', async (t) => {
  let fails = true;
  const history = {
    alert: async (id: string) => alert(id),
    flush: async () => {
      if (fails) throw new Error('the disk is full');
    },
  };
  const written: string[] = [];
  const open = new OpenAlerts(history, ({ id }) => written.push(id), silentLog, 1);
  for (const id of ['a', 'b']) open.note(alert(id));
  await open.done();
  t.same(written, []);
  fails = false;
  open.note(alert('c'));
  await open.done();
  t.same(written, ['b']);
});

t.test('alerts that are too old to be kept are not counted as open any more', async (t) => {
  const old = NOW - 100 * 86_400_000;
  const site = await siteWith(t, [alert('old', { started: old, ended: old + 1 }), alert('new')]);
  t.equal(site.openAlerts('gate'), 2);
  await site.history.setRetention({ ...retention, days: 89 });
  for (let i = 0; i < 2400 && site.openAlerts() > 1; i++) await new Promise((done) => setTimeout(done, 25));
  t.equal(site.openAlerts('gate'), 1);
  t.equal(await site.history.alert('old'), undefined);
});

t.test('what people do to an alert does not undo what happens to it meanwhile', async (t) => {
  const history = await openHistory(folderFor(t));
  t.teardown(() => history.close());
  const going = alert('x', { ended: undefined });
  history.saveAlert(going);
  history.saveAlert({ ...going, ended: NOW, count: 5 });
  history.saveAlertState({ ...going, state: 'acknowledged', by: 'ada', changed: NOW + 1, note: 'on my way' });
  await history.flush();
  t.match(await history.alert('x'), { ended: NOW, count: 5, state: 'acknowledged', by: 'ada', note: 'on my way' });
});
