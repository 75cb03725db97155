import { Redis } from 'ioredis';
import { CircuitOpenError, constant, isFailure } from '../../src/index.js';
import { systemClock } from '../../src/common/clock.js';
import { errorOf } from '../outcomes/support.js';
import { OwnRedis } from '../processes/sample/redis/redis-under-test.js';
import { type Booted, boot, closeAll } from '../support/boot.js';
import { hostProcess } from '../support/process.js';
import { describeWithRedis } from '../support/redis.js';
import { settle, until } from '../support/wait.js';

const breaker = { circuitBreaker: { consecutiveFailures: 2, openFor: '5s' } } as const;

describeWithRedis('a client of ioredis under protect()', () => {
  let redis: OwnRedis;
  let client: Redis;
  let booted: Booted;

  beforeAll(async () => {
    redis = (await OwnRedis.create())!;
    await redis.start();
  });

  beforeEach(async () => {
    booted = await boot();
    client = new Redis(redis.url, {
      retryStrategy: () => 5,
      maxRetriesPerRequest: 0,
      enableOfflineQueue: false,
      lazyConnect: true,
    });
    client.on('error', () => {}); // while it is gone
    await client.connect();
    await client.flushall();
  });

  afterEach(async () => {
    client.disconnect();
    await closeAll();
  });

  afterAll(() => redis.stop());

  it('is still a client, with its status, its options and its events', async () => {
    const p = booted.service.protect(client, { name: 'redis', '*': breaker });
    expect(p).toBeInstanceOf(Redis);
    expect([p.status, p.options.maxRetriesPerRequest]).toEqual(['ready', 0]);
    expect(p.on('close', () => {})).toBe(p);
    await p.set('a', '1');
    expect(await p.mget('a', 'b')).toEqual(['1', null]);
    expect(await p.getBuffer('a')).toEqual(Buffer.from('1'));
    expect(await p.call('ECHO', 'hello')).toBe('hello');
    expect(booted.registry.get('redis').counts).toMatchObject({ successes: 4, failures: 0 });
  });

  it('pipelines and transactions stay synchronous, and are those of the client itself', async () => {
    const p = booted.service.protect(client, { name: 'redis', '*': breaker });
    expect(await p.pipeline().set('a', '1').get('a').exec()).toEqual([
      [null, 'OK'],
      [null, '1'],
    ]);
    expect(await p.multi().incr('n').incr('n').exec()).toEqual([
      [null, 1],
      [null, 2],
    ]);
    expect(await p.multi({ pipeline: false })).toBe('OK');
    expect(await p.incr('n')).toBe('QUEUED');
    expect(await p.exec()).toEqual([[null, 3]]);
    await p.get('n');
    booted.registry.get('redis').forceOpen();
    expect(p.pipeline().length).toBe(0);
    await expect(p.get('n')).rejects.toBeInstanceOf(CircuitOpenError);
  });

  it('multi() is a pipeline even after it has given a promise', async () => {
    const p = booted.service.protect(client, { name: 'redis', '*': breaker });
    await p.multi({ pipeline: false });
    await p.discard();
    expect(await p.multi().incr('n').exec()).toEqual([[null, 1]]);
    await p.multi({ pipeline: false });
    await p.discard();
  });

  it('duplicates are clients without policies', async () => {
    const p = booted.service.protect(client, { name: 'redis', '*': breaker });
    const copy = p.duplicate();
    expect(copy).not.toBe(p);
    await copy.connect();
    expect(await copy.ping()).toBe('PONG');
    copy.disconnect();
    expect(booted.registry.get('redis').counts.requests).toBe(0);
  });

  it('calls a callback once, without an unhandled rejection of its failure', async () => {
    const unhandled = jest.fn();
    hostProcess.on('unhandledRejection', unhandled);
    try {
      const p = booted.service.protect(client, { name: 'redis', '*': breaker });
      const called = jest.fn();
      void p.set('a', '1', called);
      await until(() => called.mock.calls.length > 0);
      expect(called.mock.calls).toEqual([[null, 'OK']]);
      const failed = jest.fn();
      void p.call('nonsense', failed);
      await until(() => failed.mock.calls.length > 0);
      booted.registry.get('redis').forceOpen();
      void p.set('a', '1', called);
      await settle();
      await new Promise((resolve) => setTimeout(resolve, 2));
      expect(unhandled).not.toHaveBeenCalled();
    } finally {
      hostProcess.off('unhandledRejection', unhandled);
    }
  });

  it('a blocking command has no policies if it is excluded from *', async () => {
    const p = booted.service.protect(client, {
      name: 'redis',
      methods: { blpop: {} },
      '*': { timeout: '1s', ...breaker },
    });
    const other = client.duplicate();
    await other.connect();
    const popped = p.blpop('list', 0);
    await until(() => booted.clock.pending === 0);
    await booted.clock.advance(60_000);
    await other.rpush('list', 'x');
    expect(await popped).toEqual(['list', 'x']);
    other.disconnect();
  });

  it('receives its subscriptions', async () => {
    const p = booted.service.protect(client, { name: 'redis', '*': breaker });
    const heard: unknown[] = [];
    p.on('message', (channel, message) => heard.push([channel, message]));
    expect(await p.subscribe('news')).toBe(1);
    const other = client.duplicate();
    await other.connect();
    await other.publish('news', 'hello');
    await until(() => heard.length > 0);
    expect(heard).toEqual([['news', 'hello']]);
    other.disconnect();
  });

  it('takes a refused command for an answer', async () => {
    const p = booted.service.protect(client, { name: 'redis', methods: { incr: breaker } });
    await client.set('text', 'x');
    await expect(p.incr('text')).rejects.toThrow('not an integer');
    expect(booted.registry.get('redis.incr').counts.failures).toBe(0);
  });

  it('retries if so configured', async () => {
    await closeAll();
    booted = await boot({ resilience: { clock: systemClock } });
    const p = booted.service.protect(client, {
      name: 'redis',
      methods: { get: { retry: { maxRetries: 2, backoff: constant(0) } } },
    });
    const sent = jest.spyOn(client, 'sendCommand');
    const gone = Object.assign(new Error('gone'), { code: 'ECONNRESET' });
    sent.mockImplementationOnce(() => Promise.reject(gone));
    expect(await p.get('a')).toBeNull();
    expect(sent).toHaveBeenCalledTimes(2);
    sent.mockRestore();
  });

  it('rejects calls while the server is gone, without touching the client, and recovers with it', async () => {
    const p = booted.service.protect(client, { name: 'redis', '*': breaker });
    await p.set('a', '1');
    await redis.stop();
    for (let failed = 0; failed < 2; failed++) {
      expect(isFailure(await errorOf(() => p.set('a', '2')))).toBe(true);
    }
    const sent = jest.spyOn(client, 'sendCommand');
    await expect(p.set('a', '3')).rejects.toBeInstanceOf(CircuitOpenError);
    expect(sent).not.toHaveBeenCalled();
    sent.mockRestore();
    await redis.start();
    await until(() => p.status === 'ready');
    await booted.clock.advance(5_000);
    expect(await p.set('a', '4')).toBe('OK');
    expect(booted.registry.get('redis').state).toBe('closed');
  });
});
