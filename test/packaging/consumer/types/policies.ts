// The options of the other decorators: durations, keys, and options that belong elsewhere.
import {
  Bulkhead,
  CircuitBreaker,
  Retry,
  Timeout,
  UsePipeline,
  constant,
  decorrelated,
  exponential,
  fibonacci,
  gobreaker,
  hystrix,
  linear,
} from 'nest-resilience';

export class Accepted {
  private readonly tenant: string = 'one';

  // Compiles: durations in each unit, and milliseconds as a number
  @Retry({
    maxElapsedTime: '1.5h',
    backoff: exponential({ initialDelay: '500ms', maxDelay: 10_000 }),
  })
  @Timeout({ attempt: '2s', total: '1m' })
  async durations(): Promise<void> {}

  // Compiles: each backoff
  @Retry({ backoff: constant('1s', { jitter: 'equal' }) })
  async constantly(): Promise<void> {}

  // Compiles: a backoff function of the attempt and the error
  @Retry({ backoff: (attempt, error) => (error instanceof RangeError ? 0 : attempt * 100) })
  async computed(): Promise<void> {}

  // Compiles: a key as the name of a method
  @CircuitBreaker({ name: 'tenants', key: 'tenantKey' })
  async byMethod(): Promise<void> {}

  // Compiles: a key of the arguments
  @Bulkhead({ key: (tenant: string, shelf: number) => `${tenant}/${shelf}` })
  async byArguments(tenant: string, shelf: number): Promise<string> {
    return `${tenant} ${shelf}`;
  }

  // Compiles: a key that sees the instance as `this`
  @CircuitBreaker({
    key: function (this: Accepted, shelf: string) {
      return this.tenant + shelf;
    },
  })
  async byInstance(shelf: string): Promise<string> {
    return shelf;
  }

  // Compiles: windows by time, by time in buckets, and by calls
  @CircuitBreaker({ window: { duration: '10s', buckets: 10, countAt: 'start' }, failureRate: 0.5 })
  async window(): Promise<void> {}

  // Compiles: an open time that grows
  @CircuitBreaker({ window: { calls: 50 }, openFor: decorrelated({ initialDelay: '1s' }) })
  async openTime(): Promise<void> {}

  // Compiles: shortcuts
  @Bulkhead(20)
  @CircuitBreaker('storagesvc')
  @Timeout(500)
  @Retry()
  async shortcuts(): Promise<void> {}

  // Compiles: a pipeline, and a change of one option
  @UsePipeline('storagesvc')
  @Retry({ enabled: false })
  async piped(): Promise<void> {}

  // Compiles: presets
  @CircuitBreaker(gobreaker({ maxRequests: 1, readyToTrip: (counts) => counts.totalFailures > 5 }))
  @Timeout(hystrix({ timeout: '1s' }).timeout ?? '1s')
  async presets(): Promise<void> {}

  // Compiles: further outcomes
  @Retry({
    on: [RangeError],
    skip: [(error) => error === 1],
    onResult: (result) => result === null,
  })
  async outcomes(): Promise<void> {}

  tenantKey(): string {
    return this.tenant;
  }
}

/** Compiles: all decorators but the fallback on a class */
@Retry()
@CircuitBreaker()
@Timeout('1s')
@Bulkhead()
@UsePipeline('storagesvc')
export class OnClass {}

export class Refused {
  // @ts-expect-error a unit that does not exist: `'2 parsecs'` Argument of type '"2 parsecs"' is not assignable to parameter of type
  @Timeout('2 parsecs')
  async unit(): Promise<void> {}

  // @ts-expect-error a unit in capitals: `attempt: '2S'` Type '"2S"' is not assignable to type 'Duration
  @Timeout({ attempt: '2S' })
  async capitals(): Promise<void> {}

  // @ts-expect-error a number as a text without a unit: `total: '2000'` Type '"2000"' is not assignable to type 'Duration
  @Timeout({ total: '2000' })
  async withoutUnit(): Promise<void> {}

  // @ts-expect-error no limit at all: `Timeout()` Expected 1 arguments, but got 0
  @Timeout()
  async noLimit(): Promise<void> {}

  // @ts-expect-error another name of an option: `attempts: 3` 'attempts' does not exist in type 'RetryOptions
  @Retry({ attempts: 3 })
  async attempts(): Promise<void> {}

  // @ts-expect-error an option of the breaker: `openFor: '5s'` 'openFor' does not exist in type 'RetryOptions
  @Retry({ openFor: '5s' })
  async openFor(): Promise<void> {}

  // @ts-expect-error an option of the retry: `maxRetries: 3` 'maxRetries' does not exist in type 'CircuitBreakerOptions
  @CircuitBreaker({ maxRetries: 3 })
  async maxRetries(): Promise<void> {}

  // @ts-expect-error an option of the timeout: `attempt: '1s'` 'attempt' does not exist in type 'BulkheadOptions
  @Bulkhead({ attempt: '1s' })
  async attempt(): Promise<void> {}

  // @ts-expect-error an option of the bulkhead: `maxWait: '1s'` 'maxWait' does not exist in type 'TimeoutOptions
  @Timeout({ maxWait: '1s' })
  async maxWait(): Promise<void> {}

  // @ts-expect-error a number as text: `maxRetries: '3'` Type 'string' is not assignable to type 'number
  @Retry({ maxRetries: '3' })
  async text(): Promise<void> {}

  // @ts-expect-error a jitter that does not exist: `jitter: 'half'` Type '"half"' is not assignable to type 'Jitter
  @Retry({ backoff: exponential({ jitter: 'half' }) })
  async jitter(): Promise<void> {}

  // @ts-expect-error an option of another backoff: `multiplier: 2` 'multiplier' does not exist in type 'LinearOptions
  @Retry({ backoff: linear({ multiplier: 2 }) })
  async multiplier(): Promise<void> {}

  // @ts-expect-error the name of a backoff: `backoff: 'exponential'` Type 'string' is not assignable to type 'Backoff
  @Retry({ backoff: 'exponential' })
  async backoffByName(): Promise<void> {}

  // @ts-expect-error a backoff that gives a text: `backoff:` Type '() => string' is not assignable to type 'Backoff
  @Retry({ backoff: () => '1s' })
  async backoffText(): Promise<void> {}

  // @ts-expect-error a backoff with a wrong unit: `initialDelay: '5sec'` Type '"5sec"' is not assignable to type 'Duration
  @Retry({ backoff: fibonacci({ initialDelay: '5sec' }) })
  async backoffUnit(): Promise<void> {}

  // @ts-expect-error a constant backoff without its delay: `constant()` Expected 1-2 arguments, but got 0
  @Retry({ backoff: constant() })
  async delay(): Promise<void> {}

  // @ts-expect-error a key that is an object: `key:` Type '(id: number) => { id: number; }' is not assignable to type 'Key
  @CircuitBreaker({ key: (id: number) => ({ id }) })
  async key(id: number): Promise<number> {
    return id;
  }

  // @ts-expect-error a key that may be undefined: `(id` Type '(id?: string) => string | undefined' is not assignable to type 'Key
  @Bulkhead({ key: (id?: string) => id })
  async optionalKey(id?: string): Promise<string> {
    return String(id);
  }

  // @ts-expect-error a key that comes later: `key: async` Type '(id: string) => Promise<string>' is not assignable to type 'Key
  @Bulkhead({ key: async (id: string) => id })
  async asyncKey(id: string): Promise<string> {
    return id;
  }

  // @ts-expect-error a window of both kinds: `buckets: 10` Type 'number' is not assignable to type 'undefined
  @CircuitBreaker({ window: { calls: 50, buckets: 10 } })
  async window(): Promise<void> {}

  // @ts-expect-error a window with its old name: `size: 50` 'size' does not exist in type
  @CircuitBreaker({ window: { size: 50 } })
  async size(): Promise<void> {}

  // @ts-expect-error an option of the half-open state outside it: `successThreshold: 2` 'successThreshold' does not exist in type 'CircuitBreakerOptions
  @CircuitBreaker({ successThreshold: 2 })
  async halfOpen(): Promise<void> {}

  // @ts-expect-error a pipeline without a name: `UsePipeline()` Expected 1 arguments, but got 0
  @UsePipeline()
  async unnamed(): Promise<void> {}

  // @ts-expect-error a switch that is a text: `enabled: 'false'` Type 'string' is not assignable to type 'boolean
  @Retry({ enabled: 'false' })
  async enabled(): Promise<void> {}

  // @ts-expect-error a status among the errors: `503` Type 'number' is not assignable to type 'ErrorMatcher
  @Retry({ on: [503] })
  async status(): Promise<void> {}

  // @ts-expect-error the decorator without parentheses: `@Retry` 'Retry' accepts too few arguments to be used as a decorator here.
  @Retry
  async bare(): Promise<void> {}

  // @ts-expect-error a synchronous method: `Retry()` Argument of type 'TypedPropertyDescriptor<() => number>' is not assignable to parameter of type 'TypedPropertyDescriptor
  @Retry()
  sync(): number {
    return 1;
  }

  // @ts-expect-error a method that gives a promise or not: `CircuitBreaker()` Argument of type 'TypedPropertyDescriptor<(now: boolean) => number | Promise<number>>' is not assignable to parameter of type 'TypedPropertyDescriptor
  @CircuitBreaker()
  sometimes(now: boolean): number | Promise<number> {
    return now ? 1 : Promise.resolve(1);
  }

  // @ts-expect-error a field: `@Timeout('1s')` Unable to resolve signature of property decorator when called
  @Timeout('1s')
  readonly field = async (): Promise<void> => {};

  // @ts-expect-error an accessor: `Timeout('1s')` Argument of type 'TypedPropertyDescriptor<Promise<void>>' is not assignable to parameter of type 'TypedPropertyDescriptor
  @Timeout('1s')
  get accessor(): Promise<void> {
    return Promise.resolve();
  }

  // @ts-expect-error a setting of another preset: `sleepWindow: '5s'` 'sleepWindow' does not exist in type 'GobreakerSettings
  @CircuitBreaker(gobreaker({ sleepWindow: '5s' }))
  async preset(): Promise<void> {}
}
