import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { complaintsOf, executable, launch, violationsOf } from '../../../page/chromium.js';
import type { Booksvc, Bookshop } from '../lib/bookshop.js';
import type { Report } from '../lib/report.js';

const TOKEN = 'a token of the experiment';
const SETTINGS = { ADMIN_TOKEN: TOKEN, BREAKER_OPEN_FOR: '2s', TOTAL_TIMEOUT: '2s' };
const VIEWS = ['dependencies', 'dependencies/storagesvc', 'bulkheads', 'methods', 'events'];
const LOOKS: readonly [string, BrowserContextOptions][] = [
  ['light', { colorScheme: 'light' }],
  ['dark', { colorScheme: 'dark' }],
  ['phone', { colorScheme: 'light', viewport: { width: 390, height: 844 } }],
];

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** An outage of the database, as seen on the open page. */
export async function watched(shop: Bookshop, report: Report): Promise<void> {
  if (executable === undefined) throw new Error('no Chromium: install it, or set CHROMIUM');
  report.progress('starting the database, storagesvc, booksvc and a browser');
  await Promise.all([shop.startDatabase(), shop.startStoragesvc()]);
  const [booksvc, browser] = await Promise.all([shop.booksvc(SETTINGS), launch()]);
  try {
    const page = await open(browser, booksvc, TOKEN);
    const complaints = complaintsOf(page);
    const check = checks(report);
    await outage(shop, booksvc, page, check);
    await changes(booksvc, browser, page, check);
    await check('all along', 'the browser complains of nothing', () => {
      if (complaints.length > 0) throw new Error(complaints.join());
    });
    await looks(booksvc, browser, check);
    await check('booksvc dies', 'the page says so', async () => {
      await booksvc.app.kill();
      await page.getByText('No connection to the server').waitFor();
    });
    await check('booksvc is back', 'the page finds its way back', async () => {
      await booksvc.start();
      await page.getByText('✓ live').waitFor();
    });
  } finally {
    await browser.close();
  }
}

type Check = (
  situation: string,
  expected: string,
  seen: () => Promise<void> | void,
) => Promise<void>;

const checks =
  (report: Report): Check =>
  async (situation, expected, seen) => {
    report.progress(`${situation}: ${expected}`);
    const found = await Promise.resolve()
      .then(seen)
      .then(
        () => undefined,
        (error: unknown) => String(error).split('\n')[0]!,
      );
    report.check(situation, expected, found === undefined, found ?? 'as expected');
  };

async function open(
  browser: Browser,
  booksvc: Booksvc,
  token: string,
  options: BrowserContextOptions = {},
): Promise<Page> {
  const page = await (await browser.newContext(options)).newPage();
  page.setDefaultTimeout(20_000);
  await page.addInitScript((given) => sessionStorage.setItem('resilience:token', given), token);
  await page.goto(`${booksvc.url}/resilience/ui`);
  return page;
}

const shows = (page: Page, word: string): Promise<void> =>
  page
    .locator('tbody tr', { hasText: 'storagesvc' })
    .locator('.state')
    .filter({ hasText: new RegExp(`^[^a-z]*${word}$`) })
    .waitFor();

async function outage(shop: Bookshop, booksvc: Booksvc, page: Page, check: Check): Promise<void> {
  await booksvc.ask('/');
  await check('healthy', 'closed', () => shows(page, 'closed'));
  await shop.database.kill();
  for (let call = 0; call < 3; call++) await booksvc.ask('/');
  await check('database killed', 'open', () => shows(page, 'open'));
  await check('database killed', 'the worst is named first', () =>
    page.locator('tbody tr').first().filter({ hasText: 'storagesvc' }).waitFor(),
  );
  await shop.startDatabase();
  await check('database back', 'half-open', () => shows(page, 'half-open'));
  await check('database back', 'closed again', async () => {
    for (let call = 0; call < 40 && (await booksvc.breaker('storagesvc')) !== 'closed'; call++) {
      await booksvc.ask('/');
      await page.waitForTimeout(250);
    }
    await shows(page, 'closed');
  });
}

async function changes(
  booksvc: Booksvc,
  browser: Browser,
  page: Page,
  check: Check,
): Promise<void> {
  const force = '/resilience/breakers/storagesvc/force-open';
  await check('without the token', 'a change is refused', async () => {
    const { status } = await fetch(booksvc.url + force, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ by: 'eve', reason: 'none' }),
    });
    const state = await booksvc.breaker('storagesvc');
    if (status !== 403 || state !== 'closed') throw new Error(`${status}, ${state}`);
  });
  await check('without the token', 'the page asks for it', async () => {
    const other = await open(browser, booksvc, '');
    await other.getByText('The server denies this page its data').waitFor();
    await other.context().close();
  });
  await check('with the token', 'a circuit can be forced open', async () => {
    await page.goto(`${booksvc.url}/resilience/ui#/dependencies/storagesvc`);
    await page.getByRole('button', { name: 'Force open' }).click();
    await page.getByLabel('Your name').fill('Anna');
    await page.getByLabel('Reason').fill('the database is moved');
    await page.getByRole('dialog').getByRole('button', { name: 'Force open' }).click();
    await page.locator('.title .state', { hasText: 'forced open' }).waitFor();
    const { kind } = await booksvc.ask('/');
    if (kind !== 'stale') throw new Error(`the answer is ${kind}`);
  });
  await check('with the token', 'and released', async () => {
    await page.getByRole('button', { name: 'Clear override' }).click();
    await page.getByLabel('Reason').fill('it has been moved');
    await page.getByRole('dialog').getByRole('button', { name: 'Clear override' }).click();
    await page.locator('.title .state', { hasText: 'closed' }).waitFor();
    const { kind } = await booksvc.ask('/');
    if (kind !== 'live') throw new Error(`the answer is ${kind}`);
  });
}

async function looks(booksvc: Booksvc, browser: Browser, check: Check): Promise<void> {
  for (const [look, options] of LOOKS) {
    await check(look, 'no rule of accessibility is broken', async () => {
      const page = await open(browser, booksvc, TOKEN, options);
      const found: string[] = [];
      for (const view of VIEWS) {
        await page.goto(`${booksvc.url}/resilience/ui#/${view}`);
        await page.locator('main h2').first().waitFor();
        found.push(...(await violationsOf(page, axe)).map((text) => `${view}: ${text}`));
      }
      await page.context().close();
      if (found.length > 0) throw new Error(found.join());
    });
  }
}
