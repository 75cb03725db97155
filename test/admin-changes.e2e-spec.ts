import { ResilienceConfigurationError } from '../src/index.js';
import { ResilienceAdminModule } from '../src/admin/index.js';
import { type Administered, KeyGuard, administered, key, send } from './support/admin.js';
import { MemoryStore } from '../src/testing/index.js';
import { settle } from './support/wait.js';
import { type Platform, closeAll, everyPlatform } from './support/boot.js';

afterEach(closeAll);

const BREAKER = `/breakers/${encodeURIComponent('storage/svc')}`;
const why = { by: 'anna', reason: 'migration' };

describe.each(everyPlatform)('changes by the management API on %s', (platform: Platform) => {
  const start = administered(platform);
  const guarded = () => start({ guards: [KeyGuard] });
  const breakerOf = ({ registry }: Administered) => registry.get('storage/svc');

  it.each([
    ['force-open', 'forced-open'],
    ['disable', 'disabled'],
    ['observe-only', 'observe-only'],
  ])('%s, and clear it', async (action, kind) => {
    const app = await guarded();
    const { status, body } = await app.post(`${BREAKER}/${action}`, { ...why, until: '30m' }, key);
    expect(status).toBe(200);
    const until = app.clock.wall() + 1_800_000;
    expect(body.breaker.override).toEqual({ kind, ...why, until });
    expect(breakerOf(app).override).toMatchObject({ kind, ...why, until: new Date(until) });
    await app.post(`${BREAKER}/clear`, { by: 'bob', reason: 'done' }, key);
    expect(breakerOf(app).override).toBeUndefined();
    const { events } = (await app.get('/events', key)).body;
    expect(events.filter(({ type }: { type: string }) => type === 'change')).toMatchObject([
      { name: 'storage/svc', details: { action, ...why, until } },
      { name: 'storage/svc', details: { action: 'clear', by: 'bob', reason: 'done' } },
    ]);
  });

  it('an override ends a moment later at the earliest', async () => {
    const app = await guarded();
    expect((await app.post(`${BREAKER}/disable`, { ...why, until: 0.5 }, key)).status).toBe(200);
    expect(breakerOf(app).override?.until).toEqual(new Date(app.clock.wall() + 1));
  });

  it('an override whose end passes while it is made is refused', async () => {
    const app = await guarded();
    const begun = app.clock.wall();
    let readings = 0;
    jest.spyOn(app.clock, 'wall').mockImplementation(() => begun + readings++);
    const { status, body } = await app.post(`${BREAKER}/disable`, { ...why, until: 1 }, key);
    jest.restoreAllMocks();
    expect({ status, ...body }).toMatchObject({
      status: 400,
      problems: [expect.stringContaining('until: use a future date')],
    });
    expect(breakerOf(app).override).toBeUndefined();
  });

  it('reset and configure', async () => {
    const app = await guarded();
    const { generation } = breakerOf(app).snapshot();
    expect((await app.post(`${BREAKER}/reset`, why, key)).status).toBe(200);
    expect(breakerOf(app).snapshot().generation).toBeGreaterThan(generation);
    const options = { openFor: '7s' };
    const { body } = await app.post(`${BREAKER}/configure`, { ...why, options }, key);
    expect(body.breaker.limits.openForMs).toBe(7_000);
    expect((await app.post('/breakers/tenant/configure', { ...why, options }, key)).status).toBe(
      200,
    );
  });

  it('configure changes a shared breaker on all instances, a local one on this instance, unless asked otherwise', async () => {
    const store = new MemoryStore();
    const two = [
      await start({ guards: [KeyGuard] }, { resilience: { store } }),
      await start({ guards: [KeyGuard] }, { resilience: { store } }),
    ];
    const limits = (): unknown[] => two.map((app) => breakerOf(app).snapshot().limits.openForMs);
    const change = async (body: object): Promise<unknown> => {
      const { status } = await two[0]!.post(`${BREAKER}/configure`, { ...why, ...body }, key);
      await settle();
      return status;
    };
    expect(await change({ options: { openFor: '7s' } })).toBe(200);
    expect(limits()).toEqual([7_000, 30_000]);
    await change({ options: null });
    expect(limits()).toEqual([30_000, 30_000]);
    await change({ options: { openFor: '8s' }, scope: 'shared', until: '1h' });
    expect(limits()).toEqual([8_000, 8_000]);
    await change({ options: null, scope: 'shared' });
    expect(limits()).toEqual([30_000, 30_000]);
    const overrides = { 'storage/svc': { circuitBreaker: { scope: 'shared' } } } as const;
    two.splice(0, 2);
    for (let i = 0; i < 2; i++) {
      two.push(await start({ guards: [KeyGuard] }, { resilience: { store, overrides } }));
    }
    await change({ options: { openFor: '9s' } });
    expect(limits()).toEqual([9_000, 9_000]);
    await change({ options: { openFor: '6s' }, scope: 'local' });
    expect(limits()).toEqual([6_000, 9_000]);
    await change({ options: null, scope: 'local' });
    await change({ options: null });
    expect(limits()).toEqual([30_000, 30_000]);
    const { events } = (await two[0]!.get('/events', key)).body;
    expect(events.at(-1)).toMatchObject({ details: { options: null, scope: 'shared' } });
    for (const [body, problem] of [
      [{ options: { openFor: '8s' }, scope: 'local', until: '1h' }, 'until: only for an override'],
      [{ options: { openFor: '8s' }, scope: 'all' }, 'scope: only for configure; use'],
    ] as const) {
      const answer = await two[0]!.post(`${BREAKER}/configure`, { ...why, ...body }, key);
      expect(answer.body.problems).toEqual([expect.stringContaining(problem)]);
    }
    const alone = await guarded();
    const body = { ...why, options: { openFor: '8s' }, scope: 'shared' };
    const answer = await alone.post(`${BREAKER}/configure`, body, key);
    expect(answer.body.problems).toEqual([`scope is 'shared', but there is no store`]);
  });

  it('configure changes shared breakers by key on all instances, even before the first key', async () => {
    const store = new MemoryStore();
    const overrides = { tenant: { circuitBreaker: { scope: 'shared' } } } as const;
    const resilience = { store, overrides };
    const two = [
      await start({ guards: [KeyGuard] }, { resilience }),
      await start({ guards: [KeyGuard] }, { resilience }),
    ];
    const configure = async (openFor: string): Promise<unknown[]> => {
      const body = { ...why, options: { openFor } };
      expect((await two[0]!.post('/breakers/tenant/configure', body, key)).status).toBe(200);
      await settle();
      const limits: unknown[] = [];
      for (const { storage, registry } of two) {
        await storage.ofTenant('acme');
        limits.push(registry.get('tenant[acme]').snapshot().limits.openForMs);
      }
      return limits;
    };
    expect(await configure('7s')).toEqual([7_000, 7_000]);
    expect(await configure('8s')).toEqual([8_000, 8_000]);
  });

  it('reports the problems of options, without repeating values', async () => {
    const app = await guarded();
    const options = { openFor: '<script>', '<b>': 1, window: { calls: '<i>' }, key: 'x' };
    const { status, body, text } = await app.post(`${BREAKER}/configure`, { ...why, options }, key);
    expect(status).toBe(400);
    expect(body.problems).toContainEqual(expect.stringMatching(/^openFor: use /));
    expect(text).not.toMatch(/<(script|b|i)>/);
    expect(breakerOf(app).snapshot().limits.openForMs).toBe(30_000);
  });

  it('takes no option that every object has', async () => {
    const app = await guarded();
    const body = '{"by":"anna","reason":"x","options":{"__proto__":{"openFor":"1s"}}}';
    expect((await app.post(`${BREAKER}/configure`, body, key)).status).toBe(400);
    expect((await app.get('/events', key)).body.events).toEqual([]);
  });

  it.each<[string, object, string]>([
    ['force-open', { reason: 'x' }, 'by: use a text of at most 100 characters'],
    ['force-open', { by: 'anna' }, 'reason: use a text of at most 500 characters'],
    ['force-open', { by: ' ', reason: 'x' }, 'by: use a text of at most 100 characters'],
    ['force-open', { by: 5, reason: 'x' }, 'by: use a text of at most 100 characters'],
    ['force-open', { ...why, until: 'soon' }, 'until: use a future date'],
    ['force-open', { ...why, until: '2001-01-01T00:00:00Z' }, 'until: use a future date'],
    ['force-open', { ...why, until: '2027-02-30T00:00:00Z' }, 'until: use a future date'],
    ['force-open', { ...why, until: 0 }, 'until: use a future date'],
    ['force-open', { ...why, until: '99999h' }, 'until: use a future date'],
    ['force-open', { ...why, state: 'open' }, 'the fields are by, reason, until, options'],
    ['force-open', { ...why, options: {} }, 'options: only for configure'],
    ['clear', { ...why, until: '1h' }, 'until: only for'],
    ['configure', why, 'options: use an object'],
  ])('refuses %s with %j', async (action, body, problem) => {
    const app = await guarded();
    const answer = await app.post(`${BREAKER}/${action}`, body, key);
    expect(answer.status).toBe(400);
    expect(answer.body.problems).toEqual([expect.stringContaining(problem)]);
    expect(breakerOf(app).override).toBeUndefined();
  });

  it('takes a date', async () => {
    const app = await guarded();
    const until = new Date(app.clock.wall() + 60_000).toISOString();
    await app.post(`${BREAKER}/force-open`, { ...why, until }, key);
    expect(breakerOf(app).override).toMatchObject({ until: new Date(until) });
  });

  it('refuses changes of unknown parts', async () => {
    const app = await guarded();
    for (const path of ['/breakers/x/force-open', `${BREAKER}/explode`, '/breakers/tenant/clear']) {
      expect((await app.post(path, why, key)).status).toBe(404);
    }
  });

  it('takes the author from identify() only', async () => {
    const identify = async ({ headers }: { headers: Record<string, string> }) => headers['x-user'];
    const app = await start({ guards: [KeyGuard], identify });
    expect((await app.get('', key)).body.needsBy).toBe(false);
    const { status, body } = await app.post(`${BREAKER}/force-open`, why, key);
    expect([status, body.code]).toEqual([403, 'UNKNOWN_CALLER']);
    await app.post(`${BREAKER}/force-open`, why, { ...key, 'x-user': 'carol' });
    expect(breakerOf(app).override?.by).toBe('carol');
  });

  it.each<[string, object]>([
    ['without guards', {}],
    ['with readOnly', { guards: [KeyGuard], readOnly: true }],
  ])('are all refused %s', async (_, options) => {
    const app = await start(options);
    for (const action of ['force-open', 'disable', 'observe-only', 'clear', 'reset', 'configure']) {
      const { status, body } = await app.post(`${BREAKER}/${action}`, why, key);
      expect([status, body.code]).toEqual([403, 'READ_ONLY']);
    }
    expect(breakerOf(app).override).toBeUndefined();
  });

  describe('without leave are refused', () => {
    const paths = [
      `${BREAKER}/force-open`,
      `${BREAKER}/force-open/`,
      `${BREAKER}/FORCE-OPEN`,
      `${BREAKER.toUpperCase()}/force-open`,
      `/breakers/${encodeURIComponent(encodeURIComponent('storage/svc'))}/force-open`,
      `/breakers/storage/svc/force-open`,
      `//breakers/storage%2Fsvc/force-open`,
      `/../resilience${BREAKER}/force-open`,
      `/.${BREAKER}/force-open`,
      `/%2e%2e/resilience${BREAKER}/force-open`,
      `${BREAKER}/force-open?_method=GET&x=${'y'.repeat(2_000)}`,
      `${BREAKER};x=1/force-open`,
      `/breakers/%00/force-open`,
      `/breakers/%E0%A4%A/force-open`,
      `${BREAKER}%2Fforce-open`,
      '/',
      '/breakers',
      '/stream',
    ];
    const methods = ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'QUERY'];

    it('with every method on every path', async () => {
      const app = await guarded();
      const override = { 'x-http-method-override': 'POST', 'x-method-override': 'POST' };
      for (const method of methods) {
        for (const path of paths) {
          const { status } = await send(app.url, `/resilience${path}`, {
            method,
            headers: override,
            ...(method === 'POST' && { body: why }),
          });
          // Frameworks answer OPTIONS themselves.
          if (method !== 'OPTIONS') expect(status).toBeGreaterThanOrEqual(400);
        }
      }
      expect(breakerOf(app).override).toBeUndefined();
      expect((await app.get('', key)).body.sequence).toBe(0);
    });

    it('with leave, but by another method', async () => {
      const app = await guarded();
      for (const method of methods.filter((each) => each !== 'POST')) {
        const path = `/resilience${BREAKER}/force-open`;
        const headers = { ...key, 'x-http-method-override': 'POST' };
        const { status } = await send(app.url, path, { method, headers });
        if (method !== 'OPTIONS') expect(status).toBeGreaterThanOrEqual(400);
      }
      expect(breakerOf(app).override).toBeUndefined();
    });
  });
});

describe('ResilienceAdminModule', () => {
  const problemsOf = (options: object): readonly string[] => {
    try {
      ResilienceAdminModule.forRoot(options);
    } catch (error) {
      if (error instanceof ResilienceConfigurationError) return error.problems;
      throw error;
    }
    return [];
  };

  it.each<[object, string]>([
    [{ path: '' }, 'path is '],
    [{ path: '../x' }, 'path is '],
    [{ path: ':id' }, 'path is '],
    [{ guards: [{}] }, 'guards is [ {} ]; use a list of guards'],
    [{ readOnly: false }, 'readOnly is false, but changes need a guard; give guards'],
    [{ readOnly: 'no' }, `readOnly is 'no'; use true or false`],
    [{ identify: 'me' }, `identify is 'me'; use a function`],
    [{ allowedHosts: ['http://x'] }, 'allowedHosts is '],
    [{ maxConnections: 0 }, 'maxConnections is 0'],
    [{ interval: '100ms' }, `interval is '100ms'`],
    [{ maxKeys: -1 }, 'maxKeys is -1'],
    [{ maxEvents: 1 }, 'maxEvents is 1'],
    [{ port: 1 }, 'port is not an option'],
  ])('refuses %j', (options, problem) => {
    expect(problemsOf(options)).toEqual([
      expect.stringContaining(`ResilienceAdminModule.forRoot(): ${problem}`),
    ]);
  });
});
