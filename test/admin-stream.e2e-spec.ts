import { administered, open } from './support/admin.js';
import { adminOf, read, takeStock } from './support/admin-stream.js';
import { type Platform, closeAll, everyPlatform } from './support/boot.js';
import { until } from './support/wait.js';

afterEach(closeAll);

describe.each(everyPlatform)('the stream of the management API on %s', (platform: Platform) => {
  const start = administered(platform);

  it('begins with a snapshot and the series, and goes on with changes', async () => {
    const app = await start();
    await app.storage.books();
    await adminOf(app.app).history.step();
    const client = await read(app.url);
    expect(client.response.headers['content-type']).toBe('text/event-stream;charset=UTF-8');
    expect(client.response.headers['x-content-type-options']).toBe('nosniff');
    const snapshot = await client.message(({ event }) => event === 'snapshot');
    expect(snapshot.id).toBeUndefined();
    expect(snapshot.data).toMatchObject({
      breakers: [{ name: 'storage/svc', state: 'closed' }],
      bulkheads: [{ name: 'places' }],
      rateLimits: [{ name: 'quota' }],
      keyedBreakers: 0,
      keyedRateLimits: 0,
    });
    const { p50, p99 } = app.registry.get('storage/svc').snapshot().metrics.latency;
    expect(snapshot.data.breakers[0].metrics).toEqual({ latency: { p50, p99 } });
    expect(snapshot.data.breakers[0]).not.toHaveProperty('timeInStateMs');
    const series = await client.message(({ event }) => event === 'series');
    expect(series.id).toBe(`${snapshot.data.instance}-${series.id!.split('-')[1]}`);
    expect(
      series.data.map(({ part, name }: { part: string; name: string }) => [part, name]),
    ).toEqual([
      ['breaker', 'storage/svc'],
      ['method', 'StorageClient.books'],
    ]);
    expect(series.data[1].values).toMatchObject({ requests: [0.2], errorRate: [0] });

    await open(app);
    const delta = await client.message(
      ({ event, data }) => event === 'delta' && data.breakers[0]?.state === 'open',
    );
    expect(delta.data.events.map(({ type }: { type: string }) => type)).toContain('state-change');
    client.leave();
  });

  it('repeats and omits nothing for a client that reconnects', async () => {
    const app = await start();
    const client = await read(app.url);
    await client.message(({ event }) => event === 'series');
    const { lastId } = client;
    client.leave();
    await until(() => takeStock(app.app).clients.size === 0);
    await open(app);
    const again = await read(app.url, lastId);
    const first = await again.message(() => true);
    expect(first.event).toBe('delta');
    expect(first.data.breakers).toMatchObject([{ name: 'storage/svc', state: 'open' }]);
    again.leave();
  });

  it.each(['0-1', 'x', '000000000000-5', '-1', 'a'.repeat(5_000)])(
    'begins again for the unknown id %s',
    async (id) => {
      const { url } = await start();
      const client = await read(url, id);
      expect((await client.message(() => true)).event).toBe('snapshot');
      client.leave();
    },
  );

  it('shows breakers by key, the ill ones first, as far as there is room', async () => {
    const app = await start({ maxKeys: 2 });
    for (const tenant of ['a', 'b', 'c']) await app.storage.ofTenant(tenant);
    app.storage.failing = true;
    await expect(app.storage.ofTenant('c')).rejects.toThrow();
    await adminOf(app.app).history.step();
    const client = await read(app.url);
    const { data } = await client.message(({ event }) => event === 'snapshot');
    expect(data.breakers.map(({ name }: { name: string }) => name).sort()).toEqual([
      'storage/svc',
      'tenant[a]',
      'tenant[c]',
    ]);
    expect(data.keyedBreakers).toBe(3);
    client.leave();
  });

  it('has rate limits, and of those by key the most used up, as far as there is room', async () => {
    const app = await start({ maxKeys: 1 });
    await app.storage.ofClient('a');
    for (let call = 0; call < 5; call++) await app.storage.ofClient('b');
    await adminOf(app.app).history.step();
    const client = await read(app.url);
    const { data } = await client.message(({ event }) => event === 'snapshot');
    expect(data.rateLimits).toMatchObject([
      { name: 'quota', remaining: 3 },
      { name: 'client[b]', remaining: 15 },
    ]);
    expect(data.keyedRateLimits).toBe(2);

    await app.storage.counted();
    for (let call = 0; call < 10; call++) await app.storage.ofClient('a');
    await adminOf(app.app).history.step();
    const delta = await client.message(
      ({ event, data: { gone } }) => event === 'delta' && gone.rateLimits.length > 0,
    );
    expect(delta.data.gone.rateLimits).toEqual(['client[b]']);
    expect(
      client.messages.flatMap(({ event, data: { rateLimits } }) =>
        event === 'delta' ? rateLimits : [],
      ),
    ).toMatchObject(
      expect.arrayContaining([
        expect.objectContaining({ name: 'quota', remaining: 2 }),
        expect.objectContaining({ name: 'client[a]', remaining: 9 }),
      ]),
    );
    client.leave();
  });

  it('ends with the application, which does not wait for its clients', async () => {
    const app = await start();
    const client = await read(app.url);
    await client.message(({ event }) => event === 'snapshot');
    const ended = new Promise((resolve) => client.response.once('end', resolve));
    await app.app.close();
    await ended;
    expect(takeStock(app.app).timer).toBeUndefined();
  });

  it('has no timer without clients, and forgets clients that have gone', async () => {
    const app = await start();
    expect(takeStock(app.app).timer).toBeUndefined();
    const clients = await Promise.all([read(app.url), read(app.url)]);
    await until(() => takeStock(app.app).clients.size === 2);
    expect(takeStock(app.app).timer?.hasRef()).toBe(false);
    for (const client of clients) client.leave();
    await until(() => takeStock(app.app).clients.size === 0);
    expect(takeStock(app.app).timer).toBeUndefined();
  });
});
