import { HealthIndicatorService } from '@nestjs/terminus';
import {
  Bulkhead,
  BulkheadRegistry,
  CircuitBreaker,
  CircuitOpenError,
  RateLimit,
  RateLimitRegistry,
  ResilienceConfigurationError,
  ResilienceEvents,
  Signal,
  Timeout,
  keepOnlyLive,
  withReport,
} from '../src/index.js';
import { ResilienceAdminModule } from '../src/admin/index.js';
import { ResilienceHttpModule } from '../src/axios/index.js';
import { DelayWhenRejected, delayWhenRejected } from '../src/bullmq/index.js';
import { ResilienceHealthIndicator } from '../src/health/index.js';
import { ManualClock, MemoryStore, storeContract } from '../src/testing/index.js';
import { boot, closeAll } from './support/boot.js';
import { classWith } from './support/bootstrap.js';
import { problemsBy, problemsOf, wrong } from './support/commands.js';

/*
 * Untyped code can call public functions with anything. What is wrong is an error that names the function and the value,
 * before anything has happened; it is neither ignored, nor an error of the language from somewhere inside.
 */

afterEach(closeAll);

/** Each trap of it throws. */
function untouchable(): object {
  const trap = (): never => {
    throw new Error('a trap');
  };
  const traps = Object.getOwnPropertyNames(Reflect).map((name) => [name, trap]);
  return new Proxy({}, Object.fromEntries(traps) as ProxyHandler<object>);
}

/** What no argument may be that is an object with options, or a function. */
const odd: readonly unknown[] = [
  ...[null, 7, NaN, 'x', '', true, Symbol('s'), [], new Map(), new Date(0), untouchable()],
];
const noOptions = [...odd, () => 1, { misspelt: 1 }];
const noFunctions = [...odd, undefined, {}, { misspelt: 1 }];

async function start() {
  const { app, registry, service } = await boot({
    providers: [
      classWith(
        'Books',
        CircuitBreaker('books'),
        Bulkhead({ name: 'books' }),
        RateLimit({ name: 'books', limit: 9 }),
      ),
    ],
  });
  const events = app.get(ResilienceEvents);
  const pipeline = service.pipeline('mail', { timeout: '1s' });
  const job: never = { moveToDelayed: async () => undefined } as never;
  return {
    breaker: registry.get('books'),
    registries: [registry, app.get(BulkheadRegistry), app.get(RateLimitRegistry)],
    events,
    pipeline,
    job,
    indicator: new ReadyIndicator(registry, new HealthIndicatorService()),
  };
}

class ReadyIndicator extends ResilienceHealthIndicator {}

type World = Awaited<ReturnType<typeof start>>;
type Use = (value: never, world: World) => unknown;

const options: readonly (readonly [name: string, use: Use])[] = [
  ['list()', (value, { registries }) => registries.map((each) => each.list(value))],
  ['events.iterate()', (value, { events }) => events.iterate(value)],
  ['forceOpen()', (value, { breaker }) => breaker.forceOpen(value)],
  ['disable()', (value, { breaker }) => breaker.disable(value)],
  ['observeOnly()', (value, { breaker }) => breaker.observeOnly(value)],
  ['execute()', (value, { pipeline }) => pipeline.execute(() => 1, value)],
  ['new MemoryStore()', (value) => new MemoryStore(value)],
  ['storeContract()', (value) => storeContract(value)],
  ['@DelayWhenRejected', (value) => DelayWhenRejected(value)],
  [
    '@DelayWhenRejected',
    (value, { job }) => delayWhenRejected(job, 't', new CircuitOpenError('a', 1), value),
  ],
];

const functions: readonly (readonly [name: string, use: Use])[] = [
  ['execute()', (value, { breaker }) => breaker.execute(value)],
  ['onStateChange()', (value, { breaker }) => breaker.onStateChange(value)],
  ['execute()', (value, { pipeline }) => pipeline.execute(value)],
  ['wrap()', (value, { pipeline }) => pipeline.wrap(value)],
  ['withReport()', (value) => withReport(value)],
  ['ResilienceEvents', (value, { events }) => events.subscribe(value)],
  ['ResilienceEvents', (value, { events }) => events.on('retry', value)],
  ['keepOnlyLive()', (value) => keepOnlyLive(value, wrong(undefined))],
  ['keepOnlyLive()', (value) => keepOnlyLive({ handle: wrong(() => 1) }, value)],
  ['setTimer()', (value) => new ManualClock().setTimer(value, 1)],
  ['subscribe()', (value) => new MemoryStore().subscribe(value)],
];

const others: readonly (readonly [name: string, use: Use, wrong: readonly unknown[]])[] = [
  ['events.emit(', (value, { events }) => events.emit(value), [...noOptions, { type: 'x' }]],
  ['new ResilienceEvents()', (value) => new ResilienceEvents(value), odd],
  ['new ManualClock(', (value) => new ManualClock(value), odd.filter((each) => each !== 7)],
  ['fail(', (value) => new MemoryStore().fail(value), noOptions],
  ['the key is', (value, { indicator }) => indicator.check(value), odd.filter((v) => v !== 'x')],
  ['forceOpen(): by is', (by, { breaker }) => breaker.forceOpen({ by }), [null, 7, {}]],
  ['reason is', (reason, { breaker }) => breaker.disable({ reason }), [null, 7, untouchable()]],
  ['until is', (until, { breaker }) => breaker.disable({ until }), odd],
  ['signal is', (signal, { pipeline }) => pipeline.execute(() => 1, { signal }), [...odd, {}]],
  ['bufferSize is', (bufferSize, { events }) => events.iterate({ bufferSize }), [0, 1.5, '9']],
  ['keys is', (keys, { registries }) => registries.map((each) => each.list({ keys })), [1, null]],
  ['clock is', (clock) => new MemoryStore({ clock }), [...odd, {}]],
  ['connect is', (connect) => storeContract({ connect }), noFunctions],
  ['lose is', (lose) => storeContract({ connect: () => new MemoryStore(), lose }), odd],
  [
    'connect() gave',
    (store) => storeContract({ connect: () => store })[0]!.run(),
    [null, 7, {}, []],
  ],
];

/** Errors of the language, and of the value itself. */
const RIDDLE = /Cannot|is not a function|is not iterable|is not defined|^a trap/;

async function told(use: Use, value: unknown, world: World): Promise<string> {
  let result: unknown;
  try {
    result = await use(value as never, world);
  } catch (error) {
    expect(error).toBeInstanceOf(TypeError);
    return (error as Error).message;
  }
  throw new Error(`no error, but ${typeof result}`);
}

describe('an odd argument is an error that says so:', () => {
  const table = [
    ...options.map(([name, use]) => [name, use, noOptions] as const),
    ...functions.map(([name, use]) => [name, use, noFunctions] as const),
    ...others,
  ];

  it.each(table)('%s', async (name, use, values) => {
    const world = await start();
    for (const value of values) {
      const message = await told(use, value, world);
      expect(message).toContain(name);
      expect(message).not.toMatch(RIDDLE);
      expect(message).toMatch(/; use | use |is not an option; the options are /);
    }
    expect(world.breaker.snapshot()).toMatchObject({
      override: undefined,
      counts: { requests: 0 },
      running: 0,
    });
  });
});

const oddValues: Readonly<Record<string, unknown>> = {
  undefined,
  null: null,
  7: 7,
  '{}': {},
  'untouchable()': untouchable(),
};

it('an override has to end in the future', async () => {
  const { breaker } = await start();
  expect(() => breaker.forceOpen({ until: new Date(Date.UTC(2026, 0, 1)) })).toThrow(
    /^forceOpen\(\): until is 2026-01-01T.*; use a Date in the future$/,
  );
  expect(breaker.override).toBeUndefined();
});

it('all problems of an argument are told together', async () => {
  const { breaker } = await start();
  const note = wrong({ by: 7, reason: 8, untill: 9 });
  expect(() => breaker.forceOpen(note)).toThrow(
    'forceOpen(): by is 7; use a string; forceOpen(): reason is 8; use a string; forceOpen(): untill is not an option; the options are by, reason, until',
  );
});

it('the context of a call may be the options of a call inside it', async () => {
  const { pipeline } = await start();
  const inner = pipeline.execute((context) => pipeline.execute(() => 'mail', context));
  await expect(inner).resolves.toBe('mail');
});

it.each([
  ['a Request', new Request('http://books.example')],
  ['an AbortController', new AbortController()],
])('%s may be the options of a call: it has a signal', async (_, holder) => {
  const { pipeline } = await start();
  await expect(pipeline.execute(() => 'mail', holder)).resolves.toBe('mail');
});

it('a signal is not the options of a call: they hold it', async () => {
  const { pipeline } = await start();
  const { signal } = new AbortController();
  await expect(pipeline.execute(() => 'mail', wrong(signal))).rejects.toThrow(
    'execute(): the options are AbortSignal { aborted: false }; use { signal }',
  );
});

it.each(Object.entries(oddValues))('no pipeline is called %s', async (_, name) => {
  const { service } = await boot({});
  expect(problemsBy(() => service.pipeline(wrong(name), {}))).toEqual([
    expect.stringMatching(/^pipeline .*: the name is .*; use a non-empty string$/),
  ]);
});

it('options to reconfigure a part have to be given', async () => {
  const { registries } = await start();
  for (const registry of registries) {
    expect(problemsBy(() => registry.reconfigure('books', wrong(undefined)))).toEqual([
      'reconfigure("books"): the options are undefined; use an object',
    ]);
  }
});

describe('options of modules for operators and clients', () => {
  const useFactory = () => ({});

  it('beside a factory are no others', () => {
    const given = { useFactory, readOnly: true, useClass: Object };
    expect(problemsBy(() => ResilienceAdminModule.forRootAsync(wrong(given)))).toEqual([
      expect.stringContaining('readOnly is not an option; the options are useFactory, imports'),
      expect.stringContaining('useClass is not an option; the options are useFactory, imports'),
    ]);
  });

  it.each(Object.entries(oddValues).filter(([text]) => text !== '{}'))('are not %s', (_, given) => {
    const problems = [
      ...problemsBy(() => ResilienceAdminModule.forRootAsync(wrong(given))),
      ...problemsBy(() => ResilienceHttpModule.registerAsync(wrong(given))),
      ...(given === undefined ? [] : problemsBy(() => ResilienceHttpModule.register(wrong(given)))),
    ];
    expect(problems).not.toEqual([]);
    for (const problem of problems) expect(problem).toMatch(/: the options are .*; use an object$/);
  });

  it('are needed', () => {
    const { problems } = new ResilienceConfigurationError(
      problemsBy(() => ResilienceAdminModule.forRootAsync(wrong({}))),
    );
    expect(problems).toEqual(['ResilienceAdminModule.forRootAsync(): needs useFactory']);
  });
});

it('a signal takes no argument', async () => {
  class Books {
    async find(signal?: AbortSignal): Promise<unknown> {
      return signal;
    }
  }
  const descriptor = Object.getOwnPropertyDescriptor(Books.prototype, 'find')!;
  Timeout('1s')(Books.prototype, 'find', descriptor as never);
  Object.defineProperty(Books.prototype, 'find', descriptor);
  (Signal as (given: unknown) => ParameterDecorator)('books')(Books.prototype, 'find', 0);
  expect(await problemsOf({ providers: [Books] })).toEqual([
    "Books.find @Signal: has one argument too many, 'books', which has no effect; write @Signal()",
  ]);
});
