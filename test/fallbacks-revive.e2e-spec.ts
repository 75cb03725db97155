import {
  ClassSerializerInterceptor,
  Controller,
  Get,
  Injectable,
  Module,
  UseInterceptors,
} from '@nestjs/common';
import { Exclude, plainToInstance } from 'class-transformer';
import { Fallback, staleIfError } from '../src/index.js';
import { type Parts, boot, closeAll, everyPlatform, serve } from './support/boot.js';
import { request } from './support/http.js';
import { MemoryCache } from './support/memory-cache.js';
import { settle } from './support/wait.js';

afterEach(closeAll);

const down = new Error('down');
const dependency = { down: false };

beforeEach(() => {
  dependency.down = false;
});

class User {
  name = '';

  @Exclude({ toPlainOnly: true })
  passwordHash = '';
}

const anna = (): User => plainToInstance(User, { name: 'anna', passwordHash: 'secret' });

/** The decorator's work, by hand: specs are compiled without knowing the types of parameters. */
function injected(type: Function, ...parameters: Function[]): void {
  Reflect.defineMetadata('design:paramtypes', parameters, type);
}

function withWarnings(parts: Parts): { parts: Parts; warnings: string[]; cache: MemoryCache } {
  const warnings: string[] = [];
  const cache = new MemoryCache();
  const logger = { log: () => {}, warn: (message: string) => void warnings.push(message) };
  return {
    parts: {
      ...parts,
      providers: [cache.provider, ...(parts.providers ?? [])],
      resilience: { logger } as never,
    },
    warnings,
    cache,
  };
}

describe('an instance of a class with a serializer that hides properties', () => {
  function application(revive?: (plain: never) => unknown) {
    const stale = { ttl: '10m', ...(revive && { revive }) } as const;
    @Injectable()
    class Users {
      @Fallback(staleIfError(stale))
      async one(): Promise<User> {
        if (dependency.down) throw down;
        return anna();
      }
    }
    @Controller()
    @UseInterceptors(ClassSerializerInterceptor)
    class UsersController {
      constructor(readonly users: Users) {}

      @Get('service')
      service(): Promise<User> {
        return this.users.one();
      }

      @Get('handler')
      @Fallback(staleIfError({ ...stale, key: () => 'anna' }))
      async handler(): Promise<User> {
        if (dependency.down) throw down;
        return anna();
      }

      @Get('list')
      @Fallback(staleIfError({ ...stale, key: () => 'anna' }))
      async list(): Promise<object> {
        if (dependency.down) throw down;
        return { users: [anna()] };
      }

      @Get('inside')
      @Fallback(staleIfError({ ...stale, key: () => 'anna' }))
      @UseInterceptors(ClassSerializerInterceptor)
      async inside(): Promise<User> {
        if (dependency.down) throw down;
        return anna();
      }
    }
    injected(UsersController, Users);
    return { controllers: [UsersController], providers: [Users] };
  }

  const routes = ['service', 'handler', 'list'];

  describe.each(everyPlatform)('on %s', (platform) => {
    it('has no stale answer that would show them, and a warning says why', async () => {
      const { parts, warnings, cache } = withWarnings(application());
      const { url } = await serve(platform, parts);
      for (const route of routes) {
        const live = await request(`${url}/${route}`).answer;
        expect(live.body).toContain('anna');
        expect(live.body).not.toContain('secret');
      }
      await settle();
      expect(JSON.stringify([...cache.entries])).not.toContain('secret');
      dependency.down = true;
      const stale = await request(`${url}/service`).answer;
      expect(stale.status).toBe(500);
      for (const route of routes) {
        const { body } = await request(`${url}/${route}`).answer;
        expect(body).not.toContain('secret');
      }
      expect(warnings).toContain(
        'Users.one: staleIfError does not keep results with an instance of User, which would come back as plain JSON, with data that its class may hide; give it { revive: (plain) => … }',
      );
    });

    it('is restored by revive, and hides them', async () => {
      const revive = (plain: User | { users: User[] }): unknown =>
        'users' in plain
          ? { users: plainToInstance(User, plain.users) }
          : plainToInstance(User, plain);
      const { parts, warnings } = withWarnings(application(revive));
      const { url } = await serve(platform, parts);
      for (const route of routes) await request(`${url}/${route}`).answer;
      await settle();
      dependency.down = true;
      const { body } = await request(`${url}/service`).answer;
      expect(JSON.parse(body)).toEqual({ name: 'anna' });
      for (const route of routes) {
        const stale = await request(`${url}/${route}`).answer;
        expect(stale.body).toContain('anna');
        expect(stale.body).not.toContain('secret');
      }
      expect(warnings).toEqual([]);
    });

    it('is kept as returned by the interceptors of the method', async () => {
      const { parts, warnings } = withWarnings(application());
      const { url } = await serve(platform, parts);
      await request(`${url}/inside`).answer;
      await settle();
      dependency.down = true;
      const { body } = await request(`${url}/inside`).answer;
      expect(JSON.parse(body)).toEqual({ name: 'anna' });
      expect(warnings).toEqual([]);
    });
  });
});

describe('a result that JSON cannot restore', () => {
  class Money {
    constructor(readonly cents: number) {}

    toJSON(): string {
      return `${this.cents} cents`;
    }
  }

  async function keeps(result: unknown): Promise<{ found: unknown; warnings: string[] }> {
    @Injectable()
    class Books {
      @Fallback(staleIfError({ ttl: '10m' }))
      async find(): Promise<unknown> {
        if (dependency.down) throw down;
        return result;
      }
    }
    const { parts, warnings } = withWarnings({ providers: [Books] });
    const { app } = await boot(parts);
    await app.get(Books).find();
    await app.get(Books).find();
    await settle();
    dependency.down = true;
    const found: unknown = await app
      .get(Books)
      .find()
      .catch(() => 'nothing');
    return { found, warnings };
  }

  it.each<[string, unknown, string]>([
    ['an instance of a class', { price: new Money(5) }, 'an instance of Money'],
    ['one in a list', [[new Money(5)]], 'an instance of Money'],
    ['a map', { books: new Map([['a', 1]]) }, 'an instance of Map'],
    ['a set', new Set([1]), 'an instance of Set'],
    ['bytes', Buffer.from('a'), 'an instance of Buffer'],
    ['an error', { reason: new Error('a') }, 'an instance of Error'],
  ])('is not kept, with one warning: %s', async (_what, result, lost) => {
    const { found, warnings } = await keeps(result);
    expect(found).toBe('nothing');
    expect(warnings).toEqual([expect.stringContaining(`does not keep results with ${lost}`)]);
  });

  it('is kept if only its form changes, with one warning', async () => {
    const { found, warnings } = await keeps({ at: new Date(0), rate: NaN });
    expect(found).toEqual({ at: '1970-01-01T00:00:00.000Z', rate: null });
    expect(warnings).toEqual([expect.stringContaining('in which a Date comes back')]);
  });

  it.each<[string, unknown]>([
    ['plain data', { a: [1, 'b', null, { c: false }] }],
    ['an object without a prototype', Object.assign(Object.create(null) as object, { a: 1 })],
    ['null', null],
  ])('is not one without such parts: %s', async (_what, result) => {
    const { found, warnings } = await keeps(result);
    expect(found).toEqual(result === null ? null : { ...(result as object) });
    expect(warnings).toEqual([]);
  });
});

describe('revive', () => {
  it.each<[string, unknown, string]>([
    ['a class', User, 'is function User; use a function, such as (plain) => plainToInstance'],
    ['no function', 'User', `is 'User'; use a function`],
  ])('must not be %s', async (_what, revive, problem) => {
    @Injectable()
    class Users {
      @Fallback(staleIfError({ ttl: '10m', revive: revive as never }))
      async one(): Promise<User> {
        return anna();
      }
    }
    @Module({ providers: [new MemoryCache().provider, Users] })
    class Feature {}
    await expect(boot({ imports: [Feature] })).rejects.toThrow(
      `Users.one @Fallback: staleIfError.revive ${problem}`,
    );
  });
});
