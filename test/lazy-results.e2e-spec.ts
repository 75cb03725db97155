import { Injectable } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Bulkhead, CircuitBreaker, Fallback, Retry, Timeout } from '../src/index.js';
import { appModule, boot, closeAll, of, withAttempts } from './support/boot.js';

afterEach(closeAll);

type Answer = (resolve: (rows: string) => void) => void;

const atOnce: Answer = (resolve) => resolve('rows');

/** Sent by each `then()`, as by query builders. */
class Query {
  sent = 0;

  constructor(private readonly answer = atOnce) {}

  then(resolve: (rows: string) => void): void {
    this.sent += 1;
    this.answer(resolve);
  }
}

/** The same as a promise: knex and others inherit from it. */
class PromisedQuery extends Promise<string> {
  sent = 0;

  constructor(answer = atOnce) {
    super(answer);
  }

  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  override then<A = string, B = never>(
    onFulfilled?: ((value: string) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.sent += 1;
    return super.then(onFulfilled, onRejected);
  }
}

const down = Promise.reject(new Error('down'));
down.catch(() => {});

@Injectable()
class Repository {
  query = new Query() as Query | PromisedQuery;

  @CircuitBreaker()
  bare(): Promise<string> {
    return this.result;
  }

  @Retry()
  @CircuitBreaker()
  @Timeout('1s')
  limited(): Promise<string> {
    return this.result;
  }

  @Timeout('1s')
  @Bulkhead()
  givenUp(): Promise<string> {
    return this.result;
  }

  @Fallback('inItsPlace')
  answered(): Promise<string> {
    return down;
  }

  inItsPlace(): Promise<string> {
    return this.result;
  }

  get result(): Promise<string> {
    return this.query as unknown as Promise<string>;
  }
}

describe.each([
  ['a thenable', (answer?: Answer) => new Query(answer)],
  ['a promise of a subclass', (answer?: Answer) => new PromisedQuery(answer)],
])('a result that is %s', (_, make) => {
  it.each(['bare', 'limited', 'answered'] as const)('is started once (%s)', async (name) => {
    const { AppModule } = appModule({ providers: [Repository] });
    const app = await NestFactory.createApplicationContext(AppModule, {
      logger: false,
    });
    await asksOnce(app.get(Repository), name);
    await app.close();
  });

  it.each(['bare', 'limited', 'answered'] as const)(
    'is started once with listeners (%s)',
    async (name) => {
      const { app } = await boot({ providers: [Repository] });
      const events = withAttempts(app);
      await asksOnce(app.get(Repository), name);
      expect(of('attempt', events)).not.toEqual([]);
    },
  );

  it('is started once when it is abandoned, and its end is reported', async () => {
    const { app, clock } = await boot({ providers: [Repository] });
    const events = withAttempts(app);
    const repository = app.get(Repository);
    repository.query = make(() => {});
    const ended = expect(repository.givenUp()).rejects.toMatchObject({ code: 'TIMEOUT' });
    await clock.advance(1000);
    await ended;
    expect(of('attempt', events)).toMatchObject([{ outcome: 'failure' }]);
    expect(repository.query.sent).toBe(1);
  });

  async function asksOnce(
    repository: Repository,
    name: 'bare' | 'limited' | 'answered',
  ): Promise<void> {
    repository.query = make();
    await expect(repository[name]()).resolves.toBe('rows');
    expect(repository.query.sent).toBe(1);
  }
});

it('a proxy as a result is inspected no more than a promise', async () => {
  const { app } = await boot({ providers: [Repository] });
  const repository = app.get(Repository);
  const guarded = new Proxy(Promise.resolve('rows'), {
    get: (target, key) => (Reflect.get(target, key) as () => void).bind?.(target),
    getPrototypeOf: () => {
      throw new Error('not allowed');
    },
  });
  repository.query = guarded as unknown as Query;
  await expect(repository.bare()).resolves.toBe('rows');
});
