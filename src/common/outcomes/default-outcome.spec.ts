import { runInNewContext } from 'node:vm';
import { HttpException } from '@nestjs/common';
import { ResilienceError } from '../errors.js';
import { defaultOutcome, isFailure, isOwnFailure } from './default-outcome.js';

class Rejection extends ResilienceError {
  constructor(code: string) {
    super({ code, policy: 'p', policyName: 'n', status: 503, title: 't', message: 'm' });
  }
}

const withCode = (code: string): Error => Object.assign(new Error(code), { code });
const named = (name: string): Error => Object.assign(new Error(name), { name });
const fromOtherRealm = (code: string): unknown => runInNewContext(code);

function deep(cause: Error, levels: number): Error {
  return levels === 0 ? cause : new TypeError('x', { cause: deep(cause, levels - 1) });
}

function circular(): Error {
  const error = new TypeError('x');
  error.cause = { errors: [error, { cause: error }] };
  return error;
}

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
    ['an abort that no caller asked for', new DOMException('aborted', 'AbortError')],
    ['an abort of axios that no caller asked for', named('CanceledError')],
    ['a timeout of AbortSignal.timeout()', new DOMException('timed out', 'TimeoutError')],
    ['a type error with a network error deep among its causes', deep(withCode('ECONNRESET'), 5)],
    [
      'an answer that is not HTTP',
      new TypeError('fetch failed', { cause: withCode('HPE_INVALID_CONSTANT') }),
    ],
    [
      'an answer that is not HTTP, without a code',
      new TypeError('fetch failed', { cause: named('HTTPParserError') }),
    ],
    [
      'a certificate',
      new TypeError('fetch failed', { cause: withCode('DEPTH_ZERO_SELF_SIGNED_CERT') }),
    ],
    ['a thrown string', 'down'],
    ['undefined', undefined],
    ['null', null],
  ])('is a failure: %s', (_what, error) => {
    expect(defaultOutcome(error)).toBe('failure');
  });

  it.each<[string, unknown]>([
    ['a validation error', named('ValidationError')],
    ['a validation error of zod', named('ZodError')],
    ['a programmer error', new TypeError('x is not a function')],
    [
      'a type error whose cause is not a network error',
      new TypeError('x', { cause: new Error('y') }),
    ],
    ['a type error with an odd cause', new TypeError('x', { cause: { errors: 'none' } })],
    ['a type error with other causes', new TypeError('x', { cause: { errors: [new Error('y')] } })],
    ['a type error with a cause in a circle', circular()],
    ['a type error with an unknown code', new TypeError('x', { cause: withCode('E_MINE') })],
    ['an invalid URL', new TypeError('x', { cause: withCode('ERR_INVALID_URL') })],
    ['an invalid URL in a client of another class', withCode('ERR_INVALID_URL')],
    ['a request that axios cannot send', withCode('ERR_BAD_REQUEST')],
    [
      'an invalid URL in spite of what caused it',
      new TypeError('x', {
        cause: Object.assign(new Error('y', { cause: withCode('ECONNRESET') }), {
          code: 'ERR_INVALID_URL',
        }),
      }),
    ],
    ['a type error of another realm', fromOtherRealm(`new TypeError('x')`)],
    ['a reference error', new ReferenceError('x is not defined')],
    ['a reference error of another realm', fromOtherRealm('try { y } catch (e) { e }')],
    ['an open circuit', new Rejection('CIRCUIT_OPEN')],
    ['a full bulkhead', new Rejection('BULKHEAD_FULL')],
    ['a rejection of a future kind', new Rejection('SHED')],
  ])('is ignored: %s', (_what, error) => {
    expect(defaultOutcome(error)).toBe('ignored');
  });

  it.each<[string, unknown]>([
    ['an axios 404', { isAxiosError: true, response: { status: 404 } }],
    ['a got 401', { response: { statusCode: 401 } }],
    ['a fetch-like error with status 422', Object.assign(new Error('x'), { status: 422 })],
    ['a redirect', { status: 302 }],
    ['a type error with a status', Object.assign(new TypeError('x'), { status: 404 })],
    [
      'a validation error of the dependency',
      Object.assign(named('ValidationError'), { status: 400 }),
    ],
  ])('is a success, as an answer is: %s', (_what, error) => {
    expect(defaultOutcome(error)).toBe('success');
  });

  it.each([500, 502, 503, 504, 599, 408, 425, 429])(
    'of an HttpException %p is a failure',
    (status) => {
      expect(defaultOutcome(new HttpException('x', status))).toBe('failure');
    },
  );

  it.each([400, 401, 403, 404, 409, 422, 426, 428, 430, 499])(
    'of an HttpException %p is a success',
    (status) => {
      expect(defaultOutcome(new HttpException('x', status))).toBe('success');
    },
  );

  it('says which of our own rejections are failures of the dependency', () => {
    expect(isOwnFailure(new Rejection('TIMEOUT'))).toBe(true);
    expect(isOwnFailure(new Rejection('CIRCUIT_OPEN'))).toBe(false);
    expect(isOwnFailure(withCode('ECONNREFUSED'))).toBe(false);
  });

  it('is exported as a predicate for lists', () => {
    expect(isFailure(new HttpException('x', 503))).toBe(true);
    expect(isFailure(new HttpException('x', 404))).toBe(false);
    expect(isFailure(new Rejection('CIRCUIT_OPEN'))).toBe(false);
  });
});
