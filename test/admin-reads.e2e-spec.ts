import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ResilienceAdminModule } from '../src/admin/index.js';
import { administered, key, KeyGuard, NAME, StorageClient, open, send } from './support/admin.js';
import {
  type Platform,
  appModule,
  closeAll,
  everyPlatform,
  nestMajor,
  watch,
} from './support/boot.js';
import { adminOf, read } from './support/admin-stream.js';
import { deferred, outcome, settle } from './support/wait.js';

afterEach(closeAll);

describe.each(everyPlatform)('the management API on %s', (platform: Platform) => {
  const start = administered(platform);

  it('reports that nothing is ill', async () => {
    const { get } = await start();
    const { status, body } = await get();
    expect(status).toBe(200);
    expect(body).toMatchObject({ troubles: [], more: 0, readOnly: true, needsBy: true });
    expect(body.breakers).toMatchObject({ closed: 1, open: 0 });
    expect(body.instance).toMatch(/^[0-9a-f]{12}$/);
  });

  it('reports the ill parts, since when and why, the worst first', async () => {
    const app = await start();
    const { get, storage, registry, clock } = app;
    storage.failing = true;
    await expect(storage.ofTenant('acme')).rejects.toThrow();
    registry.get('tenant[acme]').observeOnly({ by: 'anna', reason: 'a look' });
    await open(app);
    const openedAt = clock.wall();
    await clock.advance(1_000);
    const { body } = await get();
    expect(body.troubles).toEqual([
      {
        part: 'breaker',
        name: 'storage/svc',
        kind: 'open',
        severity: 'critical',
        since: openedAt,
        why: '2 calls failed in a row',
      },
      {
        part: 'breaker',
        name: 'tenant[acme]',
        kind: 'observe-only',
        severity: 'notice',
        why: 'anna: a look',
      },
    ]);
    expect(body.at).toBe(openedAt + 1_000);
    expect(body.breakers).toMatchObject({ open: 1, 'observe-only': 1, closed: 0 });
  });

  it('shows a breaker by its name, whatever characters it has', async () => {
    const app = await start();
    const { get, clock } = app;
    await open(app);
    await clock.advance(500);
    const { body } = await get(`/breakers/${NAME}`);
    expect(body.breaker).toMatchObject({
      name: 'storage/svc',
      state: 'open',
      since: clock.wall() - 500,
      illSince: clock.wall() - 500,
      probeAt: clock.wall() + 29_500,
      cause: { reason: 'consecutive-failures', counts: { consecutiveFailures: 2 } },
    });
    expect(body.usedBy).toEqual(['StorageClient.books']);
    expect((await get('/breakers/nobody')).status).toBe(404);
  });

  it('shows an override by code, however long its reason', async () => {
    const { get, registry, url } = await start();
    registry.get('storage/svc').forceOpen({ by: 'deploy', reason: 'x'.repeat(1_000_000) });
    const { override } = (await get(`/breakers/${NAME}`)).body.breaker;
    expect(override).toMatchObject({ by: 'deploy', reason: `${'x'.repeat(499)}…` });
    const client = await read(url);
    const { data } = await client.message(({ event }) => event === 'snapshot');
    expect(data.breakers).toMatchObject([{ override }]);
    client.leave();
  });

  it('knows since when a circuit has been ill, however often it has tried to recover', async () => {
    const app = await start();
    const { get, registry, clock } = app;
    await open(app);
    const illSince = clock.wall();
    await clock.advance(31_000);
    expect(registry.get('storage/svc').state).toBe('half-open');
    const { body } = await get(`/breakers/${NAME}`);
    expect(body.breaker).toMatchObject({ state: 'half-open', illSince });
    expect(body.breaker.since).toBeGreaterThan(illSince);
  });

  it('lists breakers by key page by page, the ill ones first', async () => {
    const { get, storage } = await start();
    for (const tenant of ['a', 'b', 'c', 'd/e']) await storage.ofTenant(tenant);
    storage.failing = true;
    await expect(storage.ofTenant('c')).rejects.toThrow();
    const first = await get('/breakers?group=tenant&limit=2');
    expect(first.body).toMatchObject({ total: 4, next: 2 });
    expect(first.body.items.map(({ name }: { name: string }) => name)).toEqual([
      'tenant[c]',
      'tenant[a]',
    ]);
    expect(first.body.items[0].group).toBe('tenant');
    const second = await get('/breakers?group=tenant&limit=2&offset=2');
    expect(second.body.items.map(({ name }: { name: string }) => name)).toEqual([
      'tenant[b]',
      'tenant[d/e]',
    ]);
    expect(second.body.next).toBeUndefined();
    expect((await get('/breakers?keys=false')).body.total).toBe(1);
    expect((await get('/breakers?state=open')).body.items).toHaveLength(1);
    expect((await get('/breakers?search=D%2FE')).body.items).toHaveLength(1);
    expect((await get(`/breakers/${encodeURIComponent('tenant[d/e]')}`)).body.breaker.group).toBe(
      'tenant',
    );
  });

  it.each(['limit=0', 'limit=201', 'limit=<b>', 'offset=-1', 'state=ill', 'keys=1', 'offset=1e3'])(
    'refuses the query %s',
    async (query) => {
      const { get } = await start();
      const { status, body, text } = await get(`/breakers?${query}`);
      expect(status).toBe(400);
      expect(body.code).toBe('BAD_REQUEST');
      expect(text).not.toContain('<b>');
    },
  );

  it('lists bulkheads, the fullest first, and says when one is full', async () => {
    const { get, storage } = await start();
    const end = deferred();
    const calls = [1, 2, 3].map(() => storage.held(end.promise));
    await settle();
    expect((await get('/bulkheads')).body.items).toEqual([
      { name: 'places', maxConcurrent: 2, maxQueue: 3, running: 2, waiting: 1, rejected: 0 },
    ]);
    expect((await get()).body.troubles).toMatchObject([{ name: 'places', kind: 'saturated' }]);
    end.resolve();
    await Promise.all(calls);
  });

  it('lists rate limits, the most used up first', async () => {
    const { get, storage, clock } = await start();
    const calls = [1, 2, 3, 4].map(() => storage.counted());
    await storage.ofClient('acme');
    await settle();
    const { body } = await get('/rate-limits');
    expect(body.total).toBe(2);
    expect(body.items).toEqual([
      {
        name: 'quota',
        scope: 'local',
        limit: 60,
        perMs: 60_000,
        burst: 3,
        remaining: 0,
        waiting: 1,
        admitted: 3,
        rejected: 0,
        recent: { admitted: 0, rejected: 0 },
      },
      {
        name: 'client[acme]',
        group: 'client',
        scope: 'local',
        limit: 20,
        perMs: 1_000,
        burst: 20,
        remaining: 19,
        waiting: 0,
        admitted: 1,
        rejected: 0,
      },
    ]);
    expect((await get('/rate-limits?keys=false')).body.total).toBe(1);
    expect((await get('/rate-limits?group=client')).body.total).toBe(1);
    expect((await get('/rate-limits?search=ACME')).body.total).toBe(1);
    expect((await get()).body).toMatchObject({ rateLimits: 2, troubles: [] });
    await clock.advance(1_000);
    await Promise.all(calls);
  });

  it('reports a rate limit while it rejects many calls', async () => {
    const { app, get, storage, clock } = await start();
    const { history } = adminOf(app);
    const ask = async (times: number): Promise<void> => {
      for (let call = 0; call < times; call++) await outcome(storage.ofClient('acme'));
    };
    await ask(1);
    await history.step();
    await ask(28);
    await history.step();
    expect((await get()).body.troubles).toEqual([]); // 9 rejections
    await ask(1);
    await history.step();
    expect((await get()).body.troubles).toEqual([
      {
        part: 'rateLimit',
        name: 'client[acme]',
        kind: 'limiting',
        severity: 'warning',
        why: '10 of 29 calls were rejected in the last minute',
      },
    ]);
    const [first] = (await get('/rate-limits')).body.items;
    expect(first).toMatchObject({
      name: 'client[acme]',
      rejected: 10,
      recent: { admitted: 19, rejected: 10 },
    });
    for (let step = 0; step < 12; step++) await history.step();
    await clock.advance(60_000);
    expect((await get()).body.troubles).toEqual([]);
  });

  it('does not take earlier calls of a key for recent ones when watching starts', async () => {
    const { app, get, storage, clock } = await start({ maxKeys: 1 });
    const { history } = adminOf(app);
    for (let call = 0; call < 50; call++) await outcome(storage.ofClient('acme'));
    await clock.advance(1_000);
    for (let call = 0; call < 5; call++) await storage.ofClient('bell');
    await history.step();
    await clock.advance(1_000);
    for (let call = 0; call < 5; call++) await storage.ofClient('acme');
    await history.step();
    const { items } = (await get('/rate-limits?search=acme')).body;
    expect(items).toMatchObject([{ rejected: 30, recent: { admitted: 0, rejected: 0 } }]);
    expect((await get()).body.troubles).toEqual([]);
  });

  it('lists commands', async () => {
    const { get, service } = await start();
    const books = service.command('books', { run: async () => 1, circuitBreaker: {}, bulkhead: 2 });
    await books.execute();
    const { items } = (await get('/commands')).body;
    expect(items).toMatchObject([{ name: 'books', breaker: 'books', bulkhead: 'books' }]);
    expect(items[0].metrics.counts.success).toBe(1);
  });

  it('shows each pipeline with the origin of each option', async () => {
    const { get, registry } = await start(
      {},
      {
        resilience: {
          defaults: { retry: { maxElapsedTime: '1m' } },
          overrides: { 'StorageClient.books': { circuitBreaker: { openFor: '20s' } } },
        },
      },
    );
    registry.reconfigure('storage/svc', { minimumCalls: 7 });
    const { items } = (await get('/pipelines?search=books')).body;
    expect(items).toHaveLength(1);
    const [{ name, stages, policies }] = items;
    expect(name).toBe('StorageClient.books');
    expect(stages).toEqual(['fallback', 'retry', 'circuit breaker']);
    const optionsOf = (kind: string) =>
      Object.fromEntries(
        policies
          .find((policy: { kind: string }) => policy.kind === kind)
          .options.map((option: { name: string }) => [option.name, option]),
      );
    expect(optionsOf('retry')).toMatchObject({
      maxRetries: { value: 1, origin: 'decorator' },
      maxElapsedTime: { value: '1m', origin: 'defaults' },
      backoff: { value: 'function', origin: 'decorator' },
    });
    expect(optionsOf('circuitBreaker')).toMatchObject({
      consecutiveFailures: { value: 2, origin: 'decorator' },
      openFor: { value: '20s', origin: "overrides['StorageClient.books']" },
      minimumCalls: { value: 7, origin: 'live' },
      maxCallDuration: { value: 60_000, origin: 'library' },
    });
    expect(JSON.stringify(policies)).not.toContain('none');
    expect(policies.find((policy: { kind: string }) => policy.kind === 'circuitBreaker').part).toBe(
      'storage/svc',
    );
  });

  it('shows the configuration without secrets', async () => {
    const { get } = await start(
      {},
      {
        resilience: {
          pipelines: { s3: { timeout: '1s', retry: { backoff: () => 1 } } },
          configs: { 'https://u:hunter2@host': { timeout: '2s' } },
        },
      },
    );
    const { body, text } = await get('/configuration');
    expect(body.pipelines).toEqual({ s3: { timeout: '1s', retry: { backoff: 'function' } } });
    expect(text).not.toContain('hunter2');
  });

  it('returns events since a number, with messages of errors but none of their other content', async () => {
    const app = await start();
    const { get } = app;
    const before = (await get('/events')).body;
    expect(before).toMatchObject({ events: [], incomplete: false });
    await open(app);
    const { body } = await get(`/events?since=${before.sequence}`);
    const types = body.events.map(({ type }: { type: string }) => type);
    expect(types).toContain('state-change');
    expect(types).toContain('retries-exhausted');
    const end = body.events.find(({ type }: { type: string }) => type === 'retries-exhausted');
    expect(end.error).toBe('BadGatewayException: <b>secret body</b>');
    expect(Object.keys(end.details)).not.toContain('error');
    const { sequence } = body.events.at(-1);
    expect((await get(`/events?since=${sequence}`)).body.events).toEqual([]);
    expect((await get('/events?since=x')).status).toBe(400);
  });

  it('answers HEAD like GET, without a body', async () => {
    const { url, get } = await start();
    const { send } = await import('./support/admin.js');
    const head = await send(url, '/resilience/breakers', { method: 'HEAD' });
    expect(head.status).toBe(200);
    expect(head.text).toBe('');
    expect(head.headers['content-length']).toBe((await get('/breakers')).headers['content-length']);
  });

  it('may only be read by clients that the guards admit', async () => {
    const { get } = await start({ guards: [KeyGuard] });
    const { status, body, headers } = await get();
    expect(status).toBe(403);
    expect(body).toEqual({
      statusCode: 403,
      code: 'FORBIDDEN',
      message: 'a guard has refused this',
    });
    expect(headers['content-security-policy']).toContain("default-src 'none'");
    expect((await get('', key)).body.readOnly).toBe(false);
  });
});

it('shows and changes a breaker with a very long name on Fastify, if that allows it', async () => {
  const { FastifyAdapter } = await import('@nestjs/platform-fastify');
  const longest = { maxParamLength: 2_000 };
  const { AppModule } = appModule({
    providers: [StorageClient],
    imports: [ResilienceAdminModule.forRoot({ guards: [KeyGuard] })],
  });
  const app = await NestFactory.create<INestApplication>(
    AppModule,
    new FastifyAdapter(nestMajor === 10 ? longest : { routerOptions: longest }),
    { logger: false },
  );
  await app.listen(0, '127.0.0.1');
  watch(app);
  const host = `https://${'x'.repeat(900)}.example`;
  await app.get(StorageClient).ofTenant(host);
  const path = `/resilience/breakers/${encodeURIComponent(`tenant[${host}]`)}`;
  const url = await app.getUrl();
  expect((await send(url, path, { headers: key })).body.breaker.group).toBe('tenant');
  const body = { by: 'anna', reason: 'migration' };
  expect((await send(url, `${path}/disable`, { headers: key, body })).status).toBe(200);
});
