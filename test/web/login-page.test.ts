import { join } from 'node:path';
import t from 'tap';
import { LiveStore } from '../../edge/store/live.js';
import { startWebServer } from '../../edge/web/server.js';
import { accountsFile, folder, PASSWORD } from './auth/rig.js';
import { openBrowser, withoutChromium } from './browser.js';

/**
 * The one connection that browsers hold to be insecure, so that nothing but `Origin` says where the form comes from: http, and
 * a name that is not this machine's.
 */
t.test('staff log in and out by plain http, where that is allowed', { skip: withoutChromium }, async (t) => {
  const accounts = join(folder(t), 'accounts.json');
  await accountsFile(accounts, [['ada', 'operator']]);
  // as if behind a proxy: it answers to other names than this machine's
  const auth = { accounts, insecure: true, trusted_proxies: ['127.0.0.9'] };
  const web = await startWebServer({ store: new LiveStore(), auth });
  t.teardown(() => web.close());
  const browser = await openBrowser(t, ['--host-resolver-rules=MAP edge.test 127.0.0.1']);
  const page = await browser.newPage();
  const url = web.url.replace('127.0.0.1', 'edge.test');

  await page.goto(`${url}#/settings`);
  t.match(page.url(), /\/login\?next=/, 'nobody sees the page without a login');
  await page.getByLabel('Name').fill('ada');
  await page.getByLabel('Password').fill('not this one');
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('alert').waitFor();
  t.match(await page.getByRole('alert').textContent(), /wrong/);

  await page.getByLabel('Name').fill('ada');
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('link', { name: 'Settings' }).click();
  await page.getByText('ada').waitFor();
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.waitForURL(/\/login/);
  await page.goto(url);
  t.match(page.url(), /\/login/, 'and is logged out');
});
