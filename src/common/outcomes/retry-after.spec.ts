import { AxiosHeaders } from 'axios';
import { HttpException } from '@nestjs/common';
import { ResilienceError } from '../errors.js';
import { retryAfterOf } from './retry-after.js';

class ShedError extends ResilienceError {
  constructor(retryAfterMs: number | undefined) {
    super({
      code: 'SHED',
      policy: 'p',
      policyName: 'n',
      status: 503,
      title: 't',
      message: 'm',
      retryAfterMs,
    });
  }
}

describe('retryAfterOf', () => {
  const wall = Date.parse('2026-01-01T00:00:00Z');
  const answered = (value: unknown): unknown => ({
    response: { headers: { 'retry-after': value } },
  });

  it.each([
    ['seconds', '120', 120_000],
    ['a number', 2, 2_000],
    ['leading zeros', '007', 7_000],
    ['zero', '0', 0],
    ['spaces around', ' 3 ', 3_000],
    ['tabs around', '\t3\t', 3_000],
    ['a list of one', ['4'], 4_000],
    ['a date', 'Thu, 01 Jan 2026 00:00:30 GMT', 30_000],
    ['a date as RFC 850 has it', 'Thursday, 01-Jan-26 00:00:30 GMT', 30_000],
    ['a date as asctime() has it', 'Thu Jan  1 00:00:30 2026', 30_000],
    ['a date in the past', 'Wed, 31 Dec 2025 23:59:00 GMT', 0],
  ])('reads %s', (_what, value, ms) => {
    expect(retryAfterOf(answered(value), wall)).toBe(ms);
  });

  it.each([
    ['garbage', 'soon'],
    ['words before a number', 'in 30'],
    ['words after a number', '30 s'],
    ['words before a date', 'until Thu, 01 Jan 2026 00:00:30 GMT'],
    ['words that V8 reads as a month', 'maybe 1'],
    ['a fraction', '0.5'],
    ['a negative number', '-5'],
    ['a negative number, not as text', -5],
    ['a sign', '+5'],
    ['an exponent', '1e3'],
    ['a hexadecimal number', '0x10'],
    ['Infinity', 'Infinity'],
    ['Infinity, not as text', Infinity],
    ['two numbers', '1, 2'],
    ['another script', '٣'],
    ['a line break', '5\n'],
    ['a date of ISO', '2026-01-01T00:00:30Z'],
    ['a date without a zone', 'Thu, 01 Jan 2026 00:00:30'],
    ['a day that does not exist', 'Mon, 30 Feb 2026 00:00:00 GMT'],
    ['true', true],
    ['an object', {}],
    ['an empty one', ''],
    ['a bare year', '2030-'],
    ['two values', ['1', '2']],
    ['nothing', undefined],
    ['NaN', NaN],
  ])('ignores %s', (_what, value) => {
    expect(retryAfterOf(answered(value), wall)).toBeUndefined();
  });

  it.each([
    ['in capitals', { response: { headers: { 'Retry-After': '1' } } }],
    ['in Headers of fetch', { response: { headers: new Headers({ 'Retry-After': '1' }) } }],
    ['in the headers of the error itself', { headers: { 'retry-after': '1' } }],
  ])('finds the header %s', (_where, error) => {
    expect(retryAfterOf(error, wall)).toBe(1_000);
  });

  it.each(['9'.repeat(30), '9'.repeat(400), 'Fri, 31 Dec 9999 23:59:59 GMT'])(
    'reads a wait that is too long as 2^31 seconds: %s',
    (value) => {
      expect(retryAfterOf(answered(value), wall)).toBe(2 ** 31 * 1_000);
    },
  );

  it.each([
    ['a Map', new Map([['Retry-After', '1']])],
    ['the headers of axios', new AxiosHeaders({ 'Retry-After': '1' })],
    ['an object with an exact spelling', { get: () => null, 'Retry-After': '1' }],
    ['an object without a prototype', Object.assign(Object.create(null), { 'RETRY-AFTER': '1' })],
  ])('finds the header in %s', (_where, headers) => {
    expect(retryAfterOf({ response: { headers } }, wall)).toBe(1_000);
  });

  it('finds the header of the AWS SDK', () => {
    expect(retryAfterOf({ $response: { headers: { 'retry-after': '1' } } }, wall)).toBe(1_000);
  });

  it.each([
    [['250'], 250],
    [['-1'], undefined],
    [[], undefined],
  ])('reads the pushback of gRPC, %j', (values, ms) => {
    const metadata = { get: (key: string) => (key === 'grpc-retry-pushback-ms' ? values : []) };
    expect(retryAfterOf({ code: 14, details: '', metadata }, wall)).toBe(ms);
  });

  it.each([NaN, -1, Infinity, '5', null])('ignores %p of our own rejections', (ms) => {
    expect(retryAfterOf(new ShedError(ms as number), wall)).toBeUndefined();
  });

  it('reads the wait of our own rejections', () => {
    expect(retryAfterOf(new ShedError(700), wall)).toBe(700);
    expect(retryAfterOf(new ShedError(undefined), wall)).toBeUndefined();
  });

  it.each([
    [null],
    [undefined],
    ['x'],
    [new Error('x')],
    [new HttpException('x', 503)],
    [{ response: null }],
  ])('finds none in %p', (error) => {
    expect(retryAfterOf(error, wall)).toBeUndefined();
  });
});
