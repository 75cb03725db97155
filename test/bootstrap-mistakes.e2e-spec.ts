import type { Type } from '@nestjs/common';
import {
  CircuitBreaker,
  Fallback,
  RateLimit,
  Retry,
  Signal,
  Timeout,
  exponential,
  gobreaker,
  staleIfError,
  fallbackValue,
} from '../src/index.js';
import { closeAll } from './support/boot.js';
import { ROOT, classWith, forms } from './support/bootstrap.js';
import { problemsOf, wrong } from './support/commands.js';

afterEach(closeAll);

interface Mistake {
  readonly providers?: readonly Type[];
  readonly resilience?: Record<string, unknown>;
  /** The beginning of the line that reports it. */
  readonly told: string;
}

/** A mistake in the options of a decorator on `name.m`. */
const decorated = (name: string, decorator: unknown, told: string): Mistake => ({
  providers: [classWith(name, decorator as never)],
  told: `${name}.m @${told}`,
});

class Unprovided {
  handle(): void {}
}

class NoHandler {}

class WithFields {
  field = 1;
  get accessor(): number {
    return 1;
  }
  static field = 1;
}

(Retry() as PropertyDecorator)(WithFields.prototype, 'field');

(Timeout('1s') as MethodDecorator)(
  WithFields.prototype,
  'accessor',
  Object.getOwnPropertyDescriptor(WithFields.prototype, 'accessor')!,
);

(CircuitBreaker() as PropertyDecorator)(WithFields, 'field');

class WithSignal {
  async m(_signal?: AbortSignal): Promise<void> {}
}

Signal()(WithSignal.prototype, 'm', 0);

class InCircle {
  @Fallback('second')
  async first(): Promise<number> {
    return 1;
  }
  @Fallback('first')
  async second(): Promise<number> {
    return 2;
  }
}

const mistakes: Record<string, Mistake> = {
  'a decorator that stands twice': decorated(
    'Twice',
    (...given: [object, string, PropertyDescriptor]) => {
      (Retry() as MethodDecorator)(...given);
      (Retry({ maxRetries: 1 }) as MethodDecorator)(...given);
    },
    'Retry: is applied twice; use it once',
  ),
  'a signal for a method without a policy': {
    providers: [WithSignal],
    told: 'WithSignal.m @Signal: gets no signal: the method has no policy',
  },
  'fallbacks in a circle': {
    providers: [InCircle],
    told: `InCircle.first @Fallback: handler is 'second'; use a method whose own fallback does not lead back`,
  },
  'an override of a policy that the method has not': {
    providers: [classWith('OnlyRetried', Retry())],
    resilience: { overrides: { 'OnlyRetried.m': { timeout: { total: '1s' } } } },
    told: `${ROOT} overrides['OnlyRetried.m'] has timeout, but OnlyRetried.m has no such policy`,
  },
  'where a wrong option comes from': {
    providers: [classWith('Overridden', Retry())],
    resilience: { overrides: { 'Overridden.m': { retry: { maxElapsedTime: 'soon' } } } },
    told: `Overridden.m @Retry: maxElapsedTime (from overrides['Overridden.m']) is 'soon'; use `,
  },
  'an unknown option': decorated(
    'Unknown',
    Retry(wrong({ maxRetrys: 3 })),
    'Retry: maxRetrys is not an option; the options are maxRetries, ',
  ),
  'an unknown nested option': decorated(
    'UnknownNested',
    CircuitBreaker(wrong({ halfOpen: { probes: 1 } })),
    'CircuitBreaker: halfOpen.probes is not an option; the options are halfOpen.maxCalls, halfOpen.successThreshold, halfOpen.maxDuration',
  ),
  'options that are not an object': decorated(
    'NoObject',
    Retry(wrong(5)),
    'Retry: the options are 5; use an object',
  ),
  'a number as the name of a breaker': decorated(
    'NumberForName',
    CircuitBreaker(wrong(5)),
    'CircuitBreaker: the options are 5; use a name, or an object',
  ),
  'a number as text': decorated(
    'TextForNumber',
    RateLimit(wrong('100/s')),
    `RateLimit: the options are '100/s'; use a whole number, or an object`,
  ),
  'a shorthand of the wrong type in forRoot()': {
    resilience: { defaults: wrong({ bulkhead: '10' }) },
    told: `${ROOT} defaults.bulkhead is '10'; use a whole number, or an object with options`,
  },
  'a misspelt `config`': decorated(
    'Misspelt',
    Retry(wrong({ confg: 'patient' })),
    'Retry: confg is not an option; the options are maxRetries, backoff, maxElapsedTime, respectRetryAfter, ignore, skip, on, onResult, config, enabled',
  ),
  'a negative number of retries': decorated(
    'NegativeRetries',
    Retry({ maxRetries: -1 }),
    'Retry: maxRetries is -1; use a whole number of at least 0',
  ),
  'a fraction of a retry': decorated(
    'FractionOfRetry',
    Retry({ maxRetries: 1.5 }),
    'Retry: maxRetries is 1.5; use a whole number of at least 0',
  ),
  'a number of retries that is NaN, as of a missing variable': decorated(
    'NaNRetries',
    Retry({ maxRetries: Number('three') }),
    'Retry: maxRetries is NaN; use a whole number of at least 0',
  ),
  'a negative duration': decorated(
    'NegativeDuration',
    Timeout(-1),
    `Timeout: attempt is -1; ${forms} above 0`,
  ),
  'a duration of zero': decorated(
    'ZeroDuration',
    Timeout({ total: 0 }),
    `Timeout: total is 0; ${forms} above 0`,
  ),
  'a duration in an unknown unit': decorated(
    'UnknownUnit',
    Retry({ maxElapsedTime: wrong('2 fortnights') }),
    `Retry: maxElapsedTime is '2 fortnights'; ${forms}`,
  ),
  'no time at all': decorated(
    'NoTime',
    Timeout({}),
    `Timeout: no time given; use a duration such as '2s', or { attempt, total }`,
  ),
  'an attempt that is longer than the whole': decorated(
    'AttemptTooLong',
    Timeout({ attempt: '2s', total: '2s' }),
    'Timeout: attempt (2000 ms) must be shorter than total (2000 ms)',
  ),
  'a maxDelay below initialDelay': decorated(
    'DelayBounds',
    Retry({ backoff: exponential({ initialDelay: '2s', maxDelay: '1s' }) }),
    'Retry: maxDelay (1000 ms) is shorter than initialDelay (2000 ms)',
  ),
  'a multiplier below 1': decorated(
    'Multiplier',
    Retry({ backoff: exponential({ multiplier: 0.5 }) }),
    'Retry: backoff.multiplier is 0.5; use a number of at least 1',
  ),
  'a jitter above 1': decorated(
    'Jitter',
    Retry({ backoff: exponential({ jitter: 50 }) }),
    `Retry: backoff.jitter is 50; use a number from 0 to 1, 'full', 'equal' or 'none'`,
  ),
  'a backoff that is none': decorated(
    'NoBackoff',
    Retry({ backoff: wrong('exponential') }),
    `Retry: backoff is 'exponential'; use exponential(), constant(), … or a function (attempt, error) => ms`,
  ),
  'an error class outside of a list': decorated(
    'OnWithoutList',
    Retry({ on: wrong(TypeError) }),
    'Retry: on is function TypeError; use a list of error classes or functions',
  ),
  'a predicate that is not a function': decorated(
    'Predicate',
    CircuitBreaker({ onResult: wrong('empty') }),
    `CircuitBreaker: onResult is 'empty'; use a function`,
  ),
  'a failure rate in percent': decorated(
    'Percent',
    CircuitBreaker({ failureRate: 50 }),
    'CircuitBreaker: failureRate is 50; use a number above 0 and at most 1',
  ),
  'a failure rate of zero': decorated(
    'ZeroRate',
    CircuitBreaker({ failureRate: 0 }),
    'CircuitBreaker: failureRate is 0; use a number above 0 and at most 1',
  ),
  'window and resetInterval': decorated(
    'TwoWindows',
    CircuitBreaker({ window: '10s', resetInterval: '10s' }),
    'CircuitBreaker: window and resetInterval exclude each other',
  ),
  'a bucket of gobreaker() that is not a duration': decorated(
    'NoBucket',
    CircuitBreaker(gobreaker({ interval: '10s', bucketPeriod: wrong('1sec') })),
    `CircuitBreaker: window.buckets is '1sec'; use a whole number of at least 1`,
  ),
  'a window of no calls': decorated(
    'EmptyWindow',
    CircuitBreaker({ window: { calls: 0 } }),
    'CircuitBreaker: window.calls is 0; use a whole number of at least 1 and at most 1000000',
  ),
  'a window that is neither time nor calls': decorated(
    'NeitherWindow',
    CircuitBreaker({ window: wrong({ buckets: 10 }) }),
    'CircuitBreaker: window has neither duration nor calls; use one of them',
  ),
  'more minimumCalls than the window holds': decorated(
    'UnreachableMinimum',
    CircuitBreaker({ failureRate: 0.5, window: { calls: 10 }, minimumCalls: 20 }),
    'CircuitBreaker: minimumCalls (20) is more than the window holds (10 calls), so the circuit would never open',
  ),
  'more consecutiveFailures than the window holds': decorated(
    'UnreachableStreak',
    CircuitBreaker({ consecutiveFailures: 6, window: { calls: 5 } }),
    'CircuitBreaker: consecutiveFailures (6) is more than the window holds (5 calls), so the circuit would never open',
  ),
  'slow calls that fail before they are slow': decorated(
    'NeverSlow',
    CircuitBreaker({ slowCallRate: 0.5, slowCallDuration: '2m' }),
    'CircuitBreaker: slowCallDuration (120000 ms) is longer than maxCallDuration (60000 ms)',
  ),
  'no probes': decorated(
    'NoProbes',
    CircuitBreaker({ halfOpen: { maxCalls: 0 } }),
    'CircuitBreaker: halfOpen.maxCalls is 0; use a whole number of at least 1',
  ),
  'an empty name': decorated(
    'EmptyName',
    CircuitBreaker(''),
    `CircuitBreaker: name is ''; use a non-empty string`,
  ),
  'an unknown configuration': decorated(
    'UnknownConfig',
    Retry({ config: 'hasty' }),
    `Retry: config is 'hasty', which forRoot({ configs }) does not have; it has `,
  ),
  'the options of one breaker given differently': {
    providers: [
      classWith('Definer', CircuitBreaker({ name: 'twice', openFor: '5s' })),
      classWith('OtherDefiner', CircuitBreaker({ name: 'twice', openFor: '9s' })),
    ],
    told: `OtherDefiner.m @CircuitBreaker: "twice" has other options at Definer.m @CircuitBreaker: openFor is '5s' there and '9s' here; use the same ones, or put them into forRoot({ configs })`,
  },
  'two classes of one name that would share a breaker': {
    providers: [classWith('Namesake', CircuitBreaker()), classWith('Namesake', CircuitBreaker())],
    told: 'Namesake.m @CircuitBreaker: another class is called Namesake too, and both would share "Namesake.m"',
  },
  'a fallback method that does not exist': decorated(
    'MissingFallback',
    Fallback(wrong('cellar')),
    `Fallback: handler is 'cellar'; use the name of a method of MissingFallback`,
  ),
  'a fallback method that is an accessor': decorated(
    'AccessorFallback',
    Fallback(wrong('accessor')),
    `Fallback: handler is 'accessor'; use the name of a method of AccessorFallback`,
  ),
  'a method that answers for itself': decorated(
    'SelfFallback',
    Fallback(wrong('m')),
    `Fallback: handler is 'm'; use a method other than the one it answers for`,
  ),
  'a fallback class that no module provides': decorated(
    'UnprovidedFallback',
    Fallback(wrong(Unprovided)),
    'Fallback: handler is function Unprovided; use a class that a module of the application has as a singleton provider',
  ),
  'a fallback class without handle()': decorated(
    'HandlerFallback',
    Fallback(wrong(NoHandler)),
    `Fallback: handler is function NoHandler; use a method's name, a function, a class with handle(), fallbackValue(x) or staleIfError({ ttl })`,
  ),
  'a fallback that is nothing of the kind': decorated(
    'NumberFallback',
    Fallback(wrong(7)),
    `Fallback: handler is 7; use a method's name, a function, a class with handle(), fallbackValue(x) or staleIfError({ ttl })`,
  ),
  'an empty list of fallbacks': decorated(
    'EmptyList',
    Fallback([]),
    'Fallback: handler is []; use a list with at least one choice',
  ),
  'a choice in a list of fallbacks that is none': decorated(
    'BareChoice',
    Fallback(wrong(['other'])),
    `Fallback: handler[0] is 'other'; use { on: [ErrorClass], handler }`,
  ),
  'an unknown option in a list of fallbacks': decorated(
    'ChoiceOption',
    Fallback(wrong([{ error: TypeError, handler: fallbackValue(1) }])),
    'Fallback: handler[0].error is not an option; the options are handler[0].on, handler[0].handler',
  ),
  'staleIfError without a cache': decorated(
    'NoCache',
    Fallback(staleIfError({ ttl: '1m' })),
    'Fallback: staleIfError needs a cache; import CacheModule of @nestjs/cache-manager',
  ),
  'a decorated field': {
    providers: [WithFields],
    told: 'WithFields.field @Retry: decorates a field; only methods can be protected',
  },
  'an unknown option of the module': {
    resilience: { retries: 3 },
    told: `${ROOT} retries is not an option; the options are defaults, configs, pipelines, overrides, clock, random, logger`,
  },
  'an unknown policy among the defaults': {
    resilience: { defaults: { hedge: {} } },
    told: `${ROOT} defaults has "hedge", which is not a policy; the policies are `,
  },
  'an unknown policy in a configuration': {
    resilience: { configs: { patient: { retrys: {} } } },
    told: `${ROOT} configs['patient'] has "retrys", which is not a policy`,
  },
  'defaults of a policy that are not an object': {
    resilience: { defaults: { retry: 5 } },
    told: `${ROOT} defaults.retry is 5; use an object with options`,
  },
  'true in an override': {
    resilience: { overrides: { '*': { circuitBreaker: true } } },
    told: `${ROOT} overrides['*'].circuitBreaker is true; use a name, or an object with options`,
  },
  'a configuration named where none can be': {
    resilience: { overrides: { '*': { fallback: { config: 'patient' } } } },
    told: `${ROOT} overrides['*'].fallback.config has no effect; only decorators, commands and pipelines can name a configuration`,
  },
  'an override of what is not there': {
    resilience: { overrides: { 'Clientt.m': { retry: { enabled: false } } } },
    told: `${ROOT} overrides has 'Clientt.m', which is not a decorated class or method, a command, a pipeline, a circuit breaker, a rate limit or a bulkhead; there are *`,
  },
  'a wrong clock': {
    resilience: { clock: { now: Date.now } },
    told: `${ROOT} clock is { now: [Function: now] }; use an object with now(), wall() and setTimer()`,
  },
  'a wrong source of random numbers': {
    resilience: { random: 0.5 },
    told: `${ROOT} random is 0.5; use a function`,
  },
  'a wrong logger': {
    resilience: { logger: true },
    told: `${ROOT} logger is true; use a LoggerService or false`,
  },
};

/** Mistakes that entail others. */
const alsoTold: Record<string, readonly string[]> = {
  'fallbacks in a circle': [
    `InCircle.second @Fallback: handler is 'first'; use a method whose own fallback does not lead back`,
  ],
  'a decorated field': [
    'WithFields.accessor @Timeout: decorates an accessor; only methods can be protected',
    'WithFields.field @CircuitBreaker: decorates a field; only methods can be protected',
  ],
};

function expectTold(problems: readonly string[], beginnings: readonly string[]): void {
  const untold = beginnings.filter((told) => !problems.some((line) => line.startsWith(told)));
  const unexpected = problems.filter((line) => !beginnings.some((told) => line.startsWith(told)));
  expect({ untold, unexpected }).toEqual({ untold: [], unexpected: [] });
}

describe('an application with a wrong configuration does not start, and reports', () => {
  it.each(Object.entries(mistakes))(
    '%s',
    async (kind, { providers = [], resilience = {}, told }) => {
      const problems = await problemsOf({ providers: [...providers], resilience });
      expectTold(problems, [told, ...(alsoTold[kind] ?? [])]);
      expect(problems).toHaveLength(1 + (alsoTold[kind]?.length ?? 0));
    },
  );

  it('all of them at once, in one message', async () => {
    const all = Object.values(mistakes);
    const resilience: Record<string, unknown> = {};
    for (const { resilience: given = {} } of all) {
      for (const [option, each] of Object.entries(given)) {
        const before = resilience[option];
        resilience[option] =
          typeof before === 'object' ? mergeDeep(before as object, each as object) : each;
      }
    }
    const problems = await problemsOf({
      providers: all.flatMap(({ providers = [] }) => providers),
      resilience,
    });
    expectTold(problems, [...all.map(({ told }) => told), ...Object.values(alsoTold).flat()]);
    expect(problems.length).toBeGreaterThanOrEqual(all.length);
  });
});

function mergeDeep(one: object, two: object): object {
  const merged: Record<string, unknown> = { ...one };
  for (const [key, value] of Object.entries(two)) {
    const before = merged[key];
    merged[key] =
      typeof before === 'object' && typeof value === 'object'
        ? mergeDeep(before as object, value as object)
        : value;
  }
  return merged;
}
