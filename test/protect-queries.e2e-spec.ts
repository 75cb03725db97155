import { CircuitOpenError, type ResilienceService } from '../src/index.js';
import { systemClock } from '../src/common/clock.js';
import { boot, closeAll } from './support/boot.js';
import { hostProcess } from './support/process.js';
import { settle } from './support/wait.js';

const breaker = { circuitBreaker: { consecutiveFailures: 3 } } as const;
const again = { retry: { maxRetries: 1, backoff: () => 0 } } as const;

/** A query builder: sent each time that it is awaited, as those of knex, Drizzle and Mongoose. */
class Query implements PromiseLike<string> {
  #conditions: string[] = [];
  private sentBefore = false;
  limit = '';

  constructor(
    private readonly database: Database,
    readonly verb: string,
  ) {}

  where(condition: string): this {
    this.#conditions.push(condition);
    return this;
  }

  /** Another query. */
  limited(): Query {
    return new Query(this.database, `${this.text} limited`);
  }

  get text(): string {
    return [this.verb, ...this.#conditions, this.limit].join(' ').trim();
  }

  toString(): string {
    return this.text;
  }

  /** For what follows, as `and` and `or` of knex. */
  get and(): this {
    return this;
  }

  union(other: Query): this {
    return this.where(other.#conditions.join());
  }

  /** As Mongoose has it, which sends a query once. */
  clone(): Query {
    const clone = new Query(this.database, this.verb);
    clone.#conditions.push(...this.#conditions);
    clone.limit = this.limit;
    return clone;
  }

  exec(): Promise<string> {
    if (this.sentBefore) throw new Error('sent before');
    this.sentBefore = true;

    return this.database.send(this.text);
  }

  then: Promise<string>['then'] = (...done) => this.exec().then(...done);

  catch: Promise<string>['catch'] = (...done) => this.exec().catch(...done);
}

class Database {
  readonly sent: string[] = [];
  failures = 0;

  remove(): Query {
    return new Query(this, 'delete');
  }

  async send(text: string): Promise<string> {
    this.sent.push(text);
    if (this.failures-- > 0) throw new Error('lost');
    return text;
  }
}

const open = async (): Promise<ResilienceService> =>
  (await boot({ resilience: { clock: systemClock } })).service;

afterEach(closeAll);

describe.each([
  ['under *', { name: 'db', '*': { ...breaker, ...again } }],
  ['that is named', { name: 'db', methods: { remove: { ...breaker, ...again } } }],
] as const)('a query of a method %s', (_title, options) => {
  it('is not sent before it is complete', async () => {
    const database = new Database();
    const p = (await open()).protect(database, options);
    for (let round = 0; round < 2; round++) {
      expect(await p.remove().where('a').where('b')).toBe('delete a b');
      expect(await p.remove().where('a').exec()).toBe('delete a');
      expect(await p.remove().where('a').limited().where('b')).toBe('delete a limited b');
    }
    expect(database.sent).toHaveLength(6);
    p.remove().where('c');
    expect(database.sent).toHaveLength(6);
  });

  it('is the same query again when it is retried', async () => {
    const database = new Database();
    const p = (await open()).protect(database, options);
    for (const send of [
      async () => p.remove().where('a').limited().where('b'),
      async () => p.remove().where('a').limited().where('b').exec(),
    ]) {
      database.failures = 1;
      expect(await send()).toBe('delete a limited b');
    }
    expect(database.sent).toEqual(Array.from({ length: 4 }, () => 'delete a limited b'));
  });

  it('is complete when it is retried, however it was built', async () => {
    const database = new Database();
    const p = (await open()).protect(database, options);
    database.failures = 1;
    const query = p.remove();
    query.and.where('a').and.union(p.remove().where('b'));
    query.limit = '1';
    expect(await query).toBe('delete a b 1');
    expect(database.sent).toEqual(['delete a b 1', 'delete a b 1']);
  });

  it('is rejected while the circuit is open, and not sent', async () => {
    const database = new Database();
    const p = (await open()).protect(database, options);
    await p.remove().where('a').exec();
    database.failures = 9;
    for (let call = 0; call < 2; call++) await expect(p.remove()).rejects.toThrow();
    const before = database.sent.length;
    await expect(p.remove().where('a')).rejects.toBeInstanceOf(CircuitOpenError);
    await expect(p.remove().exec()).rejects.toBeInstanceOf(CircuitOpenError);
    expect(await p.remove().catch((error: unknown) => (error as Error).name)).toBe(
      'CircuitOpenError',
    );
    expect(database.sent).toHaveLength(before);
  });

  it('is still a query', async () => {
    const p = (await open()).protect(new Database(), options);
    const query = p.remove().where('a');
    expect(query).toBeInstanceOf(Query);
    expect(query.constructor).toBe(Query);
    expect(query.text).toBe('delete a');
    expect(query.toString()).toBe('delete a');
    expect(query.verb).toBe('delete');
  });
});

it('a query that comes after a wait is not sent without the conditions that were to follow', async () => {
  const database = new Database();
  const bulkhead = { name: 'db', maxConcurrent: 1, maxQueue: 1 };
  const p = (await open()).protect(database, {
    name: 'db',
    methods: { send: { bulkhead }, remove: { bulkhead } },
  });
  const sent = p.send('first'); // has the only place
  const query = p.remove();
  await sent;
  await expect(query).rejects.toThrow(
    'remove() returned a query after its call had waited: the caller already has a promise',
  );
  expect(database.sent).toEqual(['first']);
  expect(await p.remove().where('a')).toBe('delete a');
});

describe('the first call of a named method that makes queries', () => {
  it('does not end the process when its circuit is open, though nobody can await what it gives', async () => {
    const unhandled = jest.fn();
    hostProcess.on('unhandledRejection', unhandled);
    const circuitBreaker = { name: 'db', consecutiveFailures: 1 };
    const database = new Database();
    const p = (await open()).protect(database, {
      name: 'db',
      methods: { send: { circuitBreaker }, remove: { circuitBreaker } },
    });
    database.failures = 1;
    await expect(p.send('first')).rejects.toThrow('lost');
    expect(() => p.remove().where('a')).toThrow(TypeError);
    await settle();
    hostProcess.off('unhandledRejection', unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });

  it('tells the kind of later ones, also if the object makes the method anew each time', async () => {
    const database = new Database();
    const fresh = { get remove() { return (): Query => database.remove(); } }; // prettier-ignore
    const rateLimit = { limit: 4, per: '1m' } as const;
    const p = (await open()).protect(fresh, { name: 'db', methods: { remove: { rateLimit } } });
    for (let call = 0; call < 3; call++) expect(await p.remove().where('a')).toBe('delete a');
    await expect(p.remove().where('a')).rejects.toMatchObject({ code: 'RATE_LIMITED' });
  });
});

describe('a thenable that is no query', () => {
  it('is a promise: one of another library, and the end of work that is given', async () => {
    class Later extends Query {
      static resolve(): void {}
      static reject(): void {}
    }
    const later = (): Later => new Later(new Database(), 'later');
    class Transaction extends Query {
      commit(): void {}
      rollback(): void {}
    }
    const transaction = (): Query => new Transaction(new Database(), 'transaction');
    const p = (await open()).protect({ later, transaction }, { name: 'db', '*': breaker });
    expect(p.later()).toBeInstanceOf(Promise);
    expect(p.transaction()).toBeInstanceOf(Promise);
  });
});

it('a method that answers at once at its second attempt gives that answer', async () => {
  let calls = 0;
  const get = (): Promise<string> | string => {
    calls += 1;
    return calls === 1 ? Promise.reject(new Error('lost')) : 'cached';
  };
  const p = (await open()).protect({ get }, { name: 'cache', '*': again });
  expect(await p.get()).toBe('cached');
});
