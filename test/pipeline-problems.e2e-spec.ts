import { Injectable } from '@nestjs/common';
import { Timeout, UsePipeline, staleIfError } from '../src/index.js';
import { closeAll } from './support/boot.js';
import { cached, commandOf, making, problemsOf, wrong } from './support/commands.js';
import { retry, Storage } from './support/pipelines.js';
import { policyNames, stageNames } from './support/policy-lists.js';

afterEach(closeAll);

describe('bootstrap reports', () => {
  const ROOT = 'ResilienceModule.forRoot(): ';

  /** A method under a pipeline of these options. */
  const under = (storagesvc: unknown): Promise<readonly string[]> =>
    problemsOf({ providers: [Storage], resilience: { pipelines: wrong({ storagesvc }) } });

  it.each([
    ['an unknown stage in an order', ['retry', 'retries'], `[ 'retry', 'retries' ]`],
    ['a stage that stands twice', ['retry', 'retry'], `[ 'retry', 'retry' ]`],
    ['an order that is not a list', 'retry', `'retry'`],
  ])('%s', async (_, order, shown) => {
    expect(await under({ retry, order })).toContain(
      `${ROOT}pipelines['storagesvc'].order is ${shown}; use a list of ${stageNames}, each at most once`,
    );
  });

  it('a stage that an order leaves out', async () => {
    await expect(under({ retry, bulkhead: 1, order: ['retry'] })).resolves.toEqual([
      `Storage.call: has the stage 'bulkhead', which the order of its pipeline leaves out`,
    ]);
  });

  it('a stage that an order leaves out, added by a method, a command or an override', async () => {
    @Injectable()
    class S {
      @UsePipeline('storagesvc')
      @Timeout({ attempt: '1s', total: '5s' })
      async m(): Promise<void> {}
    }
    const maker = making((service) => {
      commandOf(service, { pipeline: 'storagesvc', bulkhead: 1 });
      service.pipeline('code', { retry, order: [] });
    });
    await expect(
      problemsOf({
        providers: [S, maker],
        resilience: {
          pipelines: { storagesvc: { retry, order: ['retry', 'attempt timeout'] } },
        },
      }),
    ).resolves.toEqual([
      `S.m: has the stage 'total timeout', which the order of its pipeline leaves out`,
      `command 'books': has the stage 'bulkhead', which the order of its pipeline leaves out`,
      `pipeline 'code': has the stage 'retry', which the order of its pipeline leaves out`,
    ]);
  });

  it('an unknown pipeline, wherever it is used', async () => {
    @Injectable()
    class S {
      @UsePipeline('storage')
      async m(): Promise<void> {}
      @UsePipeline('')
      async n(): Promise<void> {}
    }
    @Injectable()
    @UsePipeline('storages')
    class T {
      async m(): Promise<void> {}
    }
    const maker = making((service) => commandOf(service, { pipeline: 'stored' }));
    await expect(
      problemsOf({
        providers: [S, T, maker],
        resilience: { pipelines: { storagesvc: {}, shippingsvc: {} } },
      }),
    ).resolves.toEqual(
      [
        ['S.m', 'storage'],
        ['S.n', ''],
        ['T.m', 'storages'],
        [`command 'books'`, 'stored'],
      ].map(
        ([who, name]) =>
          `${who}: uses pipeline '${name}'; forRoot({ pipelines }) has storagesvc, shippingsvc`,
      ),
    );
  });

  it('a pipeline from code, which decorators and commands cannot use', async () => {
    const maker = making((service) => {
      service.pipeline('code', { retry });
      commandOf(service, { pipeline: 'code' });
    });
    await expect(problemsOf({ providers: [maker] })).resolves.toEqual([
      `command 'books': uses pipeline 'code'; forRoot({ pipelines }) has none`,
    ]);
  });

  it('a wrong option, with each user and its origin', async () => {
    const maker = making((service) => commandOf(service, { pipeline: 'storagesvc' }));
    await expect(
      problemsOf({
        providers: [Storage, maker],
        resilience: { pipelines: { storagesvc: { retry: { maxRetries: -1 } } } },
      }),
    ).resolves.toEqual(
      ['Storage.call @Retry', `command 'books' retry`].map(
        (where) =>
          `${where}: maxRetries (from pipelines['storagesvc']) is -1; use a whole number of at least 0`,
      ),
    );
  });

  it('a wrong option of an unused pipeline', async () => {
    await expect(
      problemsOf({
        resilience: { pipelines: { storagesvc: { retry: { maxRetries: -1 }, timeout: '1s' } } },
      }),
    ).resolves.toEqual([
      `pipeline 'storagesvc' retry: maxRetries (from pipelines['storagesvc']) is -1; use a whole number of at least 0`,
    ]);
  });

  it.each([
    [
      'a policy that there is not',
      { retries: 3 },
      `pipelines['storagesvc'] has "retries", which is not a policy; the policies are ${policyNames}`,
    ],
    [
      'options that are none',
      { retry: true },
      `pipelines['storagesvc'].retry is true; use an object with options`,
    ],
    [
      'policies that are none',
      'fast',
      `pipelines['storagesvc'] is 'fast'; use an object with options by policy`,
    ],
    [
      'false for a policy',
      { retry: false },
      `pipelines['storagesvc'].retry is false; use { enabled: false } to switch the policy off`,
    ],
  ])('%s', async (_, storagesvc, told) => {
    expect(await under(storagesvc)).toContain(ROOT + told);
  });

  it('invalid pipelines', async () => {
    await expect(problemsOf({ resilience: { pipelines: wrong(['storagesvc']) } })).resolves.toEqual(
      [`${ROOT}pipelines is [ 'storagesvc' ]; use an object`],
    );
  });

  it('a fallback method that not all users have', async () => {
    const maker = making((service) => commandOf(service, { pipeline: 'storagesvc' }));
    @Injectable()
    class S {
      @UsePipeline('storagesvc')
      async m(): Promise<void> {}
      none(): void {}
    }
    await expect(
      problemsOf({
        providers: [S, Storage, maker],
        resilience: { pipelines: { storagesvc: { fallback: 'none' } } },
      }),
    ).resolves.toEqual([
      `Storage.call @Fallback: handler (from pipelines['storagesvc']) is 'none'; use the name of a method of Storage`,
      `command 'books' fallback: handler (from pipelines['storagesvc']) is 'none'; use a function; a method name works only on decorated methods`,
    ]);
  });

  it('stale results without a key for code', async () => {
    const maker = making((service) =>
      service.pipeline('code', { fallback: staleIfError({ ttl: '10m' }) }),
    );
    expect(await problemsOf({ providers: [maker] })).toContain(
      `pipeline 'code' fallback: staleIfError in a pipeline needs a key function, since the arguments do not identify the code that a result comes from`,
    );
  });

  it('two classes of the same name, whose stale results would be mixed up', async () => {
    const shelves = [1, 2].map(() => {
      @Injectable()
      class Shelf {
        @UsePipeline('stale')
        async books(): Promise<void> {}
      }
      return Shelf;
    });
    await expect(
      problemsOf({
        providers: [...shelves, ...cached().providers!],
        resilience: { pipelines: { stale: { fallback: staleIfError({ ttl: '10m' }) } } },
      }),
    ).resolves.toEqual([
      expect.stringContaining('Shelf.books @Fallback: another class is called Shelf too'),
    ]);
  });

  it('@UsePipeline() that is applied twice', async () => {
    @Injectable()
    class S {
      @UsePipeline('a')
      @UsePipeline('b')
      async m(): Promise<void> {}
    }
    await expect(
      problemsOf({ providers: [S], resilience: { pipelines: { a: {}, b: {} } } }),
    ).resolves.toEqual(['S.m @UsePipeline: is applied twice; use it once']);
  });

  it('a pipeline of code and a command that would share a breaker by their names', async () => {
    const maker = making((service) => {
      commandOf(service, { circuitBreaker: {} }, 'storagesvc');
      service.pipeline('storagesvc', { circuitBreaker: {} });
    });
    await expect(problemsOf({ providers: [maker] })).resolves.toEqual([
      `pipeline 'storagesvc' circuitBreaker: what stands at command 'storagesvc' circuitBreaker is called storagesvc too, and both would share "storagesvc"; rename one, or give it a name of its own where it can have one: { name: '…' }`,
    ]);
  });

  it.each(['a method', 'code'])(
    'a pipeline of forRoot and a command that would share a breaker by their names, used by %s',
    async (user) => {
      const maker = making((service) => {
        commandOf(service, { circuitBreaker: {} }, 'storagesvc');
        if (user === 'code') service.pipeline('storagesvc');
      });
      const problems = await problemsOf({
        providers: [maker, ...(user === 'a method' ? [Storage] : [])],
        resilience: { pipelines: { storagesvc: { circuitBreaker: {} } } },
      });
      expect(problems).toEqual([
        expect.stringContaining('is called storagesvc too, and both would share "storagesvc"'),
      ]);
    },
  );

  it('an undefined pipeline, as in circular imports', async () => {
    @Injectable()
    class S {
      @UsePipeline(wrong(undefined))
      async m(): Promise<void> {}
    }
    const problems = problemsOf({ providers: [S], resilience: { pipelines: { a: { retry } } } });
    await expect(problems).resolves.toHaveLength(1);
  });
});
