import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { launch } from './chromium.js';
import { closed, describeWithBrowser } from './pages.js';
import { type Situation, play } from './situation.js';

const IMAGES = join(__dirname, '../../docs/images');
const LARGEST = 150 * 1_024;

const DESK = { width: 1180, height: 760 };
const PHONE = { width: 390, height: 844 };

const PICTURES: [string, string, BrowserContextOptions][] = [
  ['page-light', '', { viewport: DESK, colorScheme: 'light' }],
  ['page-dark', '', { viewport: DESK, colorScheme: 'dark' }],
  ['page-phone', '', { viewport: PHONE, colorScheme: 'light', isMobile: true }],
  ['dependency-light', 'dependencies/storagesvc', { viewport: { ...DESK, height: 1120 } }],
  ['dependency-dark', 'dependencies/storagesvc', { viewport: DESK, colorScheme: 'dark' }],
  ['method-light', 'methods/storagesvc', { viewport: { ...DESK, height: 700 } }],
];

/** `npm run docs:screenshots` makes the pictures of the docs again. */
describeWithBrowser('the pictures of the page', () => {
  jest.setTimeout(120_000);
  let browser: Browser | undefined;
  let situation: Situation | undefined;

  beforeAll(async () => {
    [browser, situation] = await Promise.all([launch(), play()]);
  });
  afterAll(async () => {
    await browser?.close();
    await situation?.end();
    if (situation !== undefined) await closed(situation.app);
  });

  const open = async (view: string, options: BrowserContextOptions): Promise<Page> => {
    const page = await (await browser!.newContext(options)).newPage();
    // The clock of the shop stands still, so the one of the page does.
    await page.clock.setFixedTime(situation!.at);
    await page.goto(`${situation!.url}#/${view}`);
    await page.getByText('✓ live').waitFor();
    await page.locator('main h2').first().waitFor();
    return page;
  };

  it.each(PICTURES)('%s shows the outage', async (name, view, options) => {
    const page = await open(view, options);
    await page.getByText('storagesvc').first().waitFor();
    const picture = await page.screenshot({ animations: 'disabled', scale: 'css' });
    if (process.env.UPDATE_DOCS) {
      mkdirSync(IMAGES, { recursive: true });
      writeFileSync(join(IMAGES, `${name}.png`), picture);
    }
    expect(statSync(join(IMAGES, `${name}.png`)).size).toBeLessThan(LARGEST);
    await page.context().close();
  });
});
