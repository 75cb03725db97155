import { PartStore } from '../registry/named-parts.js';
import { ResilienceEvents } from '../telemetry/resilience-events.js';
import { systemClock } from '../common/clock.js';
import { ManualClock } from '../testing/index.js';
import { boot, closeAll } from '../../test/support/boot.js';
import { outcome } from '../../test/support/wait.js';
import { Bulkhead, CircuitBreaker, Retry, Timeout, UsePipeline, exponential } from '../index.js';
import { Bulkhead as Part } from '../policies/bulkhead/bulkhead.js';
import { Configuration } from './configuration/configuration.js';
import { decoratedMethodOf } from './methods/decorated-method.js';
import type { ResilienceModuleOptions } from './module-options.js';
import { Runtime, type RuntimeHost } from './runtime.js';

afterEach(closeAll);

const logger = { log: jest.fn(), warn: jest.fn(), debug: jest.fn(), error: jest.fn() };
beforeEach(() => void Object.values(logger).map((level) => level.mockClear()));

interface Given extends Partial<Omit<RuntimeHost, 'configuration'>> {
  readonly options?: ResilienceModuleOptions;
}

function host({ options = {}, ...given }: Given = {}) {
  const made = {
    configuration: new Configuration(options),
    events: new ResilienceEvents(),
    parts: new PartStore(),
    logger,
    resolve: jest.fn(),
    ...given,
  };
  return { ...made, runtime: new Runtime(made) };
}

class Books {
  @Retry({ maxRetries: 1 })
  @CircuitBreaker({ name: 'shelf', openFor: '9s' })
  async find(): Promise<void> {}
  @CircuitBreaker('shelf')
  async take(): Promise<void> {}
  @CircuitBreaker()
  async own(): Promise<void> {}
  @UsePipeline('shared')
  async piped(): Promise<void> {}
  async bare(): Promise<void> {}
}

describe('the log of an application', () => {
  it('has each warning once', () => {
    const { runtime } = host();
    for (const message of ['one', 'two', 'one']) runtime.warn(message);
    expect(logger.warn.mock.calls).toEqual([['one'], ['two']]);
  });

  it('forgets nothing that it has warned of, and repeats what comes after a thousand', () => {
    const { runtime } = host();
    for (let i = 0; i < 1_001; i++) runtime.warn(`warning ${i}`);
    logger.warn.mockClear();
    for (const i of [0, 999, 1_000]) runtime.warn(`warning ${i}`);
    expect(logger.warn.mock.calls).toEqual([['warning 1000']]);
  });

  it('has lines of each level', () => {
    const { runtime } = host();
    runtime.log('a');
    runtime.log('b', 'warn');
    runtime.log('c', 'debug');
    expect(logger.log.mock.calls).toEqual([['a']]);
    expect(logger.warn.mock.calls).toEqual([['b']]);
    expect(logger.debug.mock.calls).toEqual([['c']]);
  });

  it('may be missing', () => {
    const { runtime } = host({ logger: undefined });
    expect(() => {
      runtime.log('a');
      runtime.warn('b');
    }).not.toThrow();
  });
});

describe('the clock of an application', () => {
  it('is its own, or that of the machine', () => {
    const clock = new ManualClock();
    expect(host({ options: { clock } }).runtime.clock).toBe(clock);
    expect(host().runtime.clock).toBe(systemClock);
  });
});

describe('chance', () => {
  it('is that of the options', async () => {
    class Shelf {
      calls = 0;
      @Retry({ backoff: exponential({ initialDelay: '1s', jitter: 'full' }) })
      async m(): Promise<never> {
        this.calls += 1;
        throw new Error('down');
      }
    }
    const { app, clock } = await boot({ providers: [Shelf], resilience: { random: () => 0.25 } });
    const shelf = app.get(Shelf);
    void outcome(shelf.m());
    await clock.advance(249);
    expect(shelf.calls).toBe(1);
    await clock.advance(1);
    expect(shelf.calls).toBe(2);
  });
});

describe('when the application closes', () => {
  it('its parts are closed, and those at once that are made later', () => {
    class Places {
      @Bulkhead(1)
      async early(): Promise<void> {}
      @Bulkhead(1)
      async late(): Promise<void> {}
    }
    const closed = jest.spyOn(Part.prototype, 'close');
    const { runtime } = host();
    runtime.describe(Places, 'early');
    expect(closed).toHaveBeenCalledTimes(0);
    runtime.close();
    expect(closed).toHaveBeenCalledTimes(1);
    runtime.describe(Places, 'late');
    expect(closed).toHaveBeenCalledTimes(2);
    closed.mockRestore();
  });
});

describe('a controller', () => {
  it('is looked for once, also if there is none', () => {
    const found = new Books();
    const { runtime, resolve } = host({ resolve: jest.fn(() => found) });
    const none = host();
    for (let time = 0; time < 2; time++) {
      expect(runtime.controllerOf(Books)).toBe(found);
      expect(none.runtime.controllerOf(Books)).toBeUndefined();
    }
    expect((resolve as jest.Mock).mock.calls).toEqual([[Books]]);
    expect((none.resolve as jest.Mock).mock.calls).toHaveLength(1);
  });
});

describe('the description of a method', () => {
  it('has the options of its named parts as they are defined elsewhere', () => {
    const { runtime } = host();
    runtime.describe(Books, 'find');
    expect(runtime.describe(Books, 'take')).toEqual({
      name: 'Books.take',
      stages: ['circuit breaker'],
      policies: [{ kind: 'circuitBreaker', options: { name: 'shelf', openFor: '9s' } }],
    });
    expect(runtime.describe(Books, 'own').policies).toEqual([
      { kind: 'circuitBreaker', options: {} },
    ]);
  });

  it('is refused for one that is not decorated, and for one of other classes', () => {
    const { runtime } = host();
    expect(() => runtime.describe(Books, 'bare')).toThrow('Books.bare is not decorated');
    expect(() => runtime.describe(Books, 'absent')).toThrow('Books.absent is not decorated');
    class Shelf extends Books {
      override async find(): Promise<void> {}
    }
    expect(() => runtime.describe(Shelf, 'find')).toThrow('Shelf.find is not decorated');
    expect(runtime.describe(Shelf, 'take').name).toBe('Shelf.take');
  });
});

describe('the part of a plan', () => {
  it('is the one of its own name, of its pipeline or of its method', () => {
    const options = { pipelines: { shared: { circuitBreaker: {} } } };
    const { runtime, parts } = host({ options });
    const partOf = (method: keyof Books): object | undefined => {
      const decorated = decoratedMethodOf(Books.prototype[method])!;
      return runtime.partOf('circuitBreaker', runtime.planner.planFor(decorated, Books));
    };
    expect(partOf('find')).toBe(parts.find('circuitBreaker', 'shelf'));
    expect(partOf('own')).toBe(parts.find('circuitBreaker', 'Books.own'));
    expect(partOf('piped')).toBe(parts.find('circuitBreaker', 'shared'));
    for (const name of ['shelf', 'Books.own', 'shared']) {
      expect(parts.find('circuitBreaker', name)).toBeDefined();
    }
  });

  it('is the one that its pipeline names', () => {
    const options = { pipelines: { shared: { circuitBreaker: { name: 'named' } } } };
    const { runtime, parts } = host({ options });
    const plan = runtime.planner.planFor(decoratedMethodOf(Books.prototype.piped)!, Books);
    expect(parts.find('circuitBreaker', 'named')).toBeDefined();
    expect(runtime.partOf('circuitBreaker', plan)).toBe(parts.find('circuitBreaker', 'named'));
  });

  it('is none of a policy that the plan does not have', () => {
    class Timed {
      @Timeout('1s')
      async m(): Promise<void> {}
    }
    const { runtime } = host();
    expect(
      runtime.partOf(
        'circuitBreaker',
        runtime.planner.planFor(decoratedMethodOf(Timed.prototype.m)!, Timed),
      ),
    ).toBeUndefined();
  });
});
