import { EventEmitter, once } from 'node:events';
import { Injectable } from '@nestjs/common';
import { Pool, type PoolClient, type QueryResult } from 'pg';
import { CircuitOpenError, constant, isFailure, protectProvider } from '../../src/index.js';
import { systemClock } from '../../src/common/clock.js';
import { errorOf } from '../outcomes/support.js';
import { type Booted, boot, closeAll } from '../support/boot.js';
import { OwnPostgres, describeWithPostgres } from '../support/postgres.js';
import { deferred } from '../support/wait.js';

const breaker = { circuitBreaker: { consecutiveFailures: 2, openFor: '5s' } } as const;
const twice = { retry: { maxRetries: 2, backoff: constant(0) } };

describeWithPostgres('a pool of pg under protect()', () => {
  let postgres: OwnPostgres;
  let pool: Pool;
  let booted: Booted;

  beforeAll(async () => {
    postgres = await OwnPostgres.create();
    await postgres.start();
  }, 30_000);

  beforeEach(async () => {
    booted = await boot();
    pool = new Pool({ connectionString: postgres.url, max: 2 });
    pool.on('error', () => {}); // idle connections that are cut
  });

  afterEach(async () => {
    await pool.end();
    await closeAll();
  });

  afterAll(() => postgres.remove());

  it('is still a pool, with its getters, its options and its events', async () => {
    const p = booted.service.protect(pool, { name: 'pg', '*': breaker });
    expect(p).toBeInstanceOf(Pool);
    expect(p).toBeInstanceOf(EventEmitter);
    const connected = once(p, 'connect');
    const acquired = jest.fn();
    expect(p.on('acquire', acquired)).toBe(p);
    await p.query('select 1');
    expect(await connected).toHaveLength(1);
    expect(acquired).toHaveBeenCalledTimes(1);
    expect([p.totalCount, p.idleCount, p.waitingCount]).toEqual([1, 1, 0]);
    expect(p.options.max).toBe(2);
    expect(p.listenerCount('acquire')).toBe(pool.listenerCount('acquire'));
  });

  it('answers every form of query that returns a promise', async () => {
    const p = booted.service.protect(pool, { name: 'pg', methods: { query: breaker } });
    expect((await p.query('select 1 as n')).rows).toEqual([{ n: 1 }]);
    expect((await p.query<{ n: number }>('select $1::int as n', [2])).rows[0]!.n).toBe(2);
    expect((await p.query({ text: 'select 3 as n', rowMode: 'array' })).rows).toEqual([[3]]);
    expect((await p.query({ text: 'select $1::int as n' }, [4])).rows).toEqual([{ n: 4 }]);
    expect(booted.registry.get('pg.query').counts.successes).toBe(4);
  });

  it('takes a mistake in a query for an answer, and a failure of the server for one', async () => {
    const p = booted.service.protect(pool, { name: 'pg', methods: { query: breaker } });
    await expect(p.query('select nonsense')).rejects.toMatchObject({ code: '42703' });
    expect(booted.registry.get('pg.query').counts).toMatchObject({ successes: 1, failures: 0 });
    const cut = errorOf(() => p.query('select pg_terminate_backend(pg_backend_pid())'));
    expect(isFailure(await cut)).toBe(true);
    expect(booted.registry.get('pg.query').counts.failures).toBe(1);
  });

  it('retries when a connection is cut, and only if so configured', async () => {
    await closeAll();
    booted = await boot({ resilience: { clock: systemClock } });
    await pool.query('create sequence tries');
    const cutTwice =
      "select case when nextval('tries') < 3 then pg_terminate_backend(pg_backend_pid()) end";
    const p = booted.service.protect(pool, { name: 'pg', methods: { query: twice } });
    expect((await p.query(cutTwice)).rowCount).toBe(1);
    await pool.query("select setval('tries', 1, false)");
    await expect(pool.query(cutTwice)).rejects.toBeDefined();
    expect((await pool.query('select last_value::int as n from tries')).rows).toEqual([{ n: 1 }]);
  });

  it('gives clients, which are pg’s own, and takes them back', async () => {
    const p = booted.service.protect(pool, { name: 'pg', methods: { connect: breaker } });
    const client: PoolClient = await p.connect();
    try {
      await client.query('begin');
      await client.query('rollback');
    } finally {
      client.release();
    }
    expect(p.idleCount).toBe(1);
    expect(booted.registry.get('pg.connect').counts.successes).toBe(1);
  });

  it.each(['*', 'methods'])('calls a given callback, under %s', async (where) => {
    const policies = where === '*' ? { '*': breaker } : { methods: { query: breaker } };
    const p = booted.service.protect(pool, { name: 'pg', ...policies });
    const called = deferred<QueryResult>();
    expect(p.query('select 7 as n', (_error, result) => called.resolve(result))).toBeUndefined();
    expect((await called.promise).rows).toEqual([{ n: 7 }]);
    expect((await p.query('select 8 as n')).rows).toEqual([{ n: 8 }]);
    for (const { name } of booted.registry.list()) booted.registry.get(name).forceOpen();
    const again = deferred<QueryResult>();
    expect(
      p.query('select $1::int as n', [9], (_error, result) => again.resolve(result)),
    ).toBeUndefined();
    expect((await again.promise).rows).toEqual([{ n: 9 }]);
    await expect(p.query('select 1')).rejects.toBeInstanceOf(CircuitOpenError);
  });

  it('shares the breaker under *, and has one per named method', async () => {
    const p = booted.service.protect(pool, {
      name: 'pg',
      methods: { query: breaker },
      '*': breaker,
    });
    (await p.connect()).release();
    await p.query('select 1');
    expect(Array.from(booted.registry.list(), ({ name }) => name)).toEqual(['pg.query', 'pg']);
    booted.registry.get('pg.query').forceOpen();
    await expect(p.query('select 1')).rejects.toMatchObject({ name: 'CircuitOpenError' });
    (await p.connect()).release();
  });

  it('rejects calls while the server is gone, without touching the pool, and recovers with it', async () => {
    const p = booted.service.protect(pool, { name: 'pg', methods: { query: breaker } });
    const query = jest.spyOn(pool, 'connect');
    await p.query('select 1');
    await postgres.stop();
    for (let failed = 0; failed < 2; failed++) {
      expect(isFailure(await errorOf(() => p.query('select 1')))).toBe(true);
    }
    query.mockClear();
    await expect(p.query('select 1')).rejects.toBeInstanceOf(CircuitOpenError);
    expect(query).not.toHaveBeenCalled();
    await postgres.start();
    await expect(p.query('select 1')).rejects.toBeInstanceOf(CircuitOpenError);
    await booted.clock.advance(5_000);
    expect((await p.query('select 1 as n')).rows).toEqual([{ n: 1 }]);
    expect(booted.registry.get('pg.query').state).toBe('closed');
  }, 20_000);

  it('is injected instead of the pool by protectProvider()', async () => {
    @Injectable()
    class Books {
      constructor(readonly injected: Pool) {}
    }
    await closeAll();
    booted = await boot({
      providers: [
        { provide: Pool, useFactory: () => pool },
        protectProvider(Pool, { name: 'pg', methods: { query: breaker } }),
        Books,
      ],
    });
    const { injected } = booted.app.get(Books);
    expect(injected).toBeInstanceOf(Pool);
    expect(injected).not.toBe(pool);
    await injected.query('select 1');
    expect(booted.registry.get('pg.query').counts.successes).toBe(1);
  });
});
