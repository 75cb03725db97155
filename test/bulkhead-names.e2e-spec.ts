import { Injectable } from '@nestjs/common';
import { BULKHEAD_REGISTRY, Bulkhead, BulkheadRegistry, UsePipeline } from '../src/index.js';
import { boot, closeAll } from './support/boot.js';
import { Works, counts, full, begin } from './support/bulkhead-calls.js';

afterEach(closeAll);

describe('a bulkhead with a name', () => {
  let works: Works;
  beforeEach(() => (works = new Works()));

  @Injectable()
  class One {
    @Bulkhead({ name: 'shared', maxConcurrent: 2, maxQueue: 1 })
    async m(): Promise<string> {
      return works.next();
    }
  }
  @Injectable()
  class Two {
    @Bulkhead({ name: 'shared' })
    async m(): Promise<string> {
      return works.next();
    }
    @Bulkhead(1)
    async own(): Promise<string> {
      return works.next();
    }
  }

  it.each([
    ['before', [Two, One]],
    ['after', [One, Two]],
  ])(
    'is shared by methods of two classes, one of which only refers to it, %s the other',
    async (_, providers) => {
      const { app } = await boot({ providers });
      const calls = [app.get(Two).m(), app.get(One).m(), app.get(Two).m()].map(begin);
      expect(counts(app, 'shared')).toEqual([2, 1, 0]);
      expect((await begin(app.get(One).m())).error).toMatchObject({
        ...full,
        policyName: 'shared',
      });
      works.end(0);
      await works.reached(3);
      expect(counts(app, 'shared')).toEqual([2, 0, 1]);
      for (const index of [1, 2]) works.end(index);
      await Promise.all(calls);
    },
  );

  it('is described with its options even where it is only referred to', async () => {
    const { service } = await boot({ providers: [One, Two] });
    expect(service.describe(Two, 'm').policies).toEqual([
      { kind: 'bulkhead', options: { name: 'shared', maxConcurrent: 2, maxQueue: 1 } },
    ]);
  });

  it('is not shared by methods that do not name it', async () => {
    const { app } = await boot({ providers: [One, Two] });
    void begin(app.get(Two).own());
    void begin(app.get(One).m());
    expect(counts(app, 'Two.own')).toEqual([1, 0, 0]);
    expect(counts(app, 'shared')).toEqual([1, 0, 0]);
  });

  it('is that of a pipeline for all its users', async () => {
    @Injectable()
    class Three {
      @UsePipeline('storage')
      async m(): Promise<string> {
        return works.next();
      }
    }
    @Injectable()
    class Four {
      @UsePipeline('storage')
      async m(): Promise<string> {
        return works.next();
      }
    }
    const { app } = await boot({
      providers: [Three, Four],
      resilience: { pipelines: { storage: { bulkhead: 1 } } },
    });
    void begin(app.get(Three).m());
    expect((await begin(app.get(Four).m())).error).toMatchObject({ policyName: 'storage' });
  });

  it('may be defined twice with equal options', async () => {
    @Injectable()
    class Same {
      @Bulkhead({ name: 'shared', maxConcurrent: 2, maxQueue: 1 })
      async m(): Promise<string> {
        return works.next();
      }
    }
    const { app } = await boot({ providers: [One, Same] });
    for (const service of [One, Same]) void begin(app.get<One>(service).m());
    expect(counts(app, 'shared')).toEqual([2, 0, 0]);
  });
});

describe('BulkheadRegistry', () => {
  @Injectable()
  class One {
    readonly works = new Works();
    @Bulkhead({ name: 'shared', maxConcurrent: 1, maxQueue: 1 })
    async m(): Promise<string> {
      return this.works.next();
    }
    @Bulkhead()
    async own(): Promise<void> {}
  }

  it('shows the current numbers of a bulkhead by its name', async () => {
    const { app } = await boot({ providers: [One] });
    const bulkheads = app.get(BulkheadRegistry);
    const empty = {
      name: 'shared',
      maxConcurrent: 1,
      maxQueue: 1,
      running: 0,
      waiting: 0,
      rejected: 0,
    };
    expect(bulkheads.get('shared')).toEqual(empty);
    const calls = [0, 1, 2].map(() => begin(app.get(One).m()));
    await calls[2];
    expect(bulkheads.get('shared')).toEqual({ ...empty, running: 1, waiting: 1, rejected: 1 });
    app.get(One).works.end(0);
    await app.get(One).works.reached(2);
    app.get(One).works.end(1);
    await Promise.all(calls);
    expect(bulkheads.get('shared')).toEqual({ ...empty, rejected: 1 });
  });

  it('lists all, in the order of their declaration', async () => {
    const { app } = await boot({ providers: [One] });
    const bulkheads = app.get(BulkheadRegistry);
    expect(bulkheads.names()).toEqual(['shared', 'One.own']);
    expect(Array.from(bulkheads, ({ name, running }) => [name, running])).toEqual([
      ['shared', 0],
      ['One.own', 0],
    ]);
    expect([bulkheads.has('shared'), bulkheads.has('unknown')]).toEqual([true, false]);
  });

  it('lists known names when asked for an unknown one', async () => {
    const { app } = await boot({ providers: [One] });
    expect(() => app.get(BulkheadRegistry).get('unknown')).toThrow(
      'there is no bulkhead "unknown"; there are "shared", "One.own"',
    );
    const { app: empty } = await boot();
    expect(() => empty.get(BulkheadRegistry).get('unknown')).toThrow(
      'there is no bulkhead "unknown"; there are none',
    );
  });

  it('can be injected, by its class or by its token', async () => {
    @Injectable()
    class Operations {
      constructor(readonly bulkheads: BulkheadRegistry) {}
    }
    const { app } = await boot({ providers: [Operations, One] });
    const { bulkheads } = app.get(Operations);
    expect(bulkheads).toBe(app.get(BulkheadRegistry));
    expect(bulkheads).toBe(app.get(BULKHEAD_REGISTRY));
  });

  it('has those of its own application only', async () => {
    const [one, two] = [await boot({ providers: [One] }), await boot({ providers: [One] })];
    void begin(one.app.get(One).m());
    expect(counts(one.app, 'shared')).toEqual([1, 0, 0]);
    expect(counts(two.app, 'shared')).toEqual([0, 0, 0]);
  });
});
