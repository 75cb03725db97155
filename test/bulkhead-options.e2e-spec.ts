import { Injectable, type Type } from '@nestjs/common';
import { Bulkhead, Fallback, type ResilienceModuleOptions, fallbackValue } from '../src/index.js';
import { boot, closeAll } from './support/boot.js';
import { bulkhead } from './support/bulkhead-calls.js';
import { problemsOf } from './support/commands.js';
import { settle } from './support/wait.js';

afterEach(closeAll);

describe('the number of places is given', () => {
  const works = { count: 0, peak: 0 };

  @Injectable()
  class S {
    @Bulkhead(2)
    async short(): Promise<void> {
      return this.work();
    }
    @Bulkhead()
    async plain(): Promise<void> {
      return this.work();
    }
    @Bulkhead({ name: 'shelf' })
    async named(): Promise<void> {
      return this.work();
    }
    @Bulkhead({ config: 'narrow' })
    async configured(): Promise<void> {
      return this.work();
    }

    private async work(): Promise<void> {
      works.count += 1;
      works.peak = Math.max(works.peak, works.count);
      await settle();
      works.count -= 1;
    }
  }

  const configs = { shelf: { bulkhead: 4 }, narrow: { bulkhead: { maxConcurrent: 5 } } };

  /** The number of calls that really ran at a time, of more than any limit here. */
  async function peakOf(
    method: 'short' | 'plain' | 'named' | 'configured',
    resilience: ResilienceModuleOptions = {},
  ): Promise<number> {
    const { app } = await boot({ providers: [S], resilience: { configs, ...resilience } });
    works.peak = 0;
    await Promise.allSettled(Array.from({ length: 20 }, () => app.get(S)[method]()));
    expect(works.count).toBe(0);
    return works.peak;
  }

  it('by a number', async () => {
    await expect(peakOf('short')).resolves.toBe(2);
  });

  it('by the library', async () => {
    await expect(peakOf('plain')).resolves.toBe(10);
  });

  it('by forRoot({ defaults }), in short or not', async () => {
    await expect(peakOf('plain', { defaults: { bulkhead: 3 } })).resolves.toBe(3);
    const defaults = { bulkhead: { maxConcurrent: 6 } };
    await expect(peakOf('plain', { defaults })).resolves.toBe(6);
    await expect(peakOf('short', { defaults })).resolves.toBe(2);
  });

  it('by a configuration, selected or by the name of the bulkhead', async () => {
    await expect(peakOf('configured')).resolves.toBe(5);
    await expect(peakOf('named')).resolves.toBe(4);
  });

  it('by an override, in short or not', async () => {
    await expect(peakOf('short', { overrides: { '*': { bulkhead: 7 } } })).resolves.toBe(7);
    const overrides = { '*': { bulkhead: 7 }, 'S.short': { bulkhead: { maxConcurrent: 1 } } };
    await expect(peakOf('short', { overrides })).resolves.toBe(1);
    await expect(peakOf('plain', { overrides })).resolves.toBe(7);
  });

  it('not at all: an override of false removes the bulkhead', async () => {
    const overrides = { 'S.short': { bulkhead: { enabled: false } } } as const;
    await expect(peakOf('short', { overrides })).resolves.toBe(20);
    await expect(peakOf('plain', { overrides })).resolves.toBe(10);
  });

  it('by several layers, merged', async () => {
    const { app } = await boot({
      providers: [S],
      resilience: {
        configs,
        defaults: { bulkhead: { maxQueue: 3 } },
        overrides: { 'S.short': { bulkhead: { maxWait: '1s' } } },
      },
    });
    expect(bulkhead(app, 'S.short')).toMatchObject({ maxConcurrent: 2, maxQueue: 3 });
    expect(bulkhead(app, 'S.plain')).toMatchObject({ maxConcurrent: 10, maxQueue: 3 });
  });
});

describe('an application with a wrong bulkhead does not start', () => {
  /** The compiler refuses these arguments, but JavaScript code or the environment may give them. */
  const wrong = (given: unknown): never => given as never;

  /** A provider with a method for each of these options. */
  function withOptions(name: string, all: readonly unknown[]): Type {
    const made = { [name]: class {} }[name]!;
    all.forEach((options, index) => {
      const method = { [`m${index}`]: async (): Promise<void> => {} }[`m${index}`]!;
      const descriptor = { value: method, configurable: true, writable: true };
      (Bulkhead(wrong(options)) as MethodDecorator)(made.prototype, `m${index}`, descriptor);
      Object.defineProperty(made.prototype, `m${index}`, descriptor);
    });
    Injectable()(made);
    return made;
  }

  it('and reports all bad options at once', async () => {
    const forms = `milliseconds or a duration such as '500ms', '2s', '1.5m', '1h'`;
    const cases: [unknown, string][] = [
      [{ maxConcurrent: 0 }, 'maxConcurrent is 0; use a whole number of at least 1'],
      [{ maxConcurrent: 1.5 }, 'maxConcurrent is 1.5; use a whole number of at least 1'],
      [{ maxConcurrent: '5' }, `maxConcurrent is '5'; use a whole number of at least 1`],
      [0, 'maxConcurrent is 0; use a whole number of at least 1'],
      [NaN, 'maxConcurrent is NaN; use a whole number of at least 1'],
      ['5', `the options are '5'; use a whole number, or an object`],
      [{ maxQueue: -1 }, 'maxQueue is -1; use a whole number of at least 0'],
      [{ maxWait: '1s' }, 'maxWait has no effect without maxQueue, since no call waits; give both'],
      [{ maxQueue: 1, maxWait: '0s' }, `maxWait is '0s'; use ${forms} above 0`],
      [{ maxQueue: 1, maxWait: 'soon' }, `maxWait is 'soon'; use ${forms} above 0`],
      [{ name: '' }, `name is ''; use a non-empty string`],
      [
        { maxConcurrency: 5 },
        'maxConcurrency is not an option; the options are maxQueue, maxWait, name, maxConcurrent, reentrant, key, maxKeys, scope, config, enabled',
      ],
      [
        { config: 'wide' },
        `config is 'wide', which forRoot({ configs }) does not have; it has none`,
      ],
    ];
    const S = withOptions(
      'S',
      cases.map(([options]) => options),
    );
    await expect(problemsOf({ providers: [S] })).resolves.toEqual(
      cases.map(([, problem], index) => `S.m${index} @Bulkhead: ${problem}`),
    );
  });

  it('and says where an option comes from', async () => {
    const S = withOptions('S', [3]);
    await expect(
      problemsOf({
        providers: [S],
        resilience: {
          defaults: { bulkhead: { maxWait: '1s' } },
          overrides: { 'S.m0': { bulkhead: 0 } },
        },
      }),
    ).resolves.toEqual([
      'S.m0 @Bulkhead: maxWait has no effect without maxQueue, since no call waits; give both',
      `S.m0 @Bulkhead: maxConcurrent (from overrides['S.m0']) is 0; use a whole number of at least 1`,
    ]);
  });

  it('when two define the same name differently, and names both', async () => {
    const One = withOptions('One', [{ name: 'shared', maxConcurrent: 1 }]);
    const Two = withOptions('Two', [{ name: 'shared', maxConcurrent: 2, maxQueue: 5 }]);
    await expect(problemsOf({ providers: [One, Two] })).resolves.toEqual([
      'Two.m0 @Bulkhead: "shared" has other options at One.m0 @Bulkhead: maxConcurrent is 1 there and 2 here, maxQueue is undefined there and 5 here; use the same ones, or put them into forRoot({ configs })',
    ]);
  });

  it('when two classes of one name would share the places', async () => {
    await expect(
      problemsOf({ providers: [withOptions('Namesake', [1]), withOptions('Namesake', [1])] }),
    ).resolves.toEqual([
      expect.stringContaining(
        'Namesake.m0 @Bulkhead: another class is called Namesake too, and both would share "Namesake.m0"',
      ),
    ]);
  });

  it('when a fallback has no places', async () => {
    @Injectable()
    class S {
      @Fallback(fallbackValue(1), { maxConcurrent: 0 })
      async m(): Promise<number> {
        return 1;
      }
    }
    await expect(problemsOf({ providers: [S] })).resolves.toEqual([
      'S.m @Fallback: maxConcurrent is 0; use a whole number of at least 1',
    ]);
  });
});
