import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import type { Test } from 'tap';
import { LiveStore } from '../../edge/store/live.js';
import { startWebServer } from '../../edge/web/server.js';
import { accountsFile, folder, PASSWORD } from './auth/rig.js';
import { inBrowser, openPage } from './browser.js';
import { startSite } from './site-rig.js';

const account = async (t: Test): Promise<string> => {
  const accounts = join(folder(t), 'accounts.json');
  await accountsFile(accounts, [['ada', 'operator']]);
  return accounts;
};

async function logIn(page: Page, password = PASSWORD): Promise<void> {
  await page.getByLabel('Name').fill('ada');
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
}

/**
 * The one connection that browsers hold to be insecure, so that nothing but `Origin` says where the form comes from: http, and
 * a name that is not this machine's.
 */
async function plain(t: Test, browser: Browser): Promise<void> {
  // as if behind a proxy: it answers to other names than this machine's
  const auth = { accounts: await account(t), insecure: true, trusted_proxies: ['127.0.0.9'] };
  const web = await startWebServer({ store: new LiveStore(), auth });
  t.teardown(() => web.close());
  const url = web.url.replace('127.0.0.1', 'edge.test');
  // not openPage: this connection has a warning of its own
  const page = await browser.newPage();
  t.teardown(() => page.close());
  await page.goto(url);
  t.match(page.url(), /\/login\?next=/, 'nobody sees the page without a login');
  await logIn(page, 'not this one');
  await page.getByRole('alert').waitFor();
  t.match(await page.getByRole('alert').textContent(), /wrong/);

  await logIn(page);
  await page.getByRole('link', { name: 'Settings' }).click();
  await page.getByText('ada, operator').filter({ visible: true }).waitFor();
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.waitForURL(/\/login/);
  await page.goto(url);
  t.match(page.url(), /\/login/, 'and is logged out');
}

async function view(t: Test, browser: Browser): Promise<void> {
  const rig = await startSite(t, { auth: { accounts: await account(t) } });
  const page = await openPage(t, browser, `${rig.url}#/events?label=head&span=today`);
  t.match(page.url(), /\/login/);
  await logIn(page, 'not this one');
  await page.getByRole('alert').waitFor();
  await logIn(page);
  await page.getByRole('heading', { name: 'Events' }).waitFor();
  t.match(page.url(), /\/#\/events\?label=head&span=today$/, 'a kept address works for who has to log in first');
}

async function leave(t: Test, browser: Browser): Promise<void> {
  const accounts = await account(t);
  const rig = await startSite(t, { auth: { accounts } });
  const page = await openPage(t, browser, `${rig.url}#/alerts`);
  await logIn(page);
  await page.getByRole('heading', { name: 'Alerts' }).waitFor();
  const menu = page.getByRole('button', { name: 'Your account: ada' });
  t.equal(await page.getByRole('button', { name: 'Log out' }).isVisible(), false);
  await menu.click();
  await page.getByText('ada, operator').waitFor();
  await page.keyboard.press('Escape');
  t.equal(await page.getByRole('button', { name: 'Log out' }).isVisible(), false);

  await page.context().setOffline(true);
  await menu.press('Enter');
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.getByText('You are still logged in').waitFor();
  t.match(page.url(), /#\/alerts$/);
  await page.context().setOffline(false);
  await page.keyboard.press('Escape');
  await menu.click();
  await page.getByRole('button', { name: 'Log out' }).click();
  // Its stream ends as well, and would like to come back to this view.
  await page.waitForURL(/\/login/);
  t.equal(new URL(page.url()).search, '', 'whoever comes next begins at the beginning');
  await page.goto(rig.url);
  t.match(page.url(), /\/login/);
}

await inBrowser(
  'logging in and out',
  {
    'by plain http, where that is allowed': plain,
    'the view that was asked for comes after the login': view,
    'out again from the header; without a connection that is said': leave,
  },
  ['--host-resolver-rules=MAP edge.test 127.0.0.1'],
);
