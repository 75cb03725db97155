import { runInNewContext } from 'node:vm';
import { BadRequestException, HttpException } from '@nestjs/common';
import { ResilienceError } from './errors.js';
import { OptionsReader, Problems } from './options-reader.js';
import {
  Classifier,
  defaultOutcome,
  distance,
  readOutcomeOptions,
  type ResultOutcomeOptions,
  toPredicate,
} from './outcome.js';

class Rejection extends ResilienceError {
  constructor(code: string) {
    super({ code, policy: 'p', policyName: 'n', status: 503, title: 't', message: 'm' });
  }
}

const withCode = (code: string): Error => Object.assign(new Error(code), { code });
const named = (name: string): Error => Object.assign(new Error(name), { name });
const fromOtherRealm = (code: string): unknown => runInNewContext(code);

describe('the default outcome', () => {
  it.each<[string, unknown]>([
    ['a refused connection', withCode('ECONNREFUSED')],
    ['a reset connection', withCode('ECONNRESET')],
    ['an unknown host', withCode('ENOTFOUND')],
    ['fetch failed', new TypeError('fetch failed', { cause: withCode('ECONNREFUSED') })],
    [
      'fetch failed on all addresses',
      new TypeError('fetch failed', { cause: { errors: [withCode('ECONNREFUSED')] } }),
    ],
    [
      'fetch failed in another realm',
      fromOtherRealm(`new TypeError('fetch failed', { cause: { code: 'UND_ERR_SOCKET' } })`),
    ],
    ['an error of unknown kind', new Error('x')],
    ['an error of unknown kind from another realm', fromOtherRealm(`new Error('x')`)],
    ['a malformed answer', new SyntaxError('Unexpected token')],
    ['a range error', new RangeError('x')],
    ['a timeout of another library', named('TimeoutError')],
    ['our own timeout', new Rejection('TIMEOUT')],
    ['an axios 500', { isAxiosError: true, response: { status: 500 } }],
    ['an axios error without an answer', Object.assign(new Error('x'), { isAxiosError: true })],
    ['a got 503', { response: { statusCode: 503 } }],
    ['a good answer that got could not parse', { response: { statusCode: 200 } }],
    ['a fetch-like error with status 502', Object.assign(new Error('x'), { status: 502 })],
    ['a thrown string', 'down'],
    ['undefined', undefined],
    ['null', null],
  ])('is a failure: %s', (_what, error) => {
    expect(defaultOutcome(error)).toBe('failure');
  });

  it.each<[string, unknown]>([
    ['an abort', new DOMException('This operation was aborted', 'AbortError')],
    ['an abort of axios', named('CanceledError')],
    ['a validation error', named('ValidationError')],
    ['a validation error of zod', named('ZodError')],
    ['a programmer error', new TypeError('x is not a function')],
    ['a type error whose cause is no network error', new TypeError('x', { cause: new Error('y') })],
    ['a type error with an odd cause', new TypeError('x', { cause: { errors: 'none' } })],
    ['a type error with other causes', new TypeError('x', { cause: { errors: [new Error('y')] } })],
    ['a type error of another realm', fromOtherRealm(`new TypeError('x')`)],
    ['a reference error', new ReferenceError('x is not defined')],
    ['a reference error of another realm', fromOtherRealm('try { y } catch (e) { e }')],
    ['an open circuit', new Rejection('CIRCUIT_OPEN')],
    ['an axios 404', { isAxiosError: true, response: { status: 404 } }],
    ['a got 401', { response: { statusCode: 401 } }],
    ['a fetch-like error with status 422', Object.assign(new Error('x'), { status: 422 })],
    ['a redirect', { status: 302 }],
  ])('is ignored: %s', (_what, error) => {
    expect(defaultOutcome(error)).toBe('ignored');
  });

  it.each([500, 502, 503, 504, 599, 408, 425, 429])(
    'of an HttpException %p is a failure',
    (status) => {
      expect(defaultOutcome(new HttpException('x', status))).toBe('failure');
    },
  );

  it.each([400, 401, 403, 404, 409, 422, 426, 428, 430, 499])(
    'of an HttpException %p is ignored',
    (status) => {
      expect(defaultOutcome(new HttpException('x', status))).toBe('ignored');
    },
  );
});

describe('an error matcher', () => {
  class StorageError extends Error {}
  class SlowStorageError extends StorageError {}
  class NoError {}

  it('that is a class means it and its subclasses', () => {
    const matches = toPredicate(StorageError);
    expect([new StorageError(), new SlowStorageError(), new Error()].map(matches)).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('may be a class that is no Error', () => {
    expect(toPredicate(NoError)(new NoError())).toBe(true);
    expect(toPredicate(NoError)(new Error())).toBe(false);
  });

  it('may be an old-style error class', () => {
    function OldError(this: Error): void {}
    OldError.prototype = Object.create(Error.prototype) as Error;
    const error = Object.create(OldError.prototype) as unknown;
    expect(toPredicate(OldError as never)(error)).toBe(true);
    expect(toPredicate(OldError as never)(new Error())).toBe(false);
  });

  it('that is a built-in class knows the errors of other realms', () => {
    const error = fromOtherRealm(`new RangeError('x')`);
    expect(toPredicate(RangeError)(error)).toBe(true);
    expect(toPredicate(Error)(error)).toBe(true);
    expect(toPredicate(TypeError)(error)).toBe(false);
  });

  it('that is a function is asked', () => {
    const matches = toPredicate((error) => error === 'x');
    expect(matches('x')).toBe(true);
    expect(matches('y')).toBe(false);
  });

  it.each<[string, unknown, number | undefined]>([
    ['0 to its own class', new SlowStorageError(), 0],
    ['a step for each parent', new (class extends SlowStorageError {})(), 1],
    ['none to another class', new StorageError(), undefined],
    ['none to what is no object', 'x', undefined],
  ])('has a distance: %s', (_what, error, steps) => {
    expect(distance(SlowStorageError, error)).toBe(steps);
  });

  it('that is a predicate is as near as can be', () => {
    expect(distance(() => true, new Error())).toBe(0);
    expect(distance(() => false, new Error())).toBeUndefined();
  });

  it('that throws does not match', () => {
    const broken = (): boolean => {
      throw new Error('broken predicate');
    };
    expect(distance(broken, new Error())).toBeUndefined();
  });
});

describe('Classifier', () => {
  it('looks at exclusions first, then at inclusions, then at the default', () => {
    const classifier = new Classifier({
      skip: [(error) => error === 'both' || error === 'skipped'],
      on: [(error) => error === 'both', BadRequestException],
    });
    expect(classifier.ofError('both')).toBe('ignored');
    expect(classifier.ofError('skipped')).toBe('ignored');
    expect(classifier.ofError(new BadRequestException())).toBe('failure');
    expect(classifier.ofError(new HttpException('x', 404))).toBe('ignored');
    expect(classifier.ofError('other')).toBe('failure');
  });

  it('takes another default', () => {
    expect(new Classifier({}, () => 'ignored').ofError(new Error())).toBe('ignored');
  });

  it('counts any result as a success, unless onResult says otherwise', () => {
    expect(new Classifier({}).ofResult({ ok: false })).toBe('success');
    const classifier = new Classifier({ onResult: (result) => result === 'later' });
    expect(classifier.ofResult('later')).toBe('failure');
    expect(classifier.ofResult('now')).toBe('success');
  });

  it('takes a predicate that throws for one that does not match', () => {
    const broken = (): boolean => {
      throw new Error('broken predicate');
    };
    const classifier = new Classifier({ skip: [broken], on: [broken], onResult: broken });
    expect(classifier.ofError(new Error())).toBe('failure');
    expect(classifier.ofError(new HttpException('x', 404))).toBe('ignored');
    expect(classifier.ofResult(1)).toBe('success');
  });
});

describe('readOutcomeOptions', () => {
  it('reports what is no list of matchers', () => {
    const problems = new Problems();
    const given = { on: Error, skip: ['x'], onResult: true } as unknown as ResultOutcomeOptions;
    readOutcomeOptions(new OptionsReader(given, 'here', problems));
    expect(problems.all.map((problem) => problem.split(' ')[1])).toEqual([
      'on',
      'skip',
      'onResult',
    ]);
  });
});
