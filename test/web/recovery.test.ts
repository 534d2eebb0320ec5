import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import type { Test } from 'tap';
import { accountsFile, folder, PASSWORD } from './auth/rig.js';
import { inBrowser, openPage, until } from './browser.js';
import { HEIGHT, restartSite, startSite, WIDTH } from './site-rig.js';

/** The edge goes away under an open page, and comes back: nobody touches the page. */

const HEAD: [string, number[]] = ['head', [0.45 * WIDTH, 0.5 * HEIGHT, 40, 40]];

const lost = (page: Page) => page.getByText('No connection to the edge.');

async function tiles(t: Test, browser: Browser): Promise<void> {
  const rig = await startSite(t);
  rig.frame('gate', []);
  const page = await openPage(t, browser, rig.url);
  await page.getByText('nothing', { exact: true }).waitFor();
  const port = Number(new URL(rig.url).port);
  await rig.close();
  await lost(page).waitFor();
  t.match(await page.locator('#banner-words').textContent(), /What you see is of today, /);
  await page.evaluate(
    'new MutationObserver((all) => (globalThis.said = all.length)).observe(document.getElementById("banner-words"), { childList: true, characterData: true, subtree: true })',
  );
  const next = page.locator('#banner-next');
  const before = await next.textContent();
  await until(page, `document.getElementById('banner-next').textContent !== ${JSON.stringify(before)}`);
  t.equal(await page.evaluate('globalThis.said'), undefined, 'a reader is not told every second');
  t.equal(await page.locator('.tile .pill').textContent(), 'online', 'nobody knows better');
  const again = await startSite(t, { port });
  // the same device goes on counting its frames
  again.frame('gate', []);
  again.frame('gate', [HEAD]);
  again.frame('new-one', []);
  await page.getByRole('link', { name: 'new-one' }).waitFor();
  await page.getByText('1 head').waitFor();
  await page.locator('#banner').waitFor({ state: 'hidden' });
  t.equal(await page.locator('#connection').textContent(), 'Live');
}

async function events(t: Test, browser: Browser): Promise<void> {
  const rig = await startSite(t);
  const now = Date.now();
  for (let i = 0; i < 40; i++) rig.event({ id: `e${i}`, started: now - i * 60_000 });
  await rig.flush();
  const page = await openPage(t, browser, `${rig.url}#/events`);
  await page.getByText('40 events').waitFor();
  await page.mouse.move(600, 500);
  await page.mouse.wheel(0, 1200);
  await until(page, 'scrollY > 800');
  const again = await restartSite(t, rig);
  for (let i = 0; i < 45; i++) again.event({ id: `n${i}`, started: now - i * 60_000 });
  await again.flush();
  await page.getByRole('button', { name: 'Show what came meanwhile' }).waitFor();
  t.ok(((await page.evaluate('scrollY')) as number) > 800, 'who reads further down goes on reading');
  await page.getByRole('button', { name: 'Show what came meanwhile' }).click();
  await page.getByText('45 events').waitFor();
}

async function form(t: Test, browser: Browser): Promise<void> {
  const rig = await startSite(t);
  const page = await openPage(t, browser, `${rig.url}#/settings`);
  await page.getByLabel('Pictures, days').fill('7');
  const again = await restartSite(t, rig);
  again.frame('gate', []);
  await page.locator('#connection[data-state=good]').waitFor();
  t.equal(await page.getByLabel('Pictures, days').inputValue(), '7');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved.').waitFor();
}

async function login(t: Test, browser: Browser): Promise<void> {
  const accounts = join(folder(t), 'accounts.json');
  await accountsFile(accounts, [['ada', 'operator']]);
  const rig = await startSite(t, { auth: { accounts } });
  const page = await openPage(t, browser, `${rig.url}#/live?wall=1`);
  const logIn = async (): Promise<void> => {
    await page.getByLabel('Name').fill('ada');
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Log in' }).click();
  };
  await logIn();
  await page.locator('.wall').waitFor();
  const still = await restartSite(t, rig, { auth: { accounts } });
  still.frame('gate', [HEAD, HEAD]);
  await page.locator('.wall').getByText('2 head').waitFor();
  // with a new stamp
  await accountsFile(accounts, [['ada', 'operator']]);
  const again = await restartSite(t, still, { auth: { accounts } });
  again.frame('gate', [HEAD]);
  await page.waitForURL(/\/login\?next=/);
  await logIn();
  await page.locator('.wall').getByText('1 head').waitFor();
  t.match(page.url(), /#\/live\?wall=1$/);
}

await inBrowser('an edge that goes away and comes back', {
  'tiles, and what it says meanwhile': tiles,
  'events that came meanwhile are there': events,
  'who fills in a form loses nothing': form,
  'a login goes on; one that ended meanwhile leads back to the same view': login,
});
