import fc from 'fast-check';
import { ResilienceError, isResilienceError } from '../errors.js';
import { isPlainObject } from '../objects.js';
import { show } from '../printable.js';
import { Classifier } from './classifier.js';
import { defaultOutcome, isFailure } from './default-outcome.js';
import { distance, toPredicate } from './error-matcher.js';
import { retryAfterOf } from './retry-after.js';
import { statusOf } from './status.js';
import { StreamResult, isStreamResult } from './stream-result.js';

// Everything that looks at an error or a result, with errors and results that do not want to be looked at.

const boom = (): never => {
  throw new Error('looked at');
};

const TRAPS = Object.getOwnPropertyNames(Reflect) as (keyof ProxyHandler<object>)[];
const everyTrapThrows = Object.fromEntries(TRAPS.map((trap) => [trap, boom]));

function revoked(target: object): object {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

/** The properties that anything of ours reads. */
const READ = [
  'stack', // first: V8 reads the others when this is replaced
  '$fault',
  '$metadata',
  '$response',
  '$retryable',
  'cause',
  'classId',
  'clientVersion',
  'code',
  'constructor',
  'details',
  'driverError',
  'errorCode',
  'errorLabels',
  'errors',
  'get',
  'getStatus',
  'hasErrorLabel',
  'headers',
  'httpStatusCode',
  'length',
  'message',
  'meta',
  'metadata',
  'name',
  'original',
  'prototype',
  'query',
  'response',
  'result',
  'retriable',
  'retryAfterMs',
  'severity',
  'sqlState',
  'status',
  'statusCode',
  'then',
  'throttling',
  'type',
  Symbol.for('nest-resilience:error'),
  Symbol.toPrimitive,
  Symbol.toStringTag,
  Symbol.iterator,
];

const withGetters = (target: object, keys: readonly PropertyKey[] = READ): object => {
  for (const key of keys) {
    Object.defineProperty(target, key, { get: boom, enumerable: true, configurable: true });
  }
  return target;
};

/** A recipe, since fast-check looks at values itself. */
type Make = () => unknown;

const hostile = fc.oneof(
  fc.constantFrom<Make>(
    () => new Proxy({}, everyTrapThrows),
    () => new Proxy([], everyTrapThrows),
    () => new Proxy(boom, everyTrapThrows),
    () => new Proxy(class {}, everyTrapThrows),
    () => new Proxy(new TypeError('x'), everyTrapThrows),
    () => new Proxy({}, { get: () => boom }),
    () => new Proxy({}, { get: () => new Proxy({}, everyTrapThrows) }),
    () => new Proxy({}, { get: () => revoked([]) }),
    () => new Proxy({}, { get: (_target, key) => key }),
    () => revoked({}),
    () => revoked([]),
    () => revoked(new Error('x')),
    () => revoked(boom),
    () => withGetters(new Error('x')),
    () => withGetters(new TypeError('x')),
    () => withGetters({}),
    () => Object.create(new Proxy({}, everyTrapThrows)) as object,
  ),
  // One property that throws, among others that lead deeper.
  fc
    .record({
      bad: fc.constantFrom(...READ),
      type: fc.constantFrom(Error, TypeError, ReferenceError),
      name: fc.constantFrom('MongoServerError', 'KafkaJSError', 'ReplyError', 'PrismaClientX', 'x'),
      code: fc.constantFrom<unknown>('P2010', 'ECONNRESET', '23505', 5, 404, NaN, {}),
    })
    .map(
      ({ bad, type, name, code }) =>
        () =>
          withGetters(
            Object.assign(new type('x'), {
              name,
              code,
              severity: 'ERROR',
              clientVersion: '6',
              response: { headers: new Proxy({}, everyTrapThrows) },
              metadata: { get: boom },
              cause: new Proxy([], everyTrapThrows),
              getStatus: boom,
              hasErrorLabel: boom,
            }),
            [bad],
          ),
    ),
);

const thing: fc.Arbitrary<Make> = fc.oneof(
  hostile,
  fc.anything({ withNullPrototype: true, withBigInt: true }).map((value) => () => value),
);

const around = (wrap: (inner: unknown) => unknown): fc.Arbitrary<Make> =>
  thing.map((make) => () => wrap(make()));

/** Hidden where we look. */
const nested = fc.oneof<fc.Arbitrary<Make>[]>(
  thing,
  around((cause) => Object.assign(new TypeError('x'), { cause })),
  around((inner) => Object.assign(new TypeError('x'), { cause: { errors: [inner, inner] } })),
  around((errors) => Object.assign(new TypeError('x'), { cause: { errors } })),
  around((response) => ({ response })),
  around((headers) => ({ response: { headers }, headers })),
  around((value) => ({ headers: { 'Retry-After': value, 'retry-after': value } })),
  around((value) => ({ headers: { get: () => value } })),
  around((value) => ({ getStatus: () => value, status: value, statusCode: value })),
  around(($metadata) => ({ $metadata, $retryable: $metadata })),
  around((code) => Object.assign(new Error('x'), { code, errorCode: code, details: 'x' })),
  around((inner) => ({ driverError: inner, original: inner, query: 'x', cause: inner })),
  around((meta) => ({ name: 'PrismaClientKnownRequestError', code: 'P2010', meta })),
  around((inner) => ({ name: 'MongoServerError', errorLabels: inner, result: inner })),
  around((inner) => ({ name: 'KafkaJSError', type: inner, cause: inner, retriable: inner })),
  around((name) => ({ name, message: name, constructor: { name } })),
  around((inner) => [inner, inner]),
);

class HasInstanceThrows {
  static [Symbol.hasInstance](): boolean {
    return boom();
  }
}
class HasInstanceLies {
  static [Symbol.hasInstance](): boolean {
    return true;
  }
}
class PrototypeThrows extends Error {}
const prototypeThrows = new Proxy(PrototypeThrows, everyTrapThrows);
class OurError extends ResilienceError {}

const matchers = [
  Error,
  TypeError,
  OurError,
  HasInstanceThrows,
  HasInstanceLies,
  prototypeThrows as never,
  boom,
  new Proxy(boom, everyTrapThrows),
];

const lookers: Readonly<Record<string, (value: unknown) => unknown>> = {
  defaultOutcome,
  isFailure,
  statusOf,
  retryAfterOf: (value) => retryAfterOf(value, 0),
  isResilienceError,
  'isResilienceError with a code': (value) => isResilienceError(value, 'TIMEOUT'),
  isStreamResult,
  show,
  isPlainObject,
  distance: (value) => matchers.map((matcher) => distance(matcher, value)),
  toPredicate: (value) => matchers.map((matcher) => toPredicate(matcher)(value)),
  'the classifier, of errors': (value) =>
    new Classifier({ ignore: matchers, skip: matchers, on: matchers }).ofError(value),
  'the classifier with on': (value) => new Classifier({ on: [boom] }).ofError(value),
  'the classifier, of results': (value) => new Classifier({ onResult: boom }).ofResult(value),
};

describe('inspecting hostile values', () => {
  it.each(Object.keys(lookers))('never throws: %s', (name) => {
    fc.assert(
      fc.property(nested, (make) => {
        lookers[name]!(make());
      }),
      { numRuns: 2_000 },
    );
  });

  it('shows every one as a string', () => {
    fc.assert(fc.property(nested, (make) => typeof show(make()) === 'string'));
  });

  it('decides on one of the three outcomes', () => {
    fc.assert(
      fc.property(nested, (make) => {
        expect(['success', 'failure', 'ignored']).toContain(defaultOutcome(make()));
      }),
    );
  });

  it.each<[string, () => unknown, string]>([
    ['a getter status', () => withGetters(new Error('x'), ['status']), 'failure'],
    ['a getter name', () => withGetters(new Error('x'), ['name']), 'failure'],
    ['a getter response', () => withGetters(new Error('x'), ['response']), 'failure'],
    ['getStatus()', () => Object.assign(new Error('x'), { getStatus: boom }), 'failure'],
    ['a revoked proxy', () => revoked(new Error('x')), 'failure'],
    [
      'a getter beside a status',
      () => withGetters(Object.assign(new Error('x'), { status: 404 }), ['response', 'code']),
      'success',
    ],
    [
      'getStatus() beside a status',
      () => Object.assign(new Error('x'), { getStatus: boom, status: 404 }),
      'success',
    ],
    ['a getter cause of a type error', () => withGetters(new TypeError('x'), ['cause']), 'ignored'],
  ])('goes by the readable rest: %s', (_what, make, outcome) => {
    expect(defaultOutcome(make())).toBe(outcome);
  });

  it('goes on searching for Retry-After when the first headers throw', () => {
    const error = { response: { headers: { get: boom } }, headers: { 'retry-after': '2' } };
    expect(retryAfterOf(error, 0)).toBe(2_000);
  });

  it('stops searching endless ancestors', () => {
    class Endless {
      static [Symbol.hasInstance](): boolean {
        return true;
      }
    }
    const endless = (): object => new Proxy({}, { getPrototypeOf: endless });
    expect(distance(Endless, endless())).toBeGreaterThan(0);
  });

  it('stops searching endless causes', () => {
    const endless = (): object =>
      new Proxy({}, { get: (_target, key) => (key === 'cause' ? endless() : undefined) });
    expect(defaultOutcome(new TypeError('x', { cause: endless() }))).toBe('ignored');
  });

  it('handles a stream whose prototype cannot be read', () => {
    const stream = new (class extends StreamResult {})();
    expect(isStreamResult(stream)).toBe(true);
    expect(isStreamResult(new Proxy(stream, everyTrapThrows))).toBe(false);
  });
});
