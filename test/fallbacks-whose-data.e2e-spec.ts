import {
  Controller,
  Get,
  Inject,
  Injectable,
  Module,
  type Provider,
  Scope,
  type Type,
} from '@nestjs/common';
import { LazyModuleLoader, ModuleRef, REQUEST } from '@nestjs/core';
import {
  Bulkhead,
  CircuitBreaker,
  type Command,
  Fallback,
  ResilienceService,
  staleIfError,
} from '../src/index.js';
import { type Parts, boot, closeAll } from './support/boot.js';
import { problemsOf } from './support/commands.js';
import { MemoryCache } from './support/memory-cache.js';
import { settle } from './support/wait.js';

afterEach(closeAll);

const down = new Error('down');

/** The dependency of all services here. */
const dependency = { down: false };

beforeEach(() => {
  dependency.down = false;
});

async function ask<T>(answer: T): Promise<T> {
  if (dependency.down) throw down;
  return answer;
}

/** Boots with a cache and a logger that collects warnings. */
async function bootWith(
  parts: Parts,
): Promise<Awaited<ReturnType<typeof boot>> & { cache: MemoryCache; warnings: string[] }> {
  const cache = new MemoryCache();
  const warnings: string[] = [];
  const logger = { log: () => {}, warn: (message: string) => void warnings.push(message) };
  const booted = await boot({
    ...parts,
    providers: [cache.provider, ...(parts.providers ?? [])],
    resilience: { logger, ...parts.resilience } as never,
  });
  return { ...booted, cache, warnings };
}

/** The problems that remain with a cache. */
const problemsWithCache = (parts: Parts): Promise<readonly string[]> =>
  problemsOf({ ...parts, providers: [new MemoryCache().provider, ...(parts.providers ?? [])] });

@Injectable()
class Region {
  constructor(readonly name: string) {}

  @Fallback(staleIfError({ ttl: '10m' }))
  async prices(): Promise<string> {
    return ask(this.name);
  }
}

const region = (name: string): Provider => ({ provide: name, useFactory: () => new Region(name) });

describe('staleIfError without a key is refused for', () => {
  class Me {
    async profile(): Promise<string> {
      return ask('me');
    }
  }
  /** A class per test, with its decorators. */
  function scoped(scope: Scope): Type {
    @Injectable({ scope })
    class User extends Me {
      @Fallback(staleIfError({ ttl: '10m' }))
      override async profile(): Promise<string> {
        return super.profile();
      }
    }
    return User;
  }

  it('a request-scoped class', async () => {
    expect(await problemsWithCache({ providers: [scoped(Scope.REQUEST)] })).toEqual([
      expect.stringContaining('staleIfError needs a key'),
    ]);
  });

  it('a transient class', async () => {
    expect(await problemsWithCache({ providers: [scoped(Scope.TRANSIENT)] })).toEqual([
      expect.stringContaining('User is transient'),
    ]);
  });

  it('a class that is request-scoped because of its dependencies', async () => {
    @Injectable()
    class User {
      constructor(@Inject(REQUEST) readonly request: unknown) {}
      @Fallback(staleIfError({ ttl: '10m' }))
      async profile(): Promise<string> {
        return ask('me');
      }
    }
    expect(await problemsWithCache({ providers: [User] })).toEqual([
      expect.stringContaining('User is request-scoped'),
    ]);
  });

  it('two instances of one class, however they were made', async () => {
    const value = { provide: 'value', useValue: new Region('value') };
    for (const providers of [
      [region('EU'), region('US')],
      [region('EU'), value],
    ]) {
      expect(await problemsWithCache({ providers })).toEqual([
        `Region.prices @Fallback: staleIfError needs a key: the application has 2 instances of Region. Without one, a caller could get another instance's data. Give { key: function (this: Region, …args) { … } } or the name of a method`,
      ]);
    }
  });

  it('a class that two modules provide', async () => {
    @Injectable()
    class Shop {
      @Fallback(staleIfError({ ttl: '10m' }))
      async stock(): Promise<number> {
        return ask(1);
      }
    }
    @Module({ providers: [Shop] })
    class One {}
    @Module({ providers: [Shop] })
    class Two {}
    expect(await problemsWithCache({ imports: [One, Two] })).toEqual([
      expect.stringContaining('the application has 2 instances of Shop'),
    ]);
  });

  it('a handler', async () => {
    @Controller()
    class Books {
      @Get()
      @Fallback(staleIfError({ ttl: '10m' }))
      async all(): Promise<string[]> {
        return ask([]);
      }
    }
    expect(await problemsWithCache({ controllers: [Books] })).toEqual([
      expect.stringContaining('staleIfError on a handler needs a key'),
    ]);
  });

  it('a command that is defined more than once', async () => {
    @Injectable()
    class Client {
      constructor(resilience: ResilienceService) {
        for (const user of ['anna', 'bert']) {
          resilience.command('profile', {
            run: async () => ask(user),
            fallback: staleIfError({ ttl: '10m' }),
          });
        }
      }
    }
    expect(await problemsWithCache({ providers: [Client] })).toEqual([
      expect.stringContaining(`command 'profile' fallback: staleIfError needs a key`),
    ]);
  });

  it('a command that is defined again while the application runs', async () => {
    const { app } = await bootWith({});
    const resilience = app.get(ResilienceService);
    const define = (): Command<[], string> =>
      resilience.command('profile', {
        run: async () => ask('anna'),
        fallback: staleIfError({ ttl: '10m' }),
      });
    const profile = define();
    expect(define).toThrow(`command 'profile': staleIfError needs a key`);
    // The one that was refused changes nothing for the first.
    await profile.execute();
    dependency.down = true;
    await expect(profile.execute()).resolves.toBe('anna');
  });
});

describe('staleIfError without a key is fine for', () => {
  it('one instance, under any number of tokens', async () => {
    const { app, warnings } = await bootWith({
      providers: [
        region('EU'),
        { provide: 'alias', useExisting: 'EU' },
        { provide: 'same', useFactory: (eu: Region) => eu, inject: ['EU'] },
      ],
    });
    await app.get<Region>('alias').prices();
    await settle();
    dependency.down = true;
    await expect(app.get<Region>('same').prices()).resolves.toBe('EU');
    expect(warnings).toEqual([]);
  });

  it('two subclasses, of which each has its own results', async () => {
    @Injectable()
    class Eu extends Region {
      constructor() {
        super('EU');
      }
    }
    @Injectable()
    class Us extends Region {
      constructor() {
        super('US');
      }
    }
    const { app } = await bootWith({ providers: [Eu, Us] });
    await app.get(Eu).prices();
    await app.get(Us).prices();
    await settle();
    dependency.down = true;
    await expect(app.get(Eu).prices()).resolves.toBe('EU');
    await expect(app.get(Us).prices()).resolves.toBe('US');
  });

  it('a static method', async () => {
    @Injectable()
    class Prices {
      @Fallback(staleIfError({ ttl: '10m' }))
      static async all(): Promise<number[]> {
        return ask([1]);
      }
    }
    await bootWith({ providers: [Prices] });
    await Prices.all();
    await settle();
    dependency.down = true;
    await expect(Prices.all()).resolves.toEqual([1]);
  });

  it('a module that is loaded later', async () => {
    @Injectable()
    class Late {
      @Fallback(staleIfError({ ttl: '10m' }))
      async stock(): Promise<number> {
        return ask(7);
      }
    }
    @Module({ providers: [Late], exports: [Late] })
    class LateModule {}
    const { app, warnings } = await bootWith({});
    const loaded = await app.get(LazyModuleLoader).load(() => LateModule);
    const late = loaded.get(Late);
    await late.stock();
    await settle();
    dependency.down = true;
    await expect(late.stock()).resolves.toBe(7);
    expect(warnings).toEqual([]);
  });
});

describe('an instance that is not known as the only one', () => {
  /** Gets the instance that is not known. */
  type Stranger = (known: Region, app: { get(type: typeof ModuleRef): ModuleRef }) => unknown;

  it.each<[string, Stranger]>([
    ['made by hand', () => new Region('US')],
    ['made by ModuleRef.create()', (_known, app) => app.get(ModuleRef).create(StrangeRegion)],
    ['a proxy', (known) => new Proxy(known, {})],
    ['one that inherits from it', (known) => Object.create(known, { name: { value: 'US' } })],
  ])('reads and stores nothing, with one warning: %s', async (_what, strangerOf) => {
    const { app, cache, warnings } = await bootWith({ providers: [region('EU')] });
    const known = app.get<Region>('EU');
    const stranger = (await strangerOf(known, app)) as Region;
    await known.prices();
    await settle();
    expect(cache.entries.size).toBe(1);
    const before = [...cache.entries];
    await stranger.prices();
    await settle();
    expect([...cache.entries]).toEqual(before);
    dependency.down = true;
    await expect(stranger.prices()).rejects.toBe(down);
    await expect(known.prices()).resolves.toBe('EU');
    expect(warnings).toEqual([
      expect.stringMatching(
        /prices: staleIfError keeps nothing, because there are several instances .* pass a `key` option/,
      ),
    ]);
  });

  @Injectable()
  class StrangeRegion extends Region {
    constructor() {
      super('US');
    }
  }

  it('stores nothing even if no other is known', async () => {
    const { cache } = await bootWith({});
    const stranger = new Region('US');
    await stranger.prices();
    await settle();
    expect(cache.entries.size).toBe(0);
  });
});

describe('a key', () => {
  it('is called with the instance as this', async () => {
    @Injectable()
    class Keyed {
      constructor(readonly name: string) {}

      @Fallback(
        staleIfError({
          ttl: '10m',
          key(this: Keyed, id: number) {
            return `${this.name}:${id}`;
          },
        }),
      )
      async byFunction(id: number): Promise<string> {
        return ask(`${this.name} ${id}`);
      }

      @Fallback(staleIfError({ ttl: '10m', key: 'keyOf' }))
      async byMethod(id: number): Promise<string> {
        return ask(`${this.name} ${id}`);
      }

      keyOf(id: number): string {
        return `${this.name}:${id}`;
      }
    }
    const provider = (name: string): Provider => ({
      provide: name,
      useFactory: () => new Keyed(name),
    });
    const { app, warnings } = await bootWith({ providers: [provider('EU'), provider('US')] });
    const [eu, us, stranger] = [app.get<Keyed>('EU'), app.get<Keyed>('US'), new Keyed('UK')];
    for (const each of [eu, us, stranger]) {
      await each.byFunction(1);
      await each.byMethod(1);
    }
    await settle();
    dependency.down = true;
    for (const each of [eu, us, stranger]) {
      await expect(each.byFunction(1)).resolves.toBe(`${each.name} 1`);
      await expect(each.byMethod(1)).resolves.toBe(`${each.name} 1`);
      await expect(each.byMethod(2)).rejects.toBe(down);
    }
    expect(warnings).toEqual([]);
  });

  it.each<[string, unknown, unknown]>([
    ['a number', 1, 2],
    ['a bigint', 1n, 2n],
    ['a boolean', true, false],
    ['an empty string', '', ' '],
  ])('may be %s', async (_what, one, other) => {
    @Injectable()
    class Keyed {
      @Fallback(staleIfError({ ttl: '10m', key: (id: string) => id }))
      async get(id: unknown): Promise<unknown> {
        return ask(typeof id);
      }
    }
    const { app } = await bootWith({ providers: [Keyed] });
    await app.get(Keyed).get(one);
    await settle();
    dependency.down = true;
    await expect(app.get(Keyed).get(one)).resolves.toBe(typeof one);
    await expect(app.get(Keyed).get(other)).rejects.toBe(down);
  });

  it('distinguishes commands with similar names and keys', async () => {
    const { app } = await bootWith({});
    const resilience = app.get(ResilienceService);
    const command = (name: string) =>
      resilience.command(name, {
        run: async (_context, id: string) => ask(`${name}/${id}`),
        fallback: staleIfError({ ttl: '10m', key: (id: string) => id }),
      });
    const user = command('user');
    const admin = command('user:admin');
    await user.execute('admin:1');
    await settle();
    dependency.down = true;
    await expect(admin.execute('1')).rejects.toBe(down);
    await expect(user.execute('admin:1')).resolves.toBe('user/admin:1');
  });
});

describe('two methods of one name', () => {
  const one = Symbol('m');
  const other = Symbol('m');

  it.each<[string, () => MethodDecorator]>([
    ['a circuit breaker', () => CircuitBreaker() as MethodDecorator],
    ['a bulkhead', () => Bulkhead(1) as MethodDecorator],
    ['stale results', () => Fallback(staleIfError({ ttl: '10m' })) as unknown as MethodDecorator],
  ])('do not share %s', async (_what, decorator) => {
    @Injectable()
    class Both {
      @decorator()
      static async m(): Promise<number> {
        return 1;
      }
      @decorator()
      async m(): Promise<number> {
        return 2;
      }
    }
    @Injectable()
    class Symbols {
      @decorator()
      async [one](): Promise<number> {
        return 1;
      }
      @decorator()
      async [other](): Promise<number> {
        return 2;
      }
    }
    expect(await problemsWithCache({ providers: [Both] })).toEqual([
      expect.stringContaining('another method of the class is called Both.m too'),
    ]);
    expect(await problemsWithCache({ providers: [Symbols] })).toEqual([
      expect.stringContaining('another method of the class is called Symbols.Symbol(m) too'),
    ]);
  });
});

describe('parameters that cannot be part of a key', () => {
  class Query {
    constructor(readonly text: string) {}
  }

  it('cause a warning when the application starts, and when they occur', async () => {
    @Injectable()
    class Search {
      @Fallback(staleIfError({ ttl: '10m' }))
      async find(_page: number, _query: Query, _since: Date, _options: { a: 1 }): Promise<string> {
        return ask('found');
      }

      @Fallback(staleIfError({ ttl: '10m' }))
      async any(_query: unknown): Promise<string> {
        return ask('found');
      }

      @Fallback(staleIfError({ ttl: '10m', key: (query: Query) => query.text }))
      async keyed(_query: Query): Promise<string> {
        return ask('found');
      }
    }
    const { app, warnings, cache } = await bootWith({ providers: [Search] });
    expect(warnings).toEqual([
      'Search.find: parameter 2 is a Query, which staleIfError cannot turn into a key, so these results are not kept; pass a `key` option',
    ]);
    warnings.length = 0;
    for (let times = 0; times < 3; times++) await app.get(Search).any(new Query('a'));
    await settle();
    expect(cache.entries.size).toBe(0);
    expect(warnings).toEqual([
      'Search.any: staleIfError keeps nothing for calls whose arguments contain an instance of Query, which cannot be part of a key; pass a `key` option',
    ]);
  });
});
