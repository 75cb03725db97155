import { ResilienceModule } from '../src/index.js';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CircuitBreaker, type CircuitBreakerOptions } from '../src/index.js';
import type { StoreMessage } from '../src/fleet/store.js';
import { closeAll, of, quiet } from './support/boot.js';
import { type Instance, SlowCalls, TestFleet, type Trouble } from './support/fleet.js';
import { hostProcess } from './support/process.js';
import { settle } from './support/wait.js';

afterEach(closeAll);

async function ended(call: Promise<unknown>): Promise<unknown> {
  return call.catch((error: { code?: string; message: string }) => error.code ?? error.message);
}

const troubles: readonly Trouble[] = [
  'down',
  'frozen',
  'throwing',
  'answering nonsense',
  { slowMs: 2_000 },
];

const unhandled: unknown[] = [];
const note = (error: unknown): void => void unhandled.push(error);
beforeAll(() => void hostProcess.on('unhandledRejection', note));
afterAll(() => {
  hostProcess.off('unhandledRejection', note);
  expect(unhandled).toEqual([]);
});

/** The events about the store. */
function storeEvents({ events }: Instance): string[] {
  return events.map(({ type }) => type).filter((type) => type.startsWith('store-'));
}

describe.each(troubles)('a store that is %j', (trouble) => {
  it('does not keep an application from starting, and fails no call of a closed circuit', async () => {
    const fleet = new TestFleet();
    const start = fleet.start(1);
    const [one] = await start;
    one!.route.trouble = trouble;
    await fleet.clock.advance(20_000);
    for (let i = 0; i < 10; i++) expect(await ended(one!.call())).toBe('books');
    expect(storeEvents(one!)).toEqual(['store-degraded']);
  });

  it('leaves each instance a local breaker: it opens, probes and closes by its own rules', async () => {
    const fleet = new TestFleet();
    const [one] = await fleet.start(2);
    one!.route.trouble = trouble;
    await one!.fail();
    expect(one!.state).toBe('open');
    // A step that arrives late counts from then on.
    while (one!.state === 'open') await fleet.clock.advance(1_000);
    const slow = new SlowCalls();
    const probe = ended(one!.call(slow.work));
    await fleet.clock.advance(50); // the most that a call waits for the store
    expect(slow.running).toHaveLength(1);
    expect(await ended(one!.call())).toBe('CIRCUIT_OPEN');
    slow.running[0]!.reject(new Error('down'));
    expect(await probe).toBe('down');
    await fleet.clock.advance(250);
    expect(one!.state).toBe('open');
    await fleet.clock.advance(5_000);
    const call = ended(one!.call());
    await fleet.clock.advance(50);
    expect(await call).toBe('books');
    await fleet.clock.advance(250);
    expect(one!.state).toBe('closed');
  });

  it('in the middle of a probe leaves the decision to the breaker', async () => {
    const fleet = new TestFleet();
    const [one] = await fleet.start(2);
    await one!.fail();
    await fleet.clock.advance(5_000);
    const slow = new SlowCalls();
    const probe = ended(one!.call(slow.work));
    await settle();
    expect(slow.running).toHaveLength(1);
    one!.route.trouble = trouble;
    slow.running[0]!.resolve('books');
    expect(await probe).toBe('books');
    await fleet.clock.advance(250);
    expect(one!.state).toBe('closed');
  });

  it('causes one event, and is not asked for a while; its return causes one event too', async () => {
    const fleet = new TestFleet();
    const [one] = await fleet.start(1);
    one!.route.trouble = trouble;
    one!.route.calls.length = 0;
    await fleet.clock.advance(60_000);
    expect(storeEvents(one!)).toEqual(['store-degraded']);
    expect(one!.route.calls.length).toBeLessThan(60);
    one!.route.trouble = undefined;
    await fleet.clock.advance(4_000);
    expect(storeEvents(one!)).toEqual(['store-degraded', 'store-recovered']);
  });

  it('is not asked early when its messages arrive again', async () => {
    const fleet = new TestFleet();
    const [one] = await fleet.start(1);
    one!.route.trouble = trouble;
    await fleet.clock.advance(20_000);
    const asked = one!.route.calls.length;
    for (let i = 0; i < 5; i++) {
      fleet.memory.recover(); // reports a connection
      await settle();
    }
    expect(one!.route.calls).toHaveLength(asked);
    one!.route.trouble = undefined;
    await fleet.clock.advance(4_000);
    expect(storeEvents(one!)).toEqual(['store-degraded', 'store-recovered']);
  });

  it('does not keep the application from closing, and leaves no timer', async () => {
    const fleet = new TestFleet();
    const [one] = await fleet.start(1);
    await one!.fail();
    one!.route.trouble = trouble;
    await fleet.clock.advance(5_000);
    void ended(one!.call());
    one!.breaker.tryAcquire();
    await one!.app.close();
    await settle();
    if (typeof trouble === 'string') expect(fleet.clock.pending).toBe(0);
    await fleet.clock.advance(10_000);
    expect(fleet.clock.pending).toBe(0);
  });
});

describe('a store that refuses writes and answers questions, as a read-only replica', () => {
  it('is away until it accepts a heartbeat, with one event', async () => {
    const fleet = new TestFleet();
    const [one] = await fleet.start(1);
    one!.route.trouble = 'down';
    one!.route.methods = ['circuit', 'limit', 'places', 'heartbeat', 'changeSettings'];
    await one!.fail();
    await fleet.clock.advance(120_000);
    expect(storeEvents(one!)).toEqual(['store-degraded']);
    one!.route.trouble = undefined;
    await fleet.clock.advance(2_000);
    expect(storeEvents(one!)).toEqual(['store-degraded', 'store-recovered']);
  });

  it('has no effect meanwhile: a circuit that an instance closes alone stays closed', async () => {
    const fleet = new TestFleet();
    const [one] = await fleet.start(1);
    await one!.fail();
    await settle();
    one!.route.trouble = 'down';
    one!.route.methods = ['circuit', 'heartbeat'];
    await fleet.clock.advance(20_000);
    expect(await ended(one!.call())).toBe('books');
    await fleet.clock.advance(20_000);
    expect(one!.state).toBe('closed');
  });
});

describe('a store that fails from the start', () => {
  it.each(['frozen', 'down'] as const)('%s, is used once it is back', async (trouble) => {
    const fleet = new TestFleet();
    fleet.memory.fail(trouble);
    const [one, two] = await fleet.start(2);
    await fleet.clock.advance(1_000);
    await one!.fail();
    expect(fleet.states).toEqual(['open', 'closed']);
    fleet.memory.recover();
    await fleet.clock.advance(20_000);
    await one!.fail();
    await settle();
    expect(storeEvents(two!)).toContain('store-recovered');
    await two!.fail();
    await settle();
    expect(fleet.states).toEqual(['open', 'open']);
  });
});

describe('when the store is back', () => {
  it('a circuit that is open for the fleet is open here too', async () => {
    const fleet = new TestFleet();
    const [one, two] = await fleet.start(2, { openFor: '60s' });
    two!.route.trouble = 'down';
    await fleet.clock.advance(30_000);
    // It receives no messages either.
    await one!.fail();
    two!.breaker.reset();
    two!.route.trouble = undefined;
    await fleet.clock.advance(2_000);
    expect(fleet.states).toEqual(['closed', 'closed']); // the reset is an operator's decision for all
    await one!.fail();
    await settle();
    expect(fleet.states).toEqual(['open', 'open']);
  });

  it('an instance adopts what it has missed', async () => {
    const fleet = new TestFleet();
    const [one, two] = await fleet.start(2, { openFor: '60s' });
    fleet.memory.fail('down');
    await fleet.clock.advance(30_000);
    await two!.fail();
    expect(fleet.states).toEqual(['closed', 'open']);
    fleet.memory.recover();
    await fleet.clock.advance(2_400);
    // Two found out alone, and keeps to it; it does not flap the others.
    expect(fleet.states).toEqual(['closed', 'open']);
    await one!.fail();
    await settle();
    expect(fleet.states).toEqual(['open', 'open']);
  });

  it('an instance that has closed its circuit alone opens it again if it is open for the fleet', async () => {
    const fleet = new TestFleet();
    const [one, two] = await fleet.start(2, {
      openFor: (attempt) => (attempt === 1 ? 5_000 : 60_000),
    });
    await one!.fail();
    await settle();
    two!.route.trouble = 'down';
    await fleet.clock.advance(5_000);
    await two!.call();
    expect(two!.state).toBe('closed');
    await one!.fail();
    await settle();
    expect(one!.state).toBe('open');
    two!.route.trouble = undefined;
    await fleet.clock.advance(2_400);
    expect(fleet.states).toEqual(['open', 'open']);
  });

  it('and has lost everything, an open circuit stays open for its time, and is then probed', async () => {
    const fleet = new TestFleet();
    const [one, two] = await fleet.start(2);
    await one!.fail();
    await settle();
    fleet.memory.forget();
    await fleet.clock.advance(2_400);
    expect(fleet.states).toEqual(['open', 'open']);
    await fleet.clock.advance(2_600);
    expect(fleet.states).toEqual(['half-open', 'half-open']);
    expect(await ended(one!.call())).toBe('books');
    expect(await ended(two!.call())).toBe('books');
    expect(fleet.states).toEqual(['closed', 'closed']);
    await one!.fail();
    await settle();
    expect(fleet.states).toEqual(['open', 'open']);
  });

  it('and has lost everything, an override stays, also for instances that start later', async () => {
    const fleet = new TestFleet();
    const [one, two] = await fleet.start(2);
    one!.breaker.forceOpen({ by: 'anna' });
    await settle();
    fleet.memory.forget();
    await fleet.clock.advance(18_000);
    await fleet.start(1);
    expect(fleet.states).toEqual(['forced-open!', 'forced-open!', 'forced-open!']);
    two!.breaker.clearOverride();
    await settle();
    fleet.memory.forget();
    await fleet.clock.advance(40_000);
    expect(fleet.states).toEqual(['closed', 'closed', 'closed']);
  });

  it('and has lost everything, an override that is cleared does not come back from an instance that holds it', async () => {
    const fleet = new TestFleet();
    const [one, two] = await fleet.start(2);
    one!.breaker.forceOpen({ by: 'anna' });
    await settle();
    two!.route.trouble = 'down';
    fleet.memory.forget();
    const told = jest.spyOn(fleet.memory as unknown as { tell(): void }, 'tell').mockReturnValue();
    one!.breaker.clearOverride();
    await settle();
    told.mockRestore();
    two!.route.trouble = undefined;
    await fleet.clock.advance(40_000);
    expect(fleet.states).toEqual(['closed', 'closed']);
  });

  it('and has lost everything, an older override does not replace what an operator has decided meanwhile', async () => {
    const fleet = new TestFleet();
    const [one, two] = await fleet.start(2);
    one!.breaker.forceOpen({ by: 'anna' });
    await settle();
    for (const { route } of [one!, two!]) route.trouble = 'down';
    fleet.memory.forget();
    await fleet.clock.advance(20_000);
    one!.breaker.disable({ by: 'ben' });
    await settle();
    one!.route.trouble = undefined;
    await fleet.clock.advance(20_000);
    two!.route.trouble = undefined;
    await fleet.clock.advance(20_000);
    expect(fleet.states).toEqual(['disabled!', 'disabled!']);
  });

  it('and has lost everything, an override whose time is over does not clear a newer one', async () => {
    const fleet = new TestFleet();
    // Nobody hears anything but by polls.
    jest.spyOn(fleet.memory, 'subscribe').mockResolvedValue(async () => {});
    const [one, other] = await fleet.start(2);
    const polls = async (seconds: number): Promise<void> => {
      for (let i = 0; i < seconds; i++) {
        await fleet.clock.advance(1_000);
        await settle();
      }
    };
    one!.breaker.forceOpen({ by: 'ben', until: new Date(fleet.clock.wall() + 60_000) });
    await polls(16);
    one!.route.trouble = 'down';
    other!.breaker.disable({ by: 'anna' });
    await settle();
    fleet.memory.forget();
    other!.route.trouble = 'down';
    one!.route.methods = ['circuit']; // it reads, but cannot restore before its override has ended
    await polls(50);
    one!.route.trouble = undefined;
    await polls(40);
    other!.route.trouble = undefined;
    await polls(40);
    expect(await fleet.memory.circuits(['storagesvc'])).toMatchObject([
      { override: { state: 'disabled', by: 'anna' } },
    ]);
    for (const instance of [one!, other!]) {
      expect(instance.breaker.snapshot().override).toMatchObject({ kind: 'disabled', by: 'anna' });
    }
  });

  it('and an override has been lost, a trip does not end it', async () => {
    const fleet = new TestFleet();
    const [one, two] = await fleet.start(2);
    one!.breaker.observeOnly();
    await settle();
    fleet.memory.forget();
    await one!.fail();
    await settle();
    expect(fleet.states).toEqual(['observe-only!', 'observe-only!']);
    expect(two!.breaker.state).toBe('open');
    await fleet.clock.advance(2_400);
    await fleet.start(1);
    expect(fleet.instances[2]!.state).toBe('observe-only!');
  });

  it('notices an open circuit without a message within two polls', async () => {
    const fleet = new TestFleet();
    const [one, two] = await fleet.start(2, { openFor: '60s' });
    two!.route.trouble = 'down';
    two!.route.methods = ['subscribe'];
    const { memory } = fleet;
    // A lost message: the state is changed without a subscriber.
    const told = jest.spyOn(memory as unknown as { tell(): void }, 'tell').mockReturnValue();
    await one!.fail();
    told.mockRestore();
    expect(fleet.states).toEqual(['open', 'closed']);
    await fleet.clock.advance(18_000);
    expect(fleet.states).toEqual(['open', 'open']);
  });
});

describe('a message to an instance', () => {
  it('has no effect if it is old', async () => {
    const fleet = new TestFleet();
    const [one] = await fleet.start(2);
    await one!.fail();
    await settle();
    const [old] = await fleet.memory.circuits(['storagesvc']);
    one!.breaker.reset();
    await settle();
    const { memory } = fleet as unknown as { memory: { tell(message: StoreMessage): void } };
    memory.tell({ type: 'circuit', name: 'storagesvc', view: old! });
    await settle();
    expect(fleet.states).toEqual(['closed', 'closed']);
  });

  it('yields to a decision of its operator that the store has not received yet', async () => {
    const fleet = new TestFleet();
    const [one, two] = await fleet.start(2);
    one!.route.trouble = 'down';
    one!.route.methods = ['circuit'];
    one!.breaker.forceOpen({ by: 'anna' });
    await settle();
    two!.breaker.observeOnly({ by: 'bert' });
    await settle();
    expect(fleet.states).toEqual(['forced-open!', 'observe-only!']);
    one!.route.trouble = undefined;
    await fleet.clock.advance(18_000);
    expect(fleet.states).toEqual(['forced-open!', 'forced-open!']);
  });

  it('after a time alone is adopted even at a known epoch', async () => {
    const fleet = new TestFleet();
    const [one, two] = await fleet.start(2);
    await one!.fail();
    await settle();
    two!.route.trouble = 'down';
    await fleet.clock.advance(5_000);
    await two!.call();
    expect(two!.state).toBe('closed');
    two!.route.trouble = undefined;
    await fleet.clock.advance(2_400);
    expect(fleet.states).toEqual(['half-open', 'half-open']);
  });
});

describe('a lease that comes after the time budget', () => {
  it('is given back, so that others may probe', async () => {
    const fleet = new TestFleet();
    const [one, two] = await fleet.start(2);
    await one!.fail();
    await fleet.clock.advance(5_000);
    one!.route.trouble = { slowMs: 100 };
    one!.route.methods = ['circuit'];
    const call = ended(one!.call(new SlowCalls().work));
    await fleet.clock.advance(210);
    expect(await ended(two!.call())).toBe('books');
    void call;
  });
});

describe('a wrong configuration of a fleet', () => {
  const problemsOf = async (scope: unknown, options: object = {}): Promise<readonly string[]> => {
    @Injectable()
    class Storage {
      @CircuitBreaker({ name: 'storagesvc', scope } as CircuitBreakerOptions)
      async ask(): Promise<void> {}
    }
    class App {}
    Module({
      imports: [ResilienceModule.forRoot({ logger: false, ...options })],
      providers: [Storage],
    })(App);
    const error: unknown = await NestFactory.createApplicationContext(App, quiet).then(
      (app) => app.close(),
      (thrown: unknown) => thrown,
    );
    return (error as { problems?: readonly string[] } | undefined)?.problems ?? [];
  };
  const { memory: store } = new TestFleet();
  const at = 'Storage.ask @CircuitBreaker:';
  const root = 'ResilienceModule.forRoot():';
  const forms = `use 'local', 'shared', { quorum: 3 } or { quorum: { share: 0.5 } }`;
  const missing =
    'a scope beyond this instance needs a store that instances share; give one: ResilienceModule.forRoot({ store })';

  it.each<[string, unknown, object, string[]]>([
    ['is shared without a store', 'shared', {}, [`${at} ${missing}`]],
    ['has a quorum without a store', { quorum: 2 }, {}, [`${at} ${missing}`]],
    ['has an unknown scope', 'global', { store }, [`${at} scope is 'global'; ${forms}`]],
    [
      'has a quorum of nobody',
      { quorum: 0 },
      { store },
      [`${at} scope.quorum is 0; use a whole number of at least 1`],
    ],
    ['has no quorum', {}, { store }, [`${at} scope is {}; ${forms}`]],
    [
      'has a share above 1',
      { quorum: { share: 2 } },
      { store },
      [`${at} scope.quorum.share is 2; use a number above 0 and at most 1`],
    ],
    [
      'has no share',
      { quorum: { minVotes: 2 } },
      { store },
      [`${at} scope.quorum.share is undefined; use a number above 0 and at most 1`],
    ],
    [
      'misspells a part',
      { quorum: { share: 1, votes: 2 } },
      { store },
      [
        `${at} scope.quorum.votes is not an option; the options are scope.quorum.share, scope.quorum.minVotes, scope.quorum.within`,
      ],
    ],
    [
      'has no store but something else',
      'local',
      { store: {} },
      [`${root} store is {}; use a store, such as redisStore() of nest-resilience/redis`],
    ],
    [
      'says how it takes part, but not where',
      'local',
      { fleet: { version: '1' } },
      [`${root} fleet has no effect without a store; give one: { store }`],
    ],
    [
      'polls an open circuit less often than a closed one',
      'local',
      {
        store,
        fleet: { pollInterval: '1s', activePollInterval: '2s' },
      },
      [
        `${root} fleet.activePollInterval (2000 ms) is longer than fleet.pollInterval (1000 ms), so an open circuit would be read less often than a closed one`,
      ],
    ],
  ])('is refused when it %s', async (_, scope, options, problems) => {
    expect(await problemsOf(scope, options)).toEqual(problems);
  });

  it.each<unknown>(['local', 'shared', { quorum: 3 }, { quorum: { share: 0.5, within: '1m' } }])(
    'starts with scope %j',
    async (scope) => {
      expect(await problemsOf(scope, { store })).toEqual([]);
    },
  );

  it('does not change its scope while it runs', async () => {
    const fleet = new TestFleet();
    const [one] = await fleet.start(1);
    expect(() => one!.registry.reconfigure('storagesvc', { scope: 'local' })).toThrow(
      'circuitBreaker.scope cannot be changed while the application runs',
    );
    one!.registry.reconfigure('storagesvc', { openFor: '1s' });
    expect(of('configuration', one!.events)).toHaveLength(1);
    await one!.fail();
    await settle();
    expect(one!.breaker.snapshot().retryAfterMs).toBe(1_000);
  });
});
