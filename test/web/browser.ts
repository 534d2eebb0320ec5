import { spawnSync } from 'node:child_process';
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import tap, { type Test } from 'tap';

/** A busy machine may take its time, ms. */
const PATIENCE_MS = 30_000;

const path = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find(
  (file) => spawnSync(file, ['--version']).error === undefined,
);

/** Why no browser can be used here, or false: an option of a test, which says so in one line. */
const withoutChromium = path ? false : 'chromium is not installed';

/**
 * Tests in one browser, one after the other; they are skipped where there is none.
 * @param tests by name: what is shown @param more arguments of chromium
 */
export async function inBrowser(
  name: string,
  tests: Record<string, (t: Test, browser: Browser) => Promise<void>>,
  more: readonly string[] = [],
): Promise<void> {
  await tap.test(name, { skip: withoutChromium, timeout: 240_000 }, async (t) => {
    const browser = await openBrowser(t, more);
    for (const [what, test] of Object.entries(tests)) await t.test(what, (t) => test(t, browser));
  });
}

async function openBrowser(t: Test, more: readonly string[]): Promise<Browser> {
  // no sandbox inside a container's root; what is opened is our own page on loopback
  const args = ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu', ...more];
  const browser = await chromium.launch({ executablePath: path, args, timeout: PATIENCE_MS });
  t.teardown(() => browser.close());
  return browser;
}

/** A page of its own, at a view. Errors in it fail the test; violations of its policy are errors too. */
export async function openPage(
  t: Test,
  browser: Browser,
  url: string,
  options: BrowserContextOptions & { set?: (context: BrowserContext) => Promise<unknown> } = {},
): Promise<Page> {
  const { set, ...rest } = options;
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en-GB', ...rest });
  context.setDefaultTimeout(PATIENCE_MS);
  await set?.(context);
  t.teardown(() => context.close());
  const page = await context.newPage();
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' && !/Failed to load resource|net::ERR/.test(message.text()))
      errors.push(message.text());
  });
  t.teardown(() => {
    if (errors.length > 0) throw new Error(`errors in the page: ${errors.join('; ')}`);
  });
  await page.goto(url);
  return page;
}

/** Waits until something is so in the page, whose policy forbids waitForFunction. @param expression JavaScript */
export async function until(page: Page, expression: string): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  while (!(await page.evaluate(`Boolean(${expression})`).catch(() => false))) {
    if (Date.now() > end) throw new Error(`it did not come to that: ${expression}`);
    await page.waitForTimeout(50);
  }
}
