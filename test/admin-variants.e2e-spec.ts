import { type INestApplication, VersioningType } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ResilienceAdminModule } from '../src/admin/index.js';
import { CircuitBreakerRegistry } from '../src/index.js';
import { KeyGuard, NAME, StorageClient, key, send } from './support/admin.js';
import {
  type Platform,
  appModule,
  closeAll,
  everyPlatform,
  platforms,
  watch,
} from './support/boot.js';

jest.setTimeout(60_000);
afterEach(closeAll);

const why = { by: 'eve', reason: 'none' };

/** Ways to write the path of a change, after the path of the module. */
const VARIANTS = [
  `/breakers/${NAME}/force-open`,
  `/breakers/${NAME}/force-open/`,
  `/breakers/${NAME}/force-open?x=1`,
  `/breakers/${NAME}/FORCE-OPEN`,
  `/BREAKERS/${NAME}/force-open`,
  `/breakers/storage/svc/force-open`,
  `/breakers/storage%252Fsvc/force-open`,
  `//breakers/${NAME}/force-open`,
  `/breakers//${NAME}/force-open`,
  `/./breakers/${NAME}/force-open`,
  `/x/../breakers/${NAME}/force-open`,
  `/x/%2e%2e/breakers/${NAME}/force-open`,
  `/breakers/${NAME}/%66orce-open`,
  `/breakers%2F${NAME}%2Fforce-open`,
  `/breakers/${NAME}/force-open%00`,
  `/breakers/${NAME}/force-open;x=1`,
  `/ui/../breakers/${NAME}/force-open`,
  `/breakers/${NAME}\\force-open`,
  `/bulkheads/${NAME}/force-open`,
  `/rate-limits/${NAME}/force-open`,
];
const VERBS = ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE', 'QUERY', 'PROPFIND'];

/** Headers by which frameworks let a request have another verb or path. */
const TRICKS = {
  'x-http-method-override': 'POST',
  'x-http-method': 'POST',
  'x-original-url': `/resilience/breakers/${NAME}/force-open`,
  'x-rewrite-url': `/resilience/breakers/${NAME}/force-open`,
  'x-forwarded-host': 'localhost',
};

const APPLICATIONS: [string, string, (app: INestApplication) => void][] = [
  ['as it is', '/resilience', () => {}],
  ['with a global prefix', '/api/resilience', (app) => app.setGlobalPrefix('api')],
  [
    'with versions',
    '/resilience',
    (app) => app.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' }),
  ],
];

describe.each(everyPlatform)('changes without leave on %s', (platform: Platform) => {
  const start = async (
    guarded: boolean,
    configure: (app: INestApplication) => void,
  ): Promise<{ url: string; app: INestApplication }> => {
    const { AppModule } = appModule({
      providers: [StorageClient],
      imports: [ResilienceAdminModule.forRoot(guarded ? { guards: [KeyGuard] } : {})],
    });
    const adapter = await platforms[platform]();
    const app = await NestFactory.create<INestApplication>(AppModule, adapter, { logger: false });
    configure(app);
    await app.listen(0, '127.0.0.1');
    watch(app);
    return { url: await app.getUrl(), app };
  };

  describe.each(APPLICATIONS)('in an application %s', (_, path, configure) => {
    it.each([
      ['without the key', true],
      ['where no guard is', false],
    ])('are refused in every verb and path, %s', async (_title, guarded) => {
      const { url, app } = await start(guarded, configure);
      const breaker = app.get(CircuitBreakerRegistry, { strict: false }).get('storage/svc');
      const leaks: string[] = [];
      for (const method of VERBS) {
        for (const variant of VARIANTS) {
          const headers = { ...TRICKS, authorization: 'another key' };
          const body = method === 'GET' || method === 'HEAD' ? undefined : why;
          const { status, text } = await send(url, path + variant, { method, headers, body });
          if (breaker.override !== undefined) leaks.push(`${method} ${variant} changed it`);
          if (status >= 500 && status !== 501) leaks.push(`${method} ${variant}: ${status}`);
          if (text.includes('eve')) leaks.push(`${method} ${variant} repeats the body`);
          breaker.clearOverride();
        }
      }
      expect(leaks).toEqual([]);
      const alive = await send(url, path, { headers: key });
      expect([alive.status, alive.body.sequence]).toEqual([200, 0]);
    });
  });

  it('are only made by POST, with the key', async () => {
    const { url, app } = await start(true, () => {});
    const breaker = app.get(CircuitBreakerRegistry, { strict: false }).get('storage/svc');
    for (const method of VERBS.filter((verb) => verb !== 'POST')) {
      await send(url, `/resilience${VARIANTS[0]}`, { method, headers: { ...TRICKS, ...key } });
      expect([method, breaker.override]).toEqual([method, undefined]);
    }
    const { status } = await send(url, `/resilience${VARIANTS[0]}`, { headers: key, body: why });
    expect([status, breaker.override?.by]).toEqual([200, 'eve']);
  });

  it('do not affect the page: an address with a trailing slash redirects to the one without', async () => {
    const { url } = await start(true, () => {});
    const slash = await send(url, '/resilience/ui/');
    expect([slash.status, slash.headers.location]).toEqual([302, '../ui']);
  });
});
