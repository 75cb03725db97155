import { PassThrough } from 'node:stream';
import { inspect } from 'node:util';
import { firstValueFrom, toArray, of as rxOf } from 'rxjs';
import { CircuitOpenError, TimeoutError, constant, type ResilienceService } from '../src/index.js';
import { systemClock } from '../src/common/clock.js';
import { boot, closeAll } from './support/boot.js';
import { errorOf } from './outcomes/support.js';
import { Sdk } from './support/sdk.js';

afterEach(closeAll);

const retry = { maxRetries: 2, backoff: constant('1s') };
const twice = { retry: { maxRetries: 2, backoff: constant(0) } };
const breaker = { circuitBreaker: { consecutiveFailures: 1 } };

/** Retries at once need no virtual time. */
const atOnce = { resilience: { clock: systemClock } };

async function service(): Promise<ResilienceService> {
  return (await boot(atOnce)).service;
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

describe('protect()', () => {
  describe('gives an object', () => {
    it('whose named methods have policies', async () => {
      const sdk = new Sdk();
      const p = (await service()).protect(sdk, { name: 'sdk', methods: { get: twice } });
      sdk.failures = 2;
      expect(await p.get(7)).toBe('eu/7');
      expect(sdk.calls).toEqual(['get 7', 'get 7', 'get 7']);
    });

    it('of the same type, with the private state of the original', async () => {
      const sdk = new Sdk();
      const p = (await service()).protect(sdk, { name: 'sdk', '*': twice });
      expect(p).toBeInstanceOf(Sdk);
      expect(p.constructor).toBe(Sdk);
      p.region = 'us';
      expect([p.region, sdk.region, await p.get(1)]).toEqual(['us', 'us', 'us/1']);
      expect(p.limits).toBe(sdk.limits);
      expect(Object.keys(p)).toEqual(Object.keys(sdk));
      expect('get' in p).toBe(true);
      expect(p.get.name).toBe('get');
      expect(p.get).toHaveLength(1);
    });

    it('that is shown in logs like the original', async () => {
      const protect = await service();
      const sdk = new Sdk();
      const p = protect.protect(sdk, { name: 'sdk', '*': twice });
      expect(inspect(p)).toBe(inspect(sdk));
      expect(inspect({ clients: [p] }, { depth: 1 })).toBe(
        inspect({ clients: [sdk] }, { depth: 1 }),
      );
      const callable = Object.assign(async () => 1, { region: 'eu' });
      const q = protect.protect(callable, { name: 'callable', '*': twice });
      expect(inspect(q)).toBe(inspect(callable));
      Object.freeze(p);
      expect(inspect(p)).toContain('Sdk');
    });

    it('whose methods are always the same functions', async () => {
      const p = (await service()).protect(new Sdk(), { name: 'sdk', methods: { get: twice } });
      expect(p.get).toBe(p.get);
      expect(p.total).toBe(p.total);
      expect(p.get).not.toBe(p.put);
    });

    it('whose other methods are unchanged, but called on the original', async () => {
      const sdk = new Sdk();
      const p = (await service()).protect(sdk, { name: 'sdk', methods: { get: twice } });
      sdk.failures = 1;
      await expect(p.put(1)).rejects.toThrow('down');
      expect(p.total()).toBe(1);
      expect(p.total.call({ calls: [1, 2, 3] } as never)).toBe(3);
    });

    it('that stays itself in a chain', async () => {
      const sdk = new Sdk();
      const s = await service();
      const p = s.protect(sdk, { name: 'sdk', methods: { connect: twice } });
      const q = s.protect(sdk, { name: 'other', '*': twice });
      expect(p.on()).toBe(p);
      expect(q.on()).toBe(q);
      expect(await p.connect()).toBe(p);
      expect(await q.connect()).toBe(q);
    });

    it('that stays itself in a chain, even if it can be iterated, as a stream can', async () => {
      const p = (await service()).protect(new PassThrough(), { name: 'stream', '*': breaker });
      expect(p.on('data', () => {})).toBe(p);
      expect(p.setEncoding('utf8').resume()).toBe(p);
    });

    it('with methods under symbols', async () => {
      const ping = Symbol.for('ping');
      const sdk = new Sdk();
      const p = (await service()).protect(sdk, {
        name: 'sdk',
        methods: { [ping]: twice } as never,
      });
      sdk.failures = 1;
      expect(await (p as never as Record<symbol, () => Promise<string>>)[ping]!()).toBe('put 0');
    });

    it('even for a frozen one', async () => {
      let failures = 1;
      const frozen = Object.freeze({
        get: async () => {
          if (failures-- > 0) throw new Error('down');
          return 1;
        },
        size: 3,
        nested: {},
      });
      const p = (await service()).protect(frozen, { name: 'frozen', methods: { get: twice } });
      expect(await p.get()).toBe(1);
      expect(Object.isFrozen(p)).toBe(true);
      expect(Object.keys(p)).toEqual(['get', 'size', 'nested']);
      expect(Object.getOwnPropertyDescriptor(p, 'get')!.value).toBe(p.get);
      expect(p.nested).toBe(frozen.nested);
      expect(() => {
        (p as { size: number }).size = 4;
      }).toThrow(TypeError);
      expect({ ...p }.get).toBe(p.get);
    });

    it('that can be changed, sealed and frozen like the original', async () => {
      const original: Record<string, unknown> = { a: 1, get: async () => 1 };
      const p = (await service()).protect(original, { name: 'o', '*': twice });
      expect(Object.keys(p)).toEqual(['a', 'get']);
      p.b = 2;
      delete p.a;
      Object.defineProperty(p, 'fixed', { value: async () => 5, enumerable: true });
      expect(Object.keys(original)).toEqual(['get', 'b', 'fixed']);
      expect(p.fixed).toBe(p.fixed);
      Object.freeze(p);
      expect(Object.isFrozen(original)).toBe(true);
      expect(Reflect.ownKeys(p)).toEqual(['get', 'b', 'fixed']);
      expect(Object.getOwnPropertyDescriptors(p).b).toMatchObject({ value: 2, writable: false });
      expect(() => inspect(p, { showProxy: true })).not.toThrow();
    });

    it('whose methods can be replaced and put back, as spies do', async () => {
      const sdk = new Sdk();
      const p = (await service()).protect(sdk, { name: 'sdk', methods: { get: twice } });
      const own = Object.getPrototypeOf(sdk).get;
      const before = p.get;
      p.get = before;
      expect(Reflect.get(sdk, 'get')).toBe(own);
      const spy = jest.spyOn(p, 'get').mockRejectedValueOnce(new Error('down'));
      await p.get(1).catch(() => {});
      expect(spy).toHaveBeenCalled();
      spy.mockRestore();
      sdk.failures = 1;
      expect(await p.get(2)).toBe('eu/2');
    });

    it('that can be called if the original can', async () => {
      let failures = 2;
      const load = Object.assign(
        async (id: number) => {
          if (failures-- > 0) throw new Error('down');
          return id;
        },
        { version: 3, get: async () => 'got' },
      );
      const p = (await service()).protect(load, { name: 'load', '*': twice });
      expect(await p(5)).toBe(5);
      expect([p.version, await p.get()]).toEqual([3, 'got']);
      class Maker {
        static async make(): Promise<Maker> {
          return new Maker();
        }
      }
      const q = (await service()).protect(Maker, { name: 'Maker', '*': twice });
      expect(new q()).toBeInstanceOf(q);
      expect(q.prototype).toBe(Maker.prototype);
      expect(await q.make()).toBeInstanceOf(Maker);
    });

    it('whose members’ methods are protected by their paths', async () => {
      let failures = 2;
      const create = async (model: string): Promise<string> => {
        if (failures-- > 0) throw new Error('down');
        return model;
      };
      const openai = { chat: { completions: { create, model: 'x' } }, files: { list: create } };
      const s = await service();
      const p = s.protect(openai, {
        name: 'openai',
        methods: { 'chat.completions.create': twice },
      });
      expect(await p.chat.completions.create('m')).toBe('m');
      expect(p.chat).toBe(p.chat);
      expect(p.files).toBe(openai.files);
      failures = 2;
      const q = s.protect(openai, { name: 'q', '*': twice, members: ['files'] });
      expect(await q.files.list('f')).toBe('f');
      expect(q.chat).toBe(openai.chat);
    });
  });

  describe('methods that are not asynchronous', () => {
    it('stay so under *, even when the circuit is open', async () => {
      const { service: s, registry } = await boot();
      const sdk = new Sdk();
      const p = s.protect(sdk, { name: 'sdk', '*': { ...twice, ...breaker, bulkhead: 1 } });
      await p.get(1);
      registry.get('sdk').forceOpen({ reason: 'test' });
      await expect(p.get(1)).rejects.toBeInstanceOf(CircuitOpenError);
      expect(p.total()).toBe(1);
      expect(p.on()).toBe(p);
      expect(() => p.refuse()).toThrow(RangeError);
      expect(registry.get('sdk').snapshot().counts).toMatchObject({ successes: 1, failures: 0 });
    });

    it('stay so even if they are named, and are not judged', async () => {
      const { service: s, registry } = await boot();
      const sdk = new Sdk();
      const methods = { total: breaker, refuse: breaker, find: breaker } as never;
      const p = s.protect(sdk, { name: 'sdk', methods });
      expect(p.total()).toBe(0);
      expect(() => p.refuse()).toThrow(RangeError);
      const done = jest.fn();
      expect(p.find(1, done)).toBeUndefined();
      expect(done).toHaveBeenCalledWith(undefined, 'found 1');
      expect(await p.find(2)).toBe('put 2');
      for (const name of ['sdk.total', 'sdk.refuse']) {
        expect(registry.get(name).snapshot().counts).toMatchObject({ successes: 0, failures: 0 });
      }
      expect(registry.get('sdk.find').snapshot().counts).toMatchObject({ successes: 1 });
    });
  });

  it('turns a named method’s first call away without making it', async () => {
    const { service: s, registry } = await boot();
    const sdk = new Sdk();
    const p = s.protect(sdk, { name: 'sdk', methods: { put: breaker } });
    registry.get('sdk.put').forceOpen({ reason: 'test' });
    await expect(p.put(1)).rejects.toBeInstanceOf(CircuitOpenError);
    expect(sdk.calls).toEqual([]);
  });

  it('counts a promise that only the first call under * shows', async () => {
    const { service: s, registry } = await boot();
    const sdk = new Sdk();
    const p = s.protect(sdk, { name: 'sdk', '*': breaker });
    sdk.failures = 1;
    await expect(p.put(1)).rejects.toThrow('down');
    await expect(p.put(2)).rejects.toBeInstanceOf(CircuitOpenError);
    expect(sdk.calls).toEqual(['put 1']);
    expect(registry.get('sdk').state).toBe('open');
  });

  it('knows the methods of an object that makes them anew each time, as RPC clients do', async () => {
    const sent: string[] = [];
    const books = (): Promise<string> => Promise.reject(new Error('down'));
    const client = new Proxy(
      { books },
      { get: (_, key) => () => (sent.push(String(key)), books()) },
    );
    const p = (await service()).protect(client, { name: 'rpc', '*': breaker });
    await expect(p.books()).rejects.toThrow('down');
    await expect(p.books()).rejects.toBeInstanceOf(CircuitOpenError);
    expect(sent).toEqual(['books']);
  });

  it('retries a first failure under *, including the waits', async () => {
    const { service: s, clock } = await boot();
    const sdk = new Sdk();
    const p = s.protect(sdk, { name: 'sdk', '*': { retry } });
    sdk.failures = 2;
    const put = p.put(1);
    await clock.advance(2_000);
    expect(await put).toBe('put 1');
    expect(sdk.calls).toHaveLength(3);
  });

  it('limits the time of a method', async () => {
    const { service: s, clock } = await boot();
    const p = s.protect(
      { hang: () => new Promise<string>(() => {}) },
      { name: 'sdk', methods: { hang: { timeout: '1s' } } },
    );
    const hung = errorOf(() => p.hang());
    await clock.advance(1_000);
    expect(await hung).toBeInstanceOf(TimeoutError);
  });

  it('stops when a signal among the arguments is aborted', async () => {
    const { service: s, clock } = await boot();
    const send = jest.fn((_command: string, _options: { abortSignal: AbortSignal }) =>
      Promise.reject(new Error('down')),
    );
    const p = s.protect({ send }, { name: 'aws', methods: { send: { retry } } });
    const stop = new AbortController();
    const sent = errorOf(() => p.send('x', { abortSignal: stop.signal }));
    await clock.advance(10);
    stop.abort(new Error('gone'));
    expect(await sent).toMatchObject({ message: 'gone' });
    expect(send).toHaveBeenCalledTimes(1);
  });

  it('runs the policies of an Observable per subscription', async () => {
    const sdk = new Sdk();
    const p = (await service()).protect(sdk, { name: 'sdk', methods: { watch: twice } });
    sdk.failures = 2;
    const watched = p.watch();
    expect(await firstValueFrom(watched.pipe(toArray()))).toEqual(['a', 'b']);
    expect(sdk.calls).toHaveLength(3);
    expect(await firstValueFrom(watched.pipe(toArray()))).toEqual(['a', 'b']);
    expect(sdk.calls).toHaveLength(4);
  });

  it('does not subscribe while the circuit is open', async () => {
    const { service: s, registry } = await boot();
    const subscribed = jest.fn();
    const sdk = { watch: () => rxOf(1).pipe((source) => (subscribed(), source)) };
    const p = s.protect(sdk, { name: 'sdk', '*': breaker });
    await firstValueFrom(p.watch());
    registry.get('sdk').forceOpen({ reason: 'test' });
    await expect(firstValueFrom(p.watch())).rejects.toBeInstanceOf(CircuitOpenError);
  });

  it('runs the policies of a generator per iteration, up to the first item', async () => {
    const sdk = new Sdk();
    const p = (await service()).protect(sdk, { name: 'sdk', methods: { scan: twice } });
    sdk.failures = 2;
    expect(await all(p.scan())).toEqual([1, 2]);
    expect(sdk.calls).toHaveLength(3);
  });

  it('keeps the other members of an iterable, such as a cursor', async () => {
    let failures = 1;
    class Cursor {
      #size = 2;
      limit(size: number): this {
        this.#size = size;
        return this;
      }
      async *[Symbol.asyncIterator](): AsyncGenerator<number> {
        if (failures-- > 0) throw new Error('down');
        for (let i = 0; i < this.#size; i++) yield i;
      }
    }
    const p = (await service()).protect({ find: () => new Cursor() }, { name: 'db', '*': twice });
    expect(await all(p.find())).toEqual([0, 1]);
    expect(p.find().limit(1)).toBeInstanceOf(Cursor);
    expect(await all(p.find().limit(1))).toEqual([0]);
    failures = 1;
    expect(await all(p.find().limit(1))).toEqual([0]);
  });

  it('sends a query that is a thenable once', async () => {
    const sent = jest.fn();
    const query = () => ({ then: (done: (rows: number[]) => void) => (sent(), done([1])) });
    const p = (await service()).protect({ query }, { name: 'db', '*': twice }) as {
      query(): PromiseLike<number[]>;
    };
    expect(await p.query()).toEqual([1]);
    expect(await p.query()).toEqual([1]);
    expect(sent).toHaveBeenCalledTimes(2);
  });

  it('answers with a fallback, which gets the arguments', async () => {
    const sdk = new Sdk();
    const fallback = (_context: unknown, id: number): string => `spare ${id}`;
    const p = (await service()).protect(sdk, { name: 'sdk', methods: { get: { fallback } } });
    sdk.failures = 1;
    expect(await p.get(3)).toBe('spare 3');
  });
});
