import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import {
  type CanActivate,
  type ExecutionContext,
  type INestApplication,
  Injectable,
  Module,
  type Type,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { Browser, Page } from 'playwright-core';
import { ResilienceAdminModule } from '../../src/admin/index.js';
import {
  CircuitBreakerRegistry,
  type Command,
  ResilienceModule,
  ResilienceService,
} from '../../src/index.js';
import { adminOf } from '../support/admin-stream.js';
import { complaintsOf, launch, violationsOf } from './chromium.js';
import { closed, describeWithBrowser } from './pages.js';

/** A dependency that can be taken away. */
class Dependency {
  private readonly server: Server;
  up = true;

  constructor() {
    this.server = createServer((_request, response) => {
      response.statusCode = this.up ? 200 : 503;
      response.end('[]');
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}

@Injectable()
class Token implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { headers } = context.switchToHttp().getRequest<{ headers: Record<string, string> }>();
    return headers.authorization === 'Bearer secret';
  }
}

const dependency = new Dependency();
let url = '';

@Injectable()
class Storage {
  readonly books: Command<[], string>;
  readonly quotes: Command<[string], string>;

  constructor(service: ResilienceService) {
    this.books = service.command('storagesvc', {
      run: async () => {
        const response = await fetch(url);
        if (!response.ok) throw Object.assign(new Error('failed'), { status: response.status });
        return response.text();
      },
      fallback: () => 'nothing',
      circuitBreaker: { consecutiveFailures: 3, openFor: '2s' },
      bulkhead: 10,
    });
    this.quotes = service.command<[string], string>('quotes', {
      run: async (_context, author: string) => author,
      fallback: () => 'nothing',
      rateLimit: { limit: 20, per: '1m', burst: 4, key: (author: string) => author },
    });
  }
}

@Module({
  imports: [
    ResilienceModule.forRoot({ logger: false }),
    ResilienceAdminModule.forRoot({ guards: [Token] }),
  ],
  providers: [Storage],
})
class Guarded {}

@Module({
  imports: [ResilienceModule.forRoot({ logger: false }), ResilienceAdminModule.forRoot()],
  providers: [Storage],
})
class Open {}

async function start(module: Type, port = 0): Promise<INestApplication> {
  const app = await NestFactory.create<INestApplication>(module, { logger: false });
  await app.listen(port, '127.0.0.1');
  return app;
}

const portOf = (app: INestApplication): number =>
  ((app.getHttpServer() as Server).address() as AddressInfo).port;

const pageOf = (app: INestApplication): string => `http://127.0.0.1:${portOf(app)}/resilience/ui`;

const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

describeWithBrowser('the page, in a browser', () => {
  jest.setTimeout(60_000);
  let browser: Browser;
  let apps: INestApplication[] = [];

  beforeAll(async () => {
    browser = await launch();
    url = await dependency.listen();
  });
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
    for (const app of apps) await closed(app);
    apps = [];
    dependency.up = true;
  });
  afterAll(async () => {
    await browser.close();
    dependency.close();
  });

  const open = async (
    module: Type,
    { hash = '', token = 'secret', ...options }: Record<string, any> = {},
  ): Promise<{ app: INestApplication; page: Page; complaints: string[]; storage: Storage }> => {
    const app = await start(module);
    apps.push(app);
    const page = await (await browser.newContext(options)).newPage();
    const complaints = complaintsOf(page);
    if (token !== '') {
      await page.addInitScript((given) => sessionStorage.setItem('resilience:token', given), token);
    }
    await page.goto(pageOf(app) + hash);
    return { app, page, complaints, storage: app.get(Storage) };
  };

  const stateOf = (page: Page) =>
    page.locator('tbody tr', { hasText: 'storagesvc' }).locator('.state');

  it('shows a breaker that goes closed, open, half-open and closed during an outage', async () => {
    const { page, storage, complaints } = await open(Guarded);
    await storage.books.execute();
    await stateOf(page).filter({ hasText: 'closed' }).waitFor();
    dependency.up = false;
    for (let call = 0; call < 3; call++) await storage.books.execute();
    await stateOf(page).filter({ hasText: 'open' }).waitFor();
    await page.getByText('3 calls failed in a row').waitFor();
    await page.getByText('1 dependency is down').waitFor();
    dependency.up = true;
    await stateOf(page).filter({ hasText: 'half-open' }).waitFor({ timeout: 10_000 });
    for (let call = 0; call < 3; call++) await storage.books.execute();
    await stateOf(page).filter({ hasText: 'closed' }).waitFor();
    await page.getByText('No dependency is down').waitFor();
    expect(complaints).toEqual([]);
  });

  it('shows a rate limit that rejects many calls, at an address that can be shared', async () => {
    const { app, page, storage, complaints } = await open(Guarded);
    for (let call = 0; call < 5; call++) await storage.quotes.execute('Wilde');
    await adminOf(app).history.step();
    for (let call = 0; call < 12; call++) await storage.quotes.execute('Wilde');
    for (let call = 0; call < 2; call++) await storage.quotes.execute('Shaw');
    await adminOf(app).history.step();
    await page.getByRole('link', { name: '1 rate limit rejects many calls' }).click();
    const row = page.locator('tbody tr').first();
    await row.getByText('20 in 1 min, 4 at once').waitFor();
    await row.getByText('by this instance, per key').waitFor();
    await row.getByText('0 of 4').waitFor();
    await row.getByText('12 of 12').waitFor();
    await row.getByText('rejects many').waitFor();
    await row.getByText('13 of 17').waitFor();
    await row.getByRole('link', { name: 'quotes[Wilde]' }).click();
    const shared = await page.context().newPage();
    await shared.addInitScript(() => sessionStorage.setItem('resilience:token', 'secret'));
    await shared.goto(page.url());
    await shared.getByText('1 of 2 rate limits').waitFor();
    await shared.getByText('quotes[Wilde]').waitFor();
    expect(complaints).toEqual([]);
  });

  it('forces a breaker open with a name, a reason and a time, and clears that', async () => {
    const { page, storage, complaints } = await open(Guarded, {
      hash: '#/dependencies/storagesvc',
    });
    await page.getByRole('button', { name: 'Force open' }).click();
    await page.getByLabel('Your name').fill('Anna');
    await page.getByLabel('Reason').fill('storage is being repaired <b>now</b>');
    await page.getByRole('dialog').getByRole('button', { name: 'Force open' }).click();
    await page.getByText('storage is being repaired <b>now</b>', { exact: true }).waitFor();
    await page.getByText('Anna', { exact: true }).waitFor();
    await expect(storage.books.execute()).resolves.toBe('nothing');
    await page.getByRole('button', { name: 'Clear override' }).click();
    await page.getByLabel('Reason').fill('repaired');
    await page.getByRole('dialog').getByRole('button', { name: 'Clear override' }).click();
    await page.locator('.title .state', { hasText: 'closed' }).waitFor();
    await expect(storage.books.execute()).resolves.toBe('[]');
    expect(complaints).toEqual([]);
  });

  it('asks for a token when the guard refuses, and continues with it', async () => {
    const { page } = await open(Guarded, { token: '' });
    await page.getByText('The server denies this page its data').waitFor();
    await page.getByLabel('Token', { exact: true }).fill('secret');
    await page.getByRole('button', { name: 'Use it' }).click();
    await page.getByText('storagesvc').waitFor();
  });

  it('offers no change without a guard', async () => {
    const { page } = await open(Open, { hash: '#/dependencies/storagesvc' });
    await page.getByText('This page is read-only').waitFor();
    expect(await page.getByRole('button', { name: 'Force open' }).count()).toBe(0);
  });

  it('shows names of any characters, whatever its address says', async () => {
    const { app, page, complaints } = await open(Guarded, {
      hash: '#/dependencies?sort=__proto__',
    });
    const tenant = app.get(ResilienceService).command<[string], string>('tenant', {
      run: async (_context, key: string) => key,
      circuitBreaker: { key: (key: string) => key, consecutiveFailures: 1 },
    });
    for (const key of ['half \ud800', '__proto__', '<b>', '%2F/..']) {
      await tenant.execute(key);
      app.get(CircuitBreakerRegistry).get(`tenant[${key}]`).forceOpen({ by: 'anna' });
    }
    for (const key of ['half \ufffd', '__proto__', '<b>', '%2F/..']) {
      const address = `#/dependencies/${encodeURIComponent(`tenant[${key}]`)}`;
      await page.locator(`a[href="${address}"]`).first().click();
      await page.getByText('anna', { exact: true }).waitFor();
      await page.goBack();
    }
    expect(complaints).toEqual([]);
  });

  it('says that its data is old while the server is away, and reconnects', async () => {
    const { app, page } = await open(Guarded);
    await page.getByText('✓ live').waitFor();
    const port = portOf(app);
    await closed(app);
    apps = [];
    await page.getByText('No connection to the server').waitFor();
    await page.getByText(/The data shown is .* old/).waitFor();
    apps.push(await start(Guarded, port));
    await page.getByText('✓ live').waitFor({ timeout: 20_000 });
  });

  it('draws the pipeline of a command, with its options and their origins', async () => {
    const { page } = await open(Guarded, { hash: '#/methods/storagesvc' });
    await page.getByRole('heading', { name: 'circuit breaker' }).waitFor();
    await page.getByText('consecutiveFailures').waitFor();
    await page.getByText('definition').first().waitFor();
  });

  it('can be used with the keyboard only', async () => {
    const { page } = await open(Guarded);
    await page.getByText('storagesvc').waitFor();
    for (let key = 0; key < 30; key++) {
      await page.keyboard.press('Tab');
      const focused = await page.evaluate(() => document.activeElement?.textContent);
      if (focused === 'storagesvc') break;
    }
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'storagesvc' }).waitFor();
  });

  it.each([
    ['light', { colorScheme: 'light' }],
    ['dark', { colorScheme: 'dark' }],
    ['on a phone', { viewport: { width: 390, height: 844 }, colorScheme: 'light' }],
  ])('breaks no rule of accessibility, %s', async (_title, options) => {
    const { page, storage } = await open(Guarded, options);
    dependency.up = false;
    for (let call = 0; call < 3; call++) await storage.books.execute();
    for (let call = 0; call < 5; call++) await storage.quotes.execute('Wilde');
    for (const view of [
      'dependencies',
      'dependencies/storagesvc',
      'bulkheads',
      'rate-limits',
      'methods',
      'methods/storagesvc',
      'events',
    ]) {
      await page.goto(`${page.url().split('#')[0]}#/${view}`);
      await page.locator('main h2').first().waitFor();
      expect([view, await violationsOf(page, axe)]).toEqual([view, []]);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
      expect([view, 'is wider than the screen', wide]).toEqual([
        view,
        'is wider than the screen',
        false,
      ]);
    }
    await page.goto(`${page.url().split('#')[0]}#/dependencies/storagesvc`);
    await page.getByRole('button', { name: 'Force open' }).click();
    expect(await violationsOf(page, axe)).toEqual([]);
  });
});
