import type { Browser } from 'playwright-core';
import type { Test } from 'tap';
import { inBrowser, openPage, until } from './browser.js';
import { restartSite, startSite } from './site-rig.js';

/** A page that nobody looks after, for months. */

/** As if the edge had been updated: the index has another tag. */
async function newer(t: Test, browser: Browser): Promise<void> {
  for (const view of ['alerts', 'live?wall=1']) {
    const rig = await startSite(t);
    rig.frame('gate', []);
    const page = await openPage(t, browser, `${rig.url}#/${view}`);
    await page.locator('#connection[data-state=good]').waitFor({ state: 'attached' });
    await page.evaluate('globalThis.old = true');
    // it has asked for the version it is
    await until(page, "performance.getEntriesByName(location.origin + '/', 'resource').length > 0");
    await page.route(rig.url, async (route) => {
      const answer = await route.fetch();
      await route.fulfill({ response: answer, headers: { ...answer.headers(), etag: 'W/"another"' } });
    });
    const again = await restartSite(t, rig);
    again.frame('gate', []);
    if (view === 'alerts') {
      await page.getByText('a newer version of this page').waitFor();
      await page.getByRole('link', { name: 'Events' }).click();
    }
    await until(page, 'globalThis.old === undefined');
    t.match(page.url(), view === 'alerts' ? /#\/events$/ : /#\/live\?wall=1$/);
    await page.context().close();
  }
}

/** A module, then what a view asks for: each is lost once. */
async function changing(t: Test, browser: Browser): Promise<void> {
  const rig = await startSite(t);
  const page = await openPage(t, browser, 'about:blank');
  for (const lost of [/parts\/dom\.js$/, /styles\/base\.css$/, /\/api\/v1\/settings/, /\/api\/v1\/session/]) {
    let times = 0;
    await page.route(lost, (route) => (times++ === 0 ? route.abort('connectionaborted') : route.continue()));
    await page.goto(`${rig.url}#/settings`);
    await page.getByLabel('Pictures, days').waitFor();
    await until(page, 'getComputedStyle(document.querySelector(".quiet")).margin === "0px"');
    t.ok(times > 1, `${lost} came with the second try`);
    await page.unroute(lost);
    await page.goto('about:blank');
  }
}

async function network(t: Test, browser: Browser): Promise<void> {
  const rig = await startSite(t);
  const page = await openPage(t, browser, rig.url);
  await page.locator('#connection[data-state=good]').waitFor();
  await page.context().setOffline(true);
  await rig.close();
  // so often lost that it is patient
  await page.getByText(/Trying again in [5-9] s/).waitFor();
  const again = await startSite(t, { port: Number(new URL(rig.url).port) });
  again.frame('gate', []);
  const asked = page.waitForRequest(/\/api\/v1\/stream/, { timeout: 3000 });
  await page.context().setOffline(false);
  t.ok(await asked, 'not only when the seconds are over');
  await page.getByRole('link', { name: 'gate' }).waitFor();
}

async function wall(t: Test, browser: Browser): Promise<void> {
  const rig = await startSite(t);
  rig.frame('gate', []);
  const page = await openPage(t, browser, `${rig.url}#/live?wall=1`, {
    set: (context) =>
      context.addInitScript(`Object.defineProperty(navigator, 'wakeLock', { value: {
        held: 0,
        async request() {
          navigator.wakeLock.held += 1;
          return { released: false, release: () => (navigator.wakeLock.held -= 1) };
        },
      } })`),
  });
  await page.getByRole('link', { name: 'gate' }).waitFor();
  t.equal(await page.evaluate('navigator.wakeLock.held'), 1);
  await page.locator('html[data-idle]').waitFor();
  const leave = page.getByRole('button', { name: 'Leave the wall screen' });
  const seen = () => page.evaluate("getComputedStyle(document.querySelector('.wall-exit')).opacity");
  t.equal(await seen(), '0');
  await page.mouse.move(50, 60);
  t.equal(await seen(), '1');
  await leave.click();
  await page.getByRole('heading', { name: 'Live' }).waitFor();
  t.equal(await page.evaluate('navigator.wakeLock.held'), 0, 'and lets the screen sleep afterwards');
}

await inBrowser('a page that is left alone', {
  'a newer page is offered, and a wall screen takes it': newer,
  'a network that changes while the page loads': changing,
  'a network that is back is used at once': network,
  'a wall screen keeps awake, and shows pointer and buttons to who moves': wall,
});
