import { NotFoundException } from '@nestjs/common';
import { statusOf } from './status.js';

describe('statusOf', () => {
  it.each([
    ['an HttpException', new NotFoundException(), 404],
    ['axios', { isAxiosError: true, response: { status: 502 } }, 502],
    ['got', { response: { statusCode: 429 } }, 429],
    ['an error with a status', Object.assign(new Error('x'), { status: 503 }), 503],
    ['an error with a statusCode', Object.assign(new Error('x'), { statusCode: 500 }), 500],
    ['a status before a statusCode', { status: 404, statusCode: 500 }, 404],
    ['a response before an own status', { status: 500, response: { status: 404 } }, 404],
    ['the AWS SDK v3', { $metadata: { httpStatusCode: 404 } }, 404],
    ['the lowest', { status: 300 }, 300],
    ['the highest', { status: 599 }, 599],
  ])('reads the status of %s', (_what, error, status) => {
    expect(statusOf(error)).toBe(status);
  });

  it.each([
    ['an error without one', new Error('x')],
    ['a good answer that could not be parsed', { response: { statusCode: 200 } }],
    ['a number that is not an HTTP status', { status: 14 }],
    ['one too high', { status: 600 }],
    ['one in words', { status: '500' }],
    ['one that is not whole', { status: 404.5 }],
    ['a request without a response', { isAxiosError: true, response: undefined }],
    ['a null response', { response: null }],
    ['null', null],
    ['undefined', undefined],
    ['a string', 'x'],
  ])('finds none in %s', (_what, error) => {
    expect(statusOf(error)).toBeUndefined();
  });
});
