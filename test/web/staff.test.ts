import type { Browser, Page } from 'playwright-core';
import type { Test } from 'tap';
import type { Alert } from '../../edge/rules/types.js';
import { inBrowser, openPage } from './browser.js';
import { HEIGHT, startSite, WIDTH } from './site-rig.js';

/** What staff do at the page, in a real browser, against a real server. */

const BARE_HEAD: [string, number[]] = ['head', [0.45 * WIDTH, 0.5 * HEIGHT, 40, 40]];
const HOUR_MS = 3_600_000;
/** Noon of yesterday, whatever the time of day is. */
const yesterdaysNoon = (): number => new Date().setHours(-12, 0, 0, 0);

async function alerts(t: Test, browser: Browser): Promise<void> {
  const rig = await startSite(t);
  const settings = {
    name: 'Bare heads',
    enabled: true,
    type: 'no_helmet',
    cameras: [],
    labels: [],
    seconds: 0,
  } as const;
  await rig.site.saveRule({ ...settings, min_score: 0, severity: 'critical', schedule: [], cooldown_s: 0, notify: [] });
  rig.frame('gate', []);
  const page = await openPage(t, browser, `${rig.url}#/live`);
  await page.getByRole('link', { name: 'gate' }).waitFor();
  t.equal(await page.getByText('1 alert', { exact: true }).isVisible(), false);

  for (let i = 0; i < 3; i++) rig.frame('gate', [BARE_HEAD]);
  await page.getByText('1 alert', { exact: true }).waitFor();
  await page.getByText('1 head').waitFor();
  t.match(await page.title(), /^\(1\) Live/, 'the title says so too');
  t.match(await page.locator('#news').textContent(), /New alert: /, 'and those who do not see it are told');

  await page.getByRole('link', { name: 'Alerts' }).click();
  await page.getByRole('heading', { name: '1 needs somebody' }).waitFor();
  await page.getByRole('button', { name: 'I take it' }).click();
  await page.getByLabel('Note for the others').fill('On my way');
  await page.getByRole('dialog').getByRole('button', { name: 'I take it' }).click();
  await page.getByRole('heading', { name: '1 is in hand' }).waitFor();
  await page.getByText('On my way').waitFor();
  await page.getByText('Nothing needs you').waitFor();
  const [alert] = (await rig.site.history.alerts({}, { limit: 5 })).rows as Alert[];
  t.match(alert, { state: 'acknowledged', note: 'On my way', by: 'local' });

  await page.getByRole('button', { name: 'Close', exact: true }).click();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  t.equal((await rig.site.history.alert(alert?.id as string))?.state, 'acknowledged', 'Esc changes nothing');
  await page.getByRole('button', { name: 'Close', exact: true }).click();
  await page.getByRole('dialog').locator('button[type=submit]').click();
  await page.getByRole('heading', { name: 'Closed' }).waitFor();
  t.equal((await rig.site.history.alert(alert?.id as string))?.state, 'closed');
}

async function events(t: Test, browser: Browser): Promise<void> {
  const rig = await startSite(t);
  const now = Date.now();
  const yesterday = yesterdaysNoon();
  rig.event({ id: 'a1', label: 'head', started: now - 1000 });
  rig.event({ id: 'a2', label: 'person', started: now - 2000 });
  rig.event({ id: 'a3', label: 'head', camera: 'yard', started: yesterday, zones: ['Crane'] });
  await rig.flush();
  rig.frame('gate', []);
  const page = await openPage(t, browser, `${rig.url}#/events`);
  await page.getByText('3 events').waitFor();
  await page.getByLabel('What').selectOption('head');
  await page.getByText('2 events').waitFor();
  await page.getByLabel('When').selectOption('yesterday');
  await page.getByLabel('When').selectOption('own');
  await page.getByLabel('Until', { exact: true }).fill(local(yesterday + HOUR_MS));
  await page.getByText('1 event', { exact: true }).waitFor();
  const csv = await page.getByRole('link', { name: 'Export CSV' }).getAttribute('href');
  const table = await (await fetch(new URL(csv as string, rig.url))).text();
  t.equal(table.trim().split('\r\n').length, 2, 'the export has what was searched for');
  await page.locator('.vrow a').click();
  const dialog = page.getByRole('dialog', { name: '1 head' });
  await dialog.getByText('Crane').waitFor();
  t.match(page.url(), /#\/events\/a3\?/);
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  await page.waitForURL(/#\/events\?/);
  t.match(page.url(), /#\/events\?label=head/, 'the search can be kept and sent');
  await page.reload();
  await page.getByText('1 event', { exact: true }).waitFor();
}

async function zones(t: Test, browser: Browser): Promise<void> {
  const rig = await startSite(t);
  rig.frame('gate', [BARE_HEAD]);
  const page = await openPage(t, browser, `${rig.url}#/zones/gate`);
  await page.getByRole('button', { name: 'Draw a zone' }).click();
  const board = page.locator('.board');
  const area = (await board.boundingBox()) as { x: number; y: number; width: number; height: number };
  const at = (x: number, y: number): [number, number] => [area.x + x * area.width, area.y + y * area.height];
  for (const [x, y] of [
    [0.2, 0.3],
    [0.6, 0.3],
    [0.6, 0.6],
    [0.3, 0.9],
  ] as const)
    await page.mouse.click(...at(x, y));
  await page.mouse.move(...at(0.6, 0.6));
  await page.mouse.down();
  await page.mouse.move(...at(0.7, 0.7), { steps: 4 });
  await page.mouse.up();
  await page.getByRole('button', { name: 'Add a corner' }).click();
  await page.keyboard.press('Shift+ArrowUp');
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.getByLabel('Name').fill('!');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('A name begins with a letter or digit').waitFor();
  await page.getByLabel('Name').fill('Crane');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Crane is saved').waitFor();
  const [zone] = rig.site.places();
  t.match(zone, { camera: 'gate', name: 'Crane', kind: 'zone', anchor: 'foot' });
  const wanted = [0.2, 0.3, 0.6, 0.3, 0.7, 0.7, 0.3, 0.9];
  const off = zone?.points.flat().map((share, i) => Math.abs(share - (wanted[i] as number))) ?? [1];
  t.equal(zone?.points.length, 4);
  t.ok(Math.max(...off) < 0.01, `${zone?.points}`);

  await page.getByRole('button', { name: 'Draw a mask' }).click();
  await page.getByRole('button', { name: 'Add a corner' }).press('Enter');
  await page.keyboard.press('ArrowRight');
  await page.getByLabel('Name').fill('Street');
  await page.keyboard.press('Enter');
  await page.getByText('Street is saved').waitFor();
  t.match(rig.site.places()[1], {
    kind: 'mask',
    name: 'Street',
    points: [
      [0.3, 0.3],
      [0.7, 0.3],
      [0.7, 0.8],
      [0.31, 0.8],
    ],
  });
}

async function rules(t: Test, browser: Browser): Promise<void> {
  const rig = await startSite(t);
  await rig.site.savePlace({
    camera: 'gate',
    name: 'Crane',
    kind: 'zone',
    anchor: 'foot',
    points: [
      [0, 0],
      [1, 0],
      [1, 1],
    ],
  });
  rig.frame('gate', []);
  const page = await openPage(t, browser, `${rig.url}#/rules`);
  await page.getByRole('button', { name: 'New rule' }).click();
  await page.getByLabel('Name').fill('Too many at the crane');
  await page.getByLabel('What').selectOption('count');
  await page.getByLabel('More than').fill('2');
  await page.getByLabel('person').check();
  await page.getByLabel('Where').selectOption('Crane');
  await page.getByLabel('For how many seconds', { exact: true }).fill('5');
  await page.getByLabel('When it counts').selectOption('own');
  await page.getByLabel('How grave').selectOption('critical');
  await page
    .getByText(
      /^When more than 2 person are in Crane for 5\ss, Mon, .*Fri from 06:00 to 18:00, then raise a critical alert here\.$/,
    )
    .waitFor();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('heading', { name: 'Too many at the crane' }).waitFor();
  t.match(rig.site.rules(), [
    {
      name: 'Too many at the crane',
      type: 'count',
      above: 2,
      labels: ['person'],
      zone: 'Crane',
      seconds: 5,
      severity: 'critical',
    },
  ]);
  await page.getByRole('switch', { name: 'Too many at the crane is on' }).click();
  await page.getByText('switched off').waitFor();
  t.equal(rig.site.rules()[0]?.enabled, false);
  await page.getByRole('button', { name: 'Delete Too many at the crane' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await page.getByText('No rule yet').waitFor();
  t.equal(rig.site.rules().length, 0);
}

async function phone(t: Test, browser: Browser): Promise<void> {
  const rig = await startSite(t);
  for (const camera of ['gate', 'yard']) rig.frame(camera, [BARE_HEAD]);
  const viewport = { width: 320, height: 640 };
  const page = await openPage(t, browser, rig.url, { viewport, hasTouch: true, isMobile: true });
  await page.getByRole('link', { name: 'yard' }).waitFor();
  for (const name of ['Events', 'Alerts', 'Zones', 'Rules', 'Settings', 'Live']) {
    await page.getByRole('navigation').getByRole('link', { name }).tap();
    await page.getByRole('heading', { name, level: 1 }).waitFor();
    t.ok(await fits(page), `${name} is no wider than the phone`);
  }
  await page.getByRole('link', { name: 'yard' }).tap();
  await page.getByRole('heading', { name: 'yard', level: 1 }).waitFor();
  await page.getByText('In the picture: 1 head').waitFor();
  await page.getByText('Technical:').tap();
  await page.getByRole('heading', { name: 'Last results' }).waitFor();
  t.ok(await fits(page), 'a camera is no wider than the phone');

  await page.goto(`${rig.url}#/zones/gate`);
  await page.getByRole('button', { name: 'Draw a zone' }).tap();
  const area = (await page.locator('.board').boundingBox()) as { x: number; y: number; width: number; height: number };
  for (const [x, y] of [
    [0.2, 0.2],
    [0.8, 0.2],
    [0.5, 0.8],
  ] as const)
    await page.touchscreen.tap(area.x + x * area.width, area.y + y * area.height);
  await page.getByText('3 corners.').waitFor();
}

async function hours(t: Test, browser: Browser): Promise<void> {
  const rig = await startSite(t);
  const page = await openPage(t, browser, `${rig.url}#/rules`);
  await page.getByRole('button', { name: 'New rule' }).click();
  await page.getByLabel('Name').fill('Nobody at night');
  await page.getByLabel('What').selectOption('presence');
  const times = (n: number) => page.getByRole('group', { name: `Times ${n}`, exact: true });
  t.equal(await times(1).isVisible(), false, 'always: no times to choose');
  await page.getByLabel('When it counts').selectOption('own');
  t.equal(await page.getByRole('button', { name: /Remove times/ }).count(), 0, 'one is the least');
  await times(1).getByLabel('From').fill('22:00');
  await times(1).getByLabel('Until').fill('05:00');
  await page.getByRole('button', { name: 'Add times' }).click();
  t.ok(await times(2).getByLabel('Sat').isChecked(), 'the days that are left');
  await times(2).getByLabel('From').fill('00:00');
  await page.getByRole('button', { name: 'Add times' }).click();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Choose one day at least.').waitFor();
  await times(3).getByLabel('Wed').check();
  await page.getByText(/Fri from 22:00 to 05:00 and Sat and Sun from 00:00 to 05:00 and Wed from/).waitFor();
  await page.getByRole('button', { name: 'Remove times 1' }).click();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('heading', { name: 'Nobody at night' }).waitFor();
  const kept = [
    { days: [6, 0], from: '00:00', to: '05:00' },
    { days: [3], from: '00:00', to: '05:00' },
  ];
  t.same(rig.site.rules()[0]?.schedule, kept);

  await page.getByRole('button', { name: 'Change Nobody at night' }).click();
  await times(2).getByLabel('Until').fill('06:30');
  await page.getByRole('button', { name: 'Save' }).click();
  // the form has these words too, before they are saved
  await page.getByRole('button', { name: 'Save' }).waitFor({ state: 'detached' });
  await page.getByText(/Wed from 00:00 to 06:30/).waitFor();
  t.same(rig.site.rules()[0]?.schedule, [kept[0], { ...kept[1], to: '06:30' }], 'the others stay as they were');

  await page.getByRole('button', { name: 'Change Nobody at night' }).click();
  await times(1).getByLabel('From').fill('');
  await page.getByLabel('When it counts').selectOption('always');
  await page.getByRole('button', { name: 'Save' }).click();
  // the form has these words too, before they are saved
  await page.getByRole('button', { name: 'Save' }).waitFor({ state: 'detached' });
  await page.getByText(/, at any time, then/).waitFor();
  t.same(rig.site.rules()[0]?.schedule, [], 'times that do not count are not checked');
}

async function lastPicture(t: Test, browser: Browser): Promise<void> {
  const rig = await startSite(t);
  const yesterday = yesterdaysNoon();
  rig.event({ id: 'p1', camera: 'yard', started: yesterday });
  await rig.picture('p1');
  rig.event({ id: 'p2', camera: 'yard', started: yesterday + HOUR_MS });
  await rig.flush();
  // one sends features, of the other nothing came since the edge was started
  rig.frame('yard', [BARE_HEAD], false);
  rig.store.onHealth('gate', { v: 1, device: 'gate', session: 1, uptime_s: 1 } as never);
  rig.event({ id: 'p3', camera: 'gate', started: yesterday });
  await rig.picture('p3');
  await rig.flush();
  const page = await openPage(t, browser, rig.url, {
    // what is written on a canvas can be read here alone
    set: (context) =>
      context.addInitScript(`{
        const { fillText } = CanvasRenderingContext2D.prototype;
        CanvasRenderingContext2D.prototype.fillText = function (words, ...at) {
          this.canvas.dataset.words = words;
          return fillText.call(this, words, ...at);
        };
      }`),
  });
  for (const camera of ['yard', 'gate']) {
    const tile = page.locator('.tile', { hasText: camera });
    await tile.locator('canvas[data-words^="Picture of yesterday"]').waitFor();
    const sky = (await page.evaluate(`(() => {
      const canvas = document.querySelector('canvas[aria-label*="${camera}"]');
      return [...canvas.getContext('2d').getImageData(canvas.width * 0.6, 5, 1, 1).data];
    })()`)) as number[];
    t.ok(near(sky, [0x9f, 0xb7, 0xc9]), `${camera}: ${sky}`);
  }
  t.match(await page.locator('.tile', { hasText: 'gate' }).locator('canvas').getAttribute('aria-label'), /yesterday/);
  rig.frame('gate', [BARE_HEAD]);
  await page.locator('.tile', { hasText: 'gate' }).getByText('1 head').waitFor();
  await page.getByRole('img', { name: 'Picture of gate: 1 head' }).waitFor();
}

const near = (colour: readonly number[], wanted: readonly number[]): boolean =>
  wanted.every((value, i) => Math.abs(value - (colour[i] as number)) < 12);

async function viewer(t: Test, browser: Browser): Promise<void> {
  const rig = await startSite(t);
  await rig.site.savePlace({
    camera: 'gate',
    name: 'Crane',
    kind: 'zone',
    anchor: 'foot',
    points: [
      [0, 0],
      [1, 0],
      [1, 1],
    ],
  });
  rig.frame('gate', []);
  const page = await openPage(t, browser, `${rig.url}#/zones/gate`, {
    set: (context) =>
      context.route('**/api/v1/session', (route) =>
        route.fulfill({ json: { name: 'ada', role: 'viewer', login: true } }),
      ),
  });
  await page.getByText('Crane').waitFor();
  t.equal(await page.getByRole('button', { name: /Draw|Change|Delete/ }).count(), 0);
  await page.getByRole('link', { name: 'Rules' }).click();
  await page.getByText('No rule yet').waitFor();
  t.equal(await page.getByRole('button', { name: 'New rule' }).count(), 0);
  await page.getByRole('link', { name: 'Settings' }).click();
  await page.getByText('Operators may change this.').waitFor();
  await page.getByRole('main').getByText('ada, viewer').waitFor();
  t.equal(await page.getByRole('button', { name: 'Save' }).count(), 0);
}

const fits = (page: Page): Promise<boolean> =>
  page.evaluate('document.documentElement.scrollWidth <= document.documentElement.clientWidth');

/** As a field for date and time has it. */
const local = (at: number): string => {
  const date = new Date(at - new Date(at).getTimezoneOffset() * 60_000);
  return date.toISOString().slice(0, 16);
};

await inBrowser('what staff do', {
  'an alert comes in live, is taken in hand, and closed': alerts,
  'events are searched by class and time, and one is opened': events,
  'a zone is drawn with the mouse and by keyboard, and stored': zones,
  'a rule is made in plain words, switched off and deleted': rules,
  'a rule counts at several times': hours,
  'a phone': phone,
  'a camera without pictures shows that of its last event': lastPicture,
  'who may only look sees no buttons that change things': viewer,
});
