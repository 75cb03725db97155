import { readFileSync } from 'node:fs';
import { type INestApplication, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { ResilienceAdminModule } from '../../src/admin/index.js';
import {
  CircuitBreakerRegistry,
  type Command,
  type Duration,
  ResilienceModule,
  ResilienceService,
  type ResilienceStore,
} from '../../src/index.js';
import { MemoryStore } from '../../src/testing/index.js';
import { complaintsOf, launch, violationsOf } from './chromium.js';
import { closed, describeWithBrowser } from './pages.js';

const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

interface Instance {
  readonly app: INestApplication;
  readonly url: string;
  /** Fails. */
  readonly search: Command<[], string>;
  readonly reviews: Command<[], string>;
}

/** Starts an instance of a shop, with a page on which changes are allowed. */
async function start(
  store: ResilienceStore | undefined,
  version = '1.0.0',
  backgroundTimeout: Duration = '250ms',
): Promise<Instance> {
  const times = { pollInterval: '500ms', activePollInterval: '100ms', backgroundTimeout } as const;
  const fleet = { version, instanceId: `shop-${version}`, ...times };
  @Module({
    imports: [
      ResilienceModule.forRoot({ logger: false, ...(store && { store, fleet }) }),
      ResilienceAdminModule.forRoot({ guards: [{ canActivate: () => true }] }),
    ],
  })
  class Shop {}
  const app = await NestFactory.create<INestApplication>(Shop, { logger: false });
  await app.listen(0, '127.0.0.1');
  const service = app.get(ResilienceService);
  const scope = store ? 'shared' : 'local';
  return {
    app,
    url: `${await app.getUrl()}/resilience/ui`,
    search: service.command('search', {
      run: () => Promise.reject(new Error('down')),
      fallback: () => 'nothing',
      circuitBreaker: { consecutiveFailures: 2, openFor: '1m', scope },
    }),
    reviews: service.command('reviews', {
      run: async () => 'good',
      circuitBreaker: store ? { scope: { quorum: 2 } } : {},
    }),
  };
}

describeWithBrowser('the page of a fleet, in a browser', () => {
  jest.setTimeout(60_000);
  let browser: Browser;
  let started: Instance[] = [];

  beforeAll(async () => {
    browser = await launch();
  });
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
    for (const { app } of started) await closed(app);
    started = [];
  });
  afterAll(() => browser.close());

  const fleetOf = async (store = new MemoryStore()): Promise<Instance[]> => {
    for (const version of ['1.4.2', '1.5.0']) started.push(await start(store, version));
    for (const { reviews } of started) await reviews.execute();
    return started;
  };

  const open = async (
    { url }: Instance,
    view: string,
    options: BrowserContextOptions = {},
  ): Promise<{ page: Page; complaints: string[] }> => {
    const page = await (await browser.newContext(options)).newPage();
    const complaints = complaintsOf(page);
    await page.goto(`${url}#/${view}`);
    return { page, complaints };
  };

  it('shows the instances with their versions, and which one answers', async () => {
    const [, second] = await fleetOf();
    const { page, complaints } = await open(second!, '');
    await page.getByRole('link', { name: 'Fleet' }).click();
    await page.getByRole('heading', { name: '2 instances' }).waitFor();
    await page.getByText('They share the store memory, which answers.').waitFor();
    await page.getByText('different versions').waitFor();
    const row = (id: string) => page.locator('tbody tr', { hasText: id });
    await row('shop-1.4.2').waitFor();
    await row('shop-1.5.0').getByText('this one').waitFor();
    await page.getByRole('link', { name: 'search' }).click();
    await page.getByRole('heading', { name: 'search' }).waitFor();
    await page.getByRole('link', { name: 'Fleet', exact: true }).first().click();
    expect(await row('shop-1.4.2').getByText('this one').count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  it('says that the store has not answered yet', async () => {
    const store = new MemoryStore();
    const instance = await start(store, '1.0.0', '1m');
    started.push(instance);
    store.fail('frozen');
    const { page } = await open(instance, 'fleet');
    await page.getByText('Asking the store …').waitFor();
    await page.getByRole('link', { name: 'Fleet' }).waitFor();
  });

  it('counts the open circuits of an instance that has reported only some of its breakers', async () => {
    const store = new MemoryStore();
    const [first] = await fleetOf(store);
    const facts = { breakers: [['search', 'open', 1, 1, 0]], more: 30, open: 9 };
    await store.heartbeat({ id: 'shop-large', facts }, 60_000);
    const { page } = await open(first!, 'fleet');
    const instances = page.getByRole('region', { name: 'Instances' });
    const openOn = (id: string) => instances.locator('tr', { hasText: id }).locator('td').last();
    await openOn('shop-large').getByText('9', { exact: true }).waitFor();
    await openOn('shop-1.5.0').getByText('0', { exact: true }).waitFor();
  });

  it('shows changed options for all instances, and whether they are in force here', async () => {
    const [first, second] = await fleetOf();
    const note = { by: 'Anna', reason: 'a slow disk', scope: 'shared' } as const;
    const service = first!.app.get(ResilienceService);
    const { page } = await open(second!, 'fleet');
    await page.getByText('No options are changed for all.').waitFor();
    const until = new Date(Date.now() + 1_800_000);
    service.configure('search', { circuitBreaker: { openFor: '5s' } }, { ...note, until });
    service.command('mine', { run: async () => 'done', timeout: '1s' });
    service.configure('mine', { timeout: '9s' }, note);
    const changes = page.getByRole('region', { name: 'Options changed for all instances' });
    const row = (target: string) => changes.locator('tbody tr', { hasText: target });
    for (const text of ['circuit breaker open for 5s', 'Anna', 'a slow disk', 'in force']) {
      await row('search').getByText(text, { exact: true }).waitFor({ timeout: 15_000 });
    }
    await row('mine').getByText('timeout attempt 9s').waitFor();
    await row('mine').getByText('when removed').waitFor();
    await row('mine').getByText('not in force here').waitFor();
  });

  it('says who has opened a circuit, and on which instances it is open', async () => {
    const [first, second] = await fleetOf();
    for (let call = 0; call < 2; call++) await first!.search.execute();
    const { page } = await open(second!, 'dependencies/search');
    const card = page.locator('section', { has: page.getByRole('heading', { name: 'Fleet' }) });
    await card.getByText('all instances: the first trip opens it for all').waitFor();
    await card.getByText('another instance').waitFor();
    await card.getByText(/2 of 2: shop-/).waitFor({ timeout: 15_000 });
    const { page: other } = await open(first!, 'dependencies/search');
    await other.getByText('this instance', { exact: true }).waitFor();
    await page.goto(`${second!.url}#/dependencies`);
    await page.locator('tbody tr', { hasText: 'search' }).getByText('shared').waitFor();
    await page.locator('tbody tr', { hasText: 'reviews' }).getByText('quorum').waitFor();
  });

  it('says that a force-open of a shared circuit applies to the whole fleet', async () => {
    const [first, second] = await fleetOf();
    const { page } = await open(second!, 'dependencies/search');
    await page.getByRole('link', { name: 'Fleet', exact: true }).first().waitFor();
    await page.getByRole('button', { name: 'Force open' }).click();
    await page.getByText('This holds for the whole fleet: 2 instances.').waitFor();
    await page.getByLabel('Your name').fill('Anna');
    await page.getByLabel('Reason').fill('a migration');
    await page.getByRole('dialog').getByRole('button', { name: 'Force open' }).click();
    const { page: other } = await open(first!, 'dependencies/search');
    await other.getByText('a migration', { exact: true }).waitFor();
    const registry = first!.app.get(CircuitBreakerRegistry);
    expect(registry.get('search').override).toMatchObject({ by: 'Anna', kind: 'forced-open' });
  });

  it('says that the store is away, and that a change reaches the other instances later', async () => {
    const store = new MemoryStore();
    const [first] = await fleetOf(store);
    const { page } = await open(first!, 'fleet');
    await page.getByText('which answers').waitFor();
    store.fail('down');
    await page.getByText('store memory is away').waitFor({ timeout: 15_000 });
    // A screen reader reads it once, not each second with how long that has been so.
    expect(await page.getByRole('status').allTextContents()).toEqual(['●store memory is away']);
    await page.getByText('shared breakers and limits act as local ones').waitFor();
    await page.goto(`${first!.url}#/dependencies`);
    await page.getByRole('link', { name: 'The store of the fleet does not answer' }).waitFor();
    await page.getByRole('link', { name: 'search' }).click();
    await page.getByRole('button', { name: 'Disable' }).click();
    await page.getByText('The others hear of it when the store is back.').waitFor();
    store.recover();
    await page.keyboard.press('Escape');
    await page.getByRole('link', { name: 'Fleet' }).first().click();
    await page.getByText('which answers').waitFor({ timeout: 15_000 });
  });

  it('shows no fleet without a store', async () => {
    const alone = await start(undefined);
    started.push(alone);
    await alone.reviews.execute();
    const { page } = await open(alone, 'dependencies/reviews');
    await page.getByRole('button', { name: 'Force open' }).click();
    await page.getByRole('dialog').getByLabel('Reason').waitFor();
    expect(await page.getByText(/fleet/i).count()).toBe(0);
  });

  it.each<[string, BrowserContextOptions]>([
    ['light', { colorScheme: 'light' }],
    ['dark', { colorScheme: 'dark' }],
    ['on a phone', { viewport: { width: 390, height: 844 }, colorScheme: 'light' }],
  ])('breaks no rule of accessibility, %s', async (_title, options) => {
    const [first] = await fleetOf();
    for (let call = 0; call < 2; call++) await first!.search.execute();
    const note = { by: 'Anna', reason: 'a slow disk', scope: 'shared' } as const;
    const patch = { circuitBreaker: { openFor: '50s', consecutiveFailures: 3 } } as const;
    first!.app.get(ResilienceService).configure('search', patch, note);
    const { page } = await open(first!, 'fleet', options);
    for (const view of ['fleet', 'dependencies/search', 'dependencies']) {
      await page.goto(`${first!.url}#/${view}`);
      await page.locator('main h2').first().waitFor();
      await page.getByText('search').first().waitFor();
      expect([view, await violationsOf(page, axe)]).toEqual([view, []]);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
      expect([view, wide]).toEqual([view, false]);
    }
    await page.goto(`${first!.url}#/dependencies/search`);
    await page.getByRole('button', { name: 'Force open' }).click();
    expect(await violationsOf(page, axe)).toEqual([]);
  });

  it('can be used with the keyboard only', async () => {
    const [first] = await fleetOf();
    const { page } = await open(first!, 'dependencies');
    await page.getByText('reviews').waitFor();
    const tabTo = async (text: string): Promise<void> => {
      for (let key = 0; key < 30; key++) {
        await page.keyboard.press('Tab');
        const focused = await page.evaluate(() => document.activeElement?.textContent);
        if (focused === text) return;
      }
      throw new Error(`the key Tab does not lead to ${text}`);
    };
    await tabTo('Fleet');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: '2 instances' }).waitFor();
    await tabTo('reviews');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'reviews' }).waitFor();
  });
});
