import { HttpException, NotFoundException } from '@nestjs/common';
import { ResilienceError } from './errors.js';
import { retryAfterOf, statusOf } from './http-error.js';

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

describe('statusOf', () => {
  it.each([
    ['an HttpException', new NotFoundException(), 404],
    ['axios', { isAxiosError: true, response: { status: 502 } }, 502],
    ['got', { response: { statusCode: 429 } }, 429],
    ['an error with a status', Object.assign(new Error('x'), { status: 503 }), 503],
    ['an error with a statusCode', Object.assign(new Error('x'), { statusCode: 500 }), 500],
    ['a status before a statusCode', { status: 404, statusCode: 500 }, 404],
    ['a response before an own status', { status: 500, response: { status: 404 } }, 404],
    ['the lowest', { status: 300 }, 300],
    ['the highest', { status: 599 }, 599],
  ])('reads that of %s', (_what, error, status) => {
    expect(statusOf(error)).toBe(status);
  });

  it.each([
    ['an error without one', new Error('x')],
    ['a good answer that could not be parsed', { response: { statusCode: 200 } }],
    ['a number that is no HTTP status', { status: 14 }],
    ['one too high', { status: 600 }],
    ['one in words', { status: '500' }],
    ['a request without a response', { isAxiosError: true, response: undefined }],
    ['a null response', { response: null }],
    ['null', null],
    ['undefined', undefined],
    ['a string', 'x'],
  ])('finds none in %s', (_what, error) => {
    expect(statusOf(error)).toBeUndefined();
  });
});

describe('retryAfterOf', () => {
  const wall = Date.parse('2026-01-01T00:00:00Z');
  const answered = (value: unknown): unknown => ({
    response: { headers: { 'retry-after': value } },
  });

  it.each([
    ['seconds', '120', 120_000],
    ['a number', 2, 2_000],
    ['fractions', '0.5', 500],
    ['zero', '0', 0],
    ['spaces around', ' 3 ', 3_000],
    ['a date', 'Thu, 01 Jan 2026 00:00:30 GMT', 30_000],
    ['a date in the past', 'Wed, 31 Dec 2025 23:59:00 GMT', 0],
  ])('reads %s', (_what, value, ms) => {
    expect(retryAfterOf(answered(value), wall)).toBe(ms);
  });

  it.each([
    ['garbage', 'soon'],
    ['a negative number', '-5'],
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

  it('takes what our own rejections ask for', () => {
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
