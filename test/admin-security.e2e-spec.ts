import { connect } from 'node:net';
import { type CallHandler, type INestApplication } from '@nestjs/common';
import {
  type CanActivate,
  type ExceptionFilter,
  type ExecutionContext,
  type NestInterceptor,
  VersioningType,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { map } from 'rxjs';
import { ResilienceAdminModule } from '../src/admin/index.js';
import { KeyGuard, NAME, READS, StorageClient, administered, key, send } from './support/admin.js';
import {
  type Platform,
  appModule,
  closeAll,
  everyPlatform,
  platforms,
  watch,
} from './support/boot.js';
import { takeStock } from './support/admin-stream.js';
import { until } from './support/wait.js';

afterEach(closeAll);

const FORCE = `/breakers/${NAME}/force-open`;
const why = { by: 'anna', reason: 'migration' };

describe.each(everyPlatform)('the management API on %s', (platform: Platform) => {
  const start = administered(platform);

  it('sends headers against scripts, framing and caching', async () => {
    const { get } = await start();
    for (const path of ['', '/breakers/x', '/nothing']) {
      expect((await get(path)).headers).toMatchObject({
        'content-security-policy': expect.stringContaining("default-src 'none'"),
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'no-referrer',
        'cache-control': 'no-store',
        'cross-origin-resource-policy': 'same-origin',
      });
    }
  });

  it.each(READS)('gives nothing of %s to those whom it must not', async (route) => {
    const { get, post } = await start({ guards: [KeyGuard] });
    const path = route.replace(':name', NAME);
    const refused = [
      ['FORBIDDEN', await get(path)],
      ['HOST_NOT_ALLOWED', await get(path, { ...key, host: 'evil.example' })],
      ['CROSS_ORIGIN', await get(path, { ...key, origin: 'http://evil.example' })],
      ['CROSS_ORIGIN', await get(path, { ...key, 'sec-fetch-site': 'cross-site' })],
    ] as const;
    for (const [code, { status, body, headers }] of refused) {
      expect([status, Object.keys(body), body.code]).toEqual([
        403,
        ['statusCode', 'code', 'message'],
        code,
      ]);
      expect(headers['content-security-policy']).toContain("default-src 'none'");
    }
    if (path !== '') expect((await post(path, why, key)).body.code).toBe('NOT_FOUND');
  });

  it.each([
    'evil.example',
    'evil.example:8081',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    'user@127.0.0.1',
    'evil.example#127.0.0.1',
    '[::1].evil',
  ])('is not available under the host name %s', async (host) => {
    const { url, get } = await start({ guards: [KeyGuard] });
    for (const body of [undefined, why]) {
      const path = `/resilience${body === undefined ? '' : FORCE}`;
      const {
        status,
        body: problem,
        text,
      } = await send(url, path, { body, headers: { ...key, host } });
      expect(status).toBeGreaterThanOrEqual(400);
      if (problem !== undefined && 'code' in problem) {
        expect(['HOST_NOT_ALLOWED', 'FST_ERR_BAD_URL']).toContain(problem.code);
      }
      expect(text).not.toContain('evil');
    }
    expect((await get('', key)).body.sequence).toBe(0);
  });

  it('is available under addresses, localhost and allowed names', async () => {
    const { get } = await start({ allowedHosts: ['Ops.example', '.internal'] });
    const good = [
      'localhost:1',
      'x.localhost',
      '10.0.0.1',
      '[::1]:8081',
      'ops.EXAMPLE.',
      'a.internal',
    ];
    for (const host of good) expect((await get('', { host })).status).toBe(200);
    for (const host of ['internal', 'ops.example.evil', 'xops.example']) {
      expect((await get('', { host })).status).toBe(403);
    }
    const any = await start({ allowedHosts: ['*'] });
    expect((await any.get('', { host: 'whatever' })).status).toBe(200);
  });

  it.each<[string, Record<string, string>]>([
    ['of another origin', { origin: 'http://evil.example' }],
    ['of a hidden origin', { origin: 'null' }],
    ['of another port', { origin: 'http://127.0.0.1:1' }],
    ['of another scheme', { origin: 'file://127.0.0.1' }],
    ['that the browser calls cross-site', { 'sec-fetch-site': 'cross-site' }],
    ['that the browser calls same-site', { 'sec-fetch-site': 'same-site' }],
    [
      'that the browser calls a navigation',
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' },
    ],
  ])('refuses changes from a page %s', async (_, headers) => {
    const { post, registry } = await start({ guards: [KeyGuard] });
    const { status, body } = await post(FORCE, why, { ...key, ...headers });
    expect([status, body.code]).toEqual([403, 'CROSS_ORIGIN']);
    expect(registry.get('storage/svc').override).toBeUndefined();
  });

  it('accepts changes from its own page, also behind a proxy with an allowed name', async () => {
    const { post, url } = await start({ guards: [KeyGuard], allowedHosts: ['ops.example'] });
    for (const origin of [url, 'https://ops.example']) {
      const headers = { ...key, origin, 'sec-fetch-site': 'same-origin' };
      expect((await post(FORCE, why, headers)).status).toBe(200);
    }
  });

  it('can be opened from a link, but not read by a script of another site', async () => {
    const { get } = await start();
    const link = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' };
    expect((await get('', link)).status).toBe(200);
    expect((await get('', { ...link, 'sec-fetch-mode': 'cors' })).status).toBe(403);
    expect((await get('', { ...link, 'sec-fetch-mode': 'no-cors' })).status).toBe(403);
  });

  it.each([
    'application/x-www-form-urlencoded',
    'text/plain',
    'multipart/form-data; boundary=x',
    'application/jsonp',
    'text/plain; application/json',
    '',
  ])('refuses bodies of the type "%s"', async (type) => {
    const { post, registry } = await start({ guards: [KeyGuard] });
    const { status } = await post(FORCE, why, { ...key, 'content-type': type });
    expect([400, 415]).toContain(status);
    expect(registry.get('storage/svc').override).toBeUndefined();
  });

  it.each<[string, string]>([
    ['no JSON', '{"by":"anna"'],
    ['a list', '[]'],
    ['a text', '"force-open"'],
    ['nothing', 'null'],
    ['too long', JSON.stringify({ ...why, reason: 'x'.repeat(20_000) })],
    ['far too long', JSON.stringify({ ...why, reason: 'x'.repeat(2_000_000) })],
    ['with a prototype', '{"by":"anna","reason":"x","__proto__":{"y":1}}'],
    ['nested deeply', `{"by":"anna","reason":"x","y":${'['.repeat(7_500)}${']'.repeat(7_500)}}`],
    ['with a constructor', '{"by":"anna","reason":"x","constructor":{"prototype":{"y":1}}}'],
  ])('refuses a body that is %s', async (_, body) => {
    const { post, registry, get } = await start({ guards: [KeyGuard] });
    const { status } = await post(FORCE, body, key);
    expect([400, 413]).toContain(status);
    expect(registry.get('storage/svc').override).toBeUndefined();
    expect(({} as Record<string, unknown>).y).toBeUndefined();
    expect((await get('', key)).status).toBe(200);
  });

  it('refuses a body that is too long, even without a declared length', async () => {
    const { post, registry } = await start({ guards: [KeyGuard] });
    const chunked = { ...key, 'transfer-encoding': 'chunked' };
    const { status, body } = await post(FORCE, { ...why, x: 'x'.repeat(20_000) }, chunked);
    expect([status, body.code]).toEqual([413, 'TOO_LARGE']);
    expect(registry.get('storage/svc').override).toBeUndefined();
  });

  it('keeps line breaks of a reason out of the log and the headers', async () => {
    const { post } = await start({ guards: [KeyGuard] });
    const reason = 'x\r\nSet-Cookie: a=b\u001b[31m\u202e';
    const { headers, body } = await post(FORCE, { by: 'a\nb', reason }, key);
    expect(headers['set-cookie']).toBeUndefined();
    expect(body.breaker.override).toMatchObject({
      by: 'a\\nb',
      reason: 'x\\r\\nSet-Cookie: a=b\\u001b[31m\\u202e',
    });
    const whole = `${'x'.repeat(199)}📚${'y'.repeat(299)}`;
    const other = await post(FORCE, { by: 'anna', reason: whole }, key);
    expect(other.body.breaker.override.reason).toBe(whole);
  });

  it('does not repeat any part of a request in an answer', async () => {
    const { get, url } = await start();
    const evil = '%3Cscript%3E';
    for (const path of [`/${evil}`, `/breakers/${evil}`, `/breakers/x/${evil}`, `/a/b/${evil}`]) {
      const { status, text } = await get(path);
      expect(status).toBe(404);
      expect(text).not.toMatch(/script/);
    }
    const { status } = await send(url, '/resilience/breakers?state=%3Cscript%3E');
    expect(status).toBe(400);
  });

  it('stays up with a thousand clients that do not read the stream', async () => {
    const { url, app, get } = await start({ maxConnections: 20 });
    const { port, hostname } = new URL(url);
    const sockets = Array.from({ length: 1_000 }, () => {
      const socket = connect(Number(port), hostname).on('error', () => {});
      socket.pause();
      socket.write(`GET /resilience/stream HTTP/1.1\r\nHost: localhost\r\n\r\n`);
      return socket;
    });
    await until(() => takeStock(app).clients.size === 20, 10_000);
    expect((await get()).status).toBe(200);
    const refused = await get('/stream');
    expect([refused.status, refused.body.code]).toEqual([503, 'TOO_MANY_CLIENTS']);
    expect(refused.headers['retry-after']).toBe('5');
    for (const socket of sockets) socket.destroy();
    await until(() => takeStock(app).clients.size === 0, 10_000);
    expect(takeStock(app).timer).toBeUndefined();
  }, 30_000);

  describe('works in an application', () => {
    const served = async (configure: (app: INestApplication) => void): Promise<string> => {
      const { AppModule } = appModule({
        providers: [StorageClient],
        imports: [ResilienceAdminModule.forRoot({ guards: [KeyGuard] })],
      });
      const adapter = await platforms[platform]();
      const app = await NestFactory.create<INestApplication>(AppModule, adapter, { logger: false });
      configure(app);
      await app.listen(0, '127.0.0.1');
      watch(app);
      return app.getUrl();
    };

    const works = async (url: string, path: string): Promise<void> => {
      const overview = await send(url, path, { headers: key });
      expect(overview.body).toMatchObject({ troubles: [] });
      const changed = await send(url, path + FORCE, { body: why, headers: key });
      expect(changed.body).toMatchObject({ breaker: { override: { by: 'anna' } } });
      expect((await send(url, `${path}/breakers/x`, { headers: key })).body.code).toBe('NOT_FOUND');
    };

    it('with a global prefix', async () => {
      await works(await served((app) => app.setGlobalPrefix('api')), '/api/resilience');
    });

    it('with versions in the path', async () => {
      const versioning = { type: VersioningType.URI, defaultVersion: '1' } as const;
      await works(await served((app) => app.enableVersioning(versioning)), '/resilience');
    });

    it('with global pipes, interceptors and filters that change everything', async () => {
      const wrap: NestInterceptor = {
        intercept: (_: ExecutionContext, next: CallHandler) =>
          next.handle().pipe(map((data: unknown) => ({ data }))),
      };
      const teapot: ExceptionFilter = {
        catch: () => {
          throw new Error('an application that hides all errors');
        },
      };
      const admit: CanActivate = { canActivate: () => true };
      const url = await served((app) => {
        app.useGlobalPipes(new ValidationPipeLike());
        app.useGlobalInterceptors(wrap);
        app.useGlobalFilters(teapot);
        app.useGlobalGuards(admit);
      });
      await works(url, '/resilience');
    });

    it('that does not parse bodies', async () => {
      const { AppModule } = appModule({
        providers: [StorageClient],
        imports: [ResilienceAdminModule.forRoot({ guards: [KeyGuard] })],
      });
      const app = await NestFactory.create<INestApplication>(
        AppModule,
        await platforms[platform](),
        {
          logger: false,
          bodyParser: false,
        },
      );
      await app.listen(0, '127.0.0.1');
      watch(app);
      const url = await app.getUrl();
      await works(url, '/resilience');
      const long = { ...why, reason: 'x'.repeat(100_000) };
      const sent = await send(url, `/resilience${FORCE}`, { body: long, headers: key });
      expect(sent.status).toBe(413);
      const broken = await send(url, `/resilience${FORCE}`, { body: '{"by', headers: key });
      expect([broken.status, broken.text.includes('by"')]).toEqual([400, false]);
    });

    it('behind a proxy that rewrites the path: no answer has an absolute link', async () => {
      const url = await served(() => {});
      for (const path of ['', '/breakers', '/pipelines', '/configuration', '/events']) {
        const { text, headers } = await send(url, `/resilience${path}`, { headers: key });
        expect(text).not.toContain('/resilience');
        expect(headers.location).toBeUndefined();
      }
    });
  });
});

/** As `new ValidationPipe({ whitelist: true, forbidNonWhitelisted: true })`, which needs packages that are not there. */
class ValidationPipeLike {
  transform(value: unknown): never {
    throw new Error(`this pipe refuses ${typeof value}`);
  }
}
