import { type INestApplication, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { Browser, Page } from 'playwright-core';
import { ResilienceAdminModule, type ResilienceAdminOptions } from '../../src/admin/index.js';
import { ResilienceModule, ResilienceService } from '../../src/index.js';
import { ManualClock } from '../../src/testing/index.js';
import { adminOf, takeStock } from '../support/admin-stream.js';
import { until } from '../support/wait.js';
import { complaintsOf, launch } from './chromium.js';
import { closed, describeWithBrowser } from './pages.js';

describeWithBrowser('the page with many parts, in a browser', () => {
  jest.setTimeout(60_000);
  let browser: Browser;
  let app: INestApplication | undefined;

  beforeAll(async () => {
    browser = await launch();
  });
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
    if (app !== undefined) await closed(app);
    app = undefined;
  });
  afterAll(() => browser.close());

  const start = async (
    options: ResilienceAdminOptions = {},
    clock?: ManualClock,
  ): Promise<{ service: ResilienceService; app: INestApplication }> => {
    @Module({
      imports: [
        ResilienceModule.forRoot({ logger: false, ...(clock && { clock }) }),
        ResilienceAdminModule.forRoot(options),
      ],
    })
    class Shop {}
    app = await NestFactory.create<INestApplication>(Shop, { logger: false });
    await app.listen(0, '127.0.0.1');
    return { service: app.get(ResilienceService), app };
  };

  const open = async (view: string): Promise<{ page: Page; complaints: string[] }> => {
    const page = await (await browser.newContext()).newPage();
    const complaints = complaintsOf(page);
    await page.goto(`${await app!.getUrl()}/resilience/ui#/${view}`);
    await page.getByText('✓ live').waitFor();
    return { page, complaints };
  };

  it('finds keys beyond the stream by search', async () => {
    const { service, app: shop } = await start({ maxKeys: 2 });
    const key = (tenant: string): string => tenant;
    const ask = service.command<[string], string>('tenant', {
      run: async (_context, tenant) => tenant,
      circuitBreaker: { key },
      bulkhead: { maxConcurrent: 2, key },
      rateLimit: { limit: 10, key },
    });
    for (let tenant = 0; tenant < 40; tenant++) await ask.execute(`t${tenant}`);
    await adminOf(shop).history.step();
    const { page, complaints } = await open('dependencies');
    for (const [view, words] of [
      ['rate-limits', 'rate limits'],
      ['bulkheads', 'bulkheads'],
      ['dependencies', 'circuit breakers'],
    ] as const) {
      await page.goto(`${page.url().split('#')[0]}#/${view}`);
      await page.getByText(`2 of 40 ${words}`).waitFor();
      await page.getByLabel('Search').fill('T37');
      await page.locator('tbody tr', { hasText: 'tenant[t37]' }).waitFor();
      await page.getByText(`1 of 40 ${words}`).waitFor();
      await page.getByLabel('Search').fill('');
      await page.getByText(`2 of 40 ${words}`).waitFor();
    }
    await page.getByLabel('Search').fill('t38');
    await page.getByRole('link', { name: 'tenant[t38]' }).click();
    await page.getByRole('heading', { name: 'tenant[t38]' }).waitFor();
    await page.getByText('Ended calls').waitFor();
    await page.reload(); // its address is known whoever opens it
    await page.getByText('Ended calls').waitFor();
    expect(complaints).toEqual([]);
    await page.goto(`${page.url().split('#')[0]}#/dependencies/nobody`);
    await page.getByText('There is no circuit breaker of this name now').waitFor();
  });

  it('counts keys that appear while the page is open', async () => {
    const { service, app: shop } = await start({ maxKeys: 2 });
    const ask = service.command<[string], string>('tenant', {
      run: async (_context, tenant) => tenant,
      circuitBreaker: { key: (tenant: string) => tenant },
    });
    await ask.execute('first');
    await adminOf(shop).history.step();
    const { page } = await open('dependencies');
    await page.getByText('1 circuit breaker', { exact: true }).waitFor();
    for (let tenant = 0; tenant < 9; tenant++) await ask.execute(`t${tenant}`);
    await page.getByText('2 of 10 circuit breakers').waitFor({ timeout: 10_000 });
  });

  it('draws only rows that have changed', async () => {
    const { service, app: shop } = await start();
    const commands = Array.from({ length: 500 }, (_, at) =>
      service.command<[boolean], string>(`service-${at}`, {
        run: async (_context, fails) => {
          if (fails) throw new Error('down');
          return 'up';
        },
        fallback: () => 'nothing',
        circuitBreaker: { consecutiveFailures: 1, openFor: '1h' },
      }),
    );
    await adminOf(shop).history.step();
    const { page } = await open('dependencies');
    await page.getByText('500 circuit breakers').waitFor();
    await page.evaluate(() => {
      const page = globalThis as unknown as { drawn: Set<string | undefined> };
      page.drawn = new Set();
      new MutationObserver((records) => {
        for (const { target } of records) {
          const row = (target instanceof Element ? target : target.parentElement)?.closest('tr');
          page.drawn.add(row?.querySelector('th')?.textContent ?? undefined);
        }
      }).observe(document.querySelector('tbody')!, {
        subtree: true,
        childList: true,
        characterData: true,
        attributes: true,
      });
    });
    for (const at of [3, 77, 410]) await commands[at]!.execute(true);
    await page.getByText('3 dependencies are down').waitFor();
    await adminOf(shop).history.step();
    await page.waitForTimeout(1_500); // three deltas
    const drawn = await page.evaluate(() => {
      const { drawn: all } = globalThis as unknown as { drawn: Set<string | undefined> };
      return [...all].filter((name) => name !== undefined);
    });
    expect(drawn.sort()).toEqual(['service-3', 'service-410', 'service-77']);
  });

  it('draws missed data as a gap', async () => {
    const clock = new ManualClock();
    const { service, app: shop } = await start({}, clock);
    const { history } = adminOf(shop);
    const storage = service.command('storagesvc', { run: async () => 'books', circuitBreaker: {} });
    const step = async (): Promise<void> => {
      await storage.execute();
      await clock.advance(5_000);
      await history.step();
    };
    for (let count = 0; count < 20; count++) await step();
    const { page } = await open('dependencies');
    const curves = page.locator('.spark .first');
    await curves.first().waitFor({ state: 'attached' }); // a level line has no height
    expect(await curves.count()).toBe(1);
    await page.route('**/resilience/stream', (route) => route.abort());
    for (const response of takeStock(shop).clients.keys()) response.destroy();
    await page.getByText('No connection to the server').waitFor();
    await until(() => takeStock(shop).clients.size === 0);
    for (let count = 0; count < 10; count++) await step();
    await page.unroute('**/resilience/stream');
    await page.getByRole('button', { name: 'Try now' }).click();
    await page.getByText('✓ live').waitFor();
    for (let count = 0; count < 6; count++) {
      await step();
      await page.waitForTimeout(600); // each step is in a delta of its own
    }
    await page.waitForFunction(() => document.querySelectorAll('.spark .first').length === 2);
  });
});
