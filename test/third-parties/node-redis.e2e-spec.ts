import { createClient as createClient4 } from 'redis';
import { createClient as createClient6 } from 'redis-next';
import { CircuitOpenError, isFailure } from '../../src/index.js';
import { errorOf } from '../outcomes/support.js';
import { OwnRedis } from '../processes/sample/redis/redis-under-test.js';
import { type Booted, boot, closeAll } from '../support/boot.js';
import { describeWithRedis } from '../support/redis.js';
import { until } from '../support/wait.js';

const breaker = { circuitBreaker: { consecutiveFailures: 2, openFor: '5s' } } as const;

/** The parts of a client that both majors have in the same form. */
type Client = Pick<
  ReturnType<typeof createClient4>,
  'connect' | 'get' | 'set' | 'incr' | 'flushAll' | 'isOpen' | 'isReady' | 'on' | 'disconnect'
> & {
  multi(): { set(key: string, value: string): { get(key: string): { exec(): Promise<unknown> } } };
  duplicate(): Client;
  publish(channel: string, message: string): Promise<unknown>;
  subscribe(channel: string, listener: (message: string) => void): Promise<void>;
  sendCommand(args: readonly string[]): Promise<unknown>;
};

const clients: Record<string, (url: string) => Client> = {
  'node-redis 4': (url) => createClient4(optionsFor(url)) as unknown as Client,
  'node-redis 6': (url) => createClient6(optionsFor(url)) as unknown as Client,
};

function optionsFor(url: string) {
  return { url, disableOfflineQueue: true, socket: { reconnectStrategy: () => 5 } };
}

describeWithRedis('a client under protect()', () => {
  let redis: OwnRedis;
  let client: Client;
  let booted: Booted;

  beforeAll(async () => {
    redis = (await OwnRedis.create())!;
    await redis.start();
  });

  afterAll(() => redis.stop());

  describe.each(Object.keys(clients))('%s', (name) => {
    beforeEach(async () => {
      booted = await boot();
      client = clients[name]!(redis.url);
      client.on('error', () => {}); // while it is gone
      await client.connect();
      await client.flushAll();
    });

    afterEach(async () => {
      if (client.isOpen) await client.disconnect();
      await closeAll();
    });

    it('is still a client, with its getters, private state and events', async () => {
      const p = booted.service.protect(client, { name: 'redis', '*': breaker });
      expect(p).toBeInstanceOf(client.constructor);
      expect([p.isOpen, p.isReady]).toEqual([true, true]);
      expect(p.on('end', () => {})).toBe(p);
      await p.set('a', '1');
      expect(await p.get('a')).toBe('1');
      expect(await p.sendCommand(['ECHO', 'hello'])).toBe('hello');
      expect(booted.registry.get('redis').counts.successes).toBe(3);
    });

    it('connects and disconnects through the protected object', async () => {
      const p = booted.service.protect(client.duplicate(), { name: 'redis', '*': breaker });
      p.on('error', () => {});
      await p.connect();
      expect(p.isReady).toBe(true);
      await p.disconnect();
      expect(p.isOpen).toBe(false);
    });

    it('transactions and duplicates stay synchronous, and have no policies', async () => {
      const p = booted.service.protect(client, { name: 'redis', '*': breaker });
      booted.registry.get('redis').forceOpen();
      expect(await p.multi().set('a', '1').get('a').exec()).toEqual(['OK', '1']);
      expect(p.duplicate().isOpen).toBe(false);
    });

    it('receives its subscriptions, which are not rejected because of the listener', async () => {
      const p = booted.service.protect(client, { name: 'redis', methods: { subscribe: breaker } });
      const heard: string[] = [];
      await p.subscribe('news', (message) => heard.push(message));
      const other = client.duplicate();
      other.on('error', () => {});
      await other.connect();
      await other.publish('news', 'hello');
      await until(() => heard.length > 0);
      await other.disconnect();
      expect(heard).toEqual(['hello']);
      expect(booted.registry.get('redis.subscribe').counts.successes).toBe(1);
      booted.registry.get('redis.subscribe').forceOpen();
      await expect(p.subscribe('more', () => {})).rejects.toBeInstanceOf(CircuitOpenError);
    });

    it('takes a refused command for an answer', async () => {
      const p = booted.service.protect(client, { name: 'redis', methods: { incr: breaker } });
      await client.set('text', 'x');
      await expect(p.incr('text')).rejects.toThrow('not an integer');
      expect(booted.registry.get('redis.incr').counts.failures).toBe(0);
    });

    it('rejects calls while the server is gone, and recovers with it', async () => {
      const p = booted.service.protect(client, { name: 'redis', methods: { get: breaker } });
      await p.get('a');
      await redis.stop();
      for (let failed = 0; failed < 2; failed++) {
        expect(isFailure(await errorOf(() => p.get('a')))).toBe(true);
      }
      await expect(p.get('a')).rejects.toBeInstanceOf(CircuitOpenError);
      await redis.start();
      await until(() => p.isReady);
      await expect(p.get('a')).rejects.toBeInstanceOf(CircuitOpenError);
      await booted.clock.advance(5_000);
      expect(await p.get('a')).toBeNull();
      expect(booted.registry.get('redis.get').state).toBe('closed');
    });
  });
});
