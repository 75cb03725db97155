import { HttpException } from '@nestjs/common';
import type * as Errors from './errors.js';
import {
  ResilienceConfigurationError,
  ResilienceError,
  type ResilienceErrorDetails,
  isResilienceError,
} from './errors.js';

class ShedError extends ResilienceError {
  constructor(details: Partial<ResilienceErrorDetails> = {}) {
    super({
      code: 'SHED',
      policy: 'shedding',
      policyName: 'storagesvc',
      status: 503,
      title: 'Service Unavailable',
      message: 'too much to do for "storagesvc"',
      retryAfterMs: 1_500,
      ...details,
    });
  }
}

describe('ResilienceError', () => {
  const error = new ShedError();

  it('has the code, the policy, the instance and the time until another attempt', () => {
    expect(error).toMatchObject({
      name: 'ShedError',
      code: 'SHED',
      policy: 'shedding',
      policyName: 'storagesvc',
      retryAfterMs: 1_500,
      message: 'too much to do for "storagesvc"',
    });
  });

  it('is an HttpException whose body reveals no internals', () => {
    expect(error).toBeInstanceOf(HttpException);
    expect(error.getStatus()).toBe(503);
    expect(error.getResponse()).toEqual({
      statusCode: 503,
      message: 'Service Unavailable',
      error: 'Service Unavailable',
      code: 'SHED',
    });
  });

  it('has no stack trace, and does not affect the stack traces of other errors', () => {
    const limit = Error.stackTraceLimit;
    expect(new ShedError().stack).not.toMatch(/\n\s+at /);
    expect(Error.stackTraceLimit).toBe(limit);
    expect(new Error('other').stack).toMatch(/\n\s+at /);
  });

  describe('whatever happened to Error.stackTraceLimit', () => {
    const original = Object.getOwnPropertyDescriptor(Error, 'stackTraceLimit')!;
    const boom = (): never => {
      throw new Error('guarded');
    };

    afterEach(() => {
      Object.defineProperty(Error, 'stackTraceLimit', original);
    });

    it.each<[string, PropertyDescriptor]>([
      ['read-only', { value: 10, writable: false }],
      ['an accessor that throws', { get: boom, set: boom }],
      ['a getter without a setter', { get: () => 10 }],
      ['a getter whose setter throws', { get: () => 10, set: boom }],
      ['not a number', { value: 'many', writable: true }],
    ])('is made: %s', (_what, descriptor) => {
      Object.defineProperty(Error, 'stackTraceLimit', { ...descriptor, configurable: true });
      const before = Object.getOwnPropertyDescriptor(Error, 'stackTraceLimit');
      expect(new ShedError()).toMatchObject({ code: 'SHED', retryAfterMs: 1_500 });
      expect(Object.getOwnPropertyDescriptor(Error, 'stackTraceLimit')).toEqual(before);
    });

    it('is made, and the limit stays deleted', () => {
      Reflect.deleteProperty(Error, 'stackTraceLimit');
      expect(new ShedError().code).toBe('SHED');
      expect('stackTraceLimit' in Error).toBe(false);
    });

    it('is made when the limit is frozen after it was read', () => {
      let writable = true;
      Object.defineProperty(Error, 'stackTraceLimit', {
        configurable: true,
        get: () => 10,
        set: () => {
          if (!writable) boom();
          writable = false;
        },
      });
      expect(new ShedError().code).toBe('SHED');
    });
  });

  it('is branded for all copies of the package', () => {
    expect(Symbol.for('nest-resilience:error') in error).toBe(true);
  });

  it('carries a cause when there is one', () => {
    const cause = new Error('the reason');
    expect(new ShedError({ cause }).cause).toBe(cause);
    expect(error.cause).toBeUndefined();
  });
});

describe('isResilienceError', () => {
  it('recognizes our errors, and their code if one is given', () => {
    expect(isResilienceError(new ShedError())).toBe(true);
    expect(isResilienceError(new ShedError(), 'SHED')).toBe(true);
    expect(isResilienceError(new ShedError(), 'TIMEOUT')).toBe(false);
  });

  it.each([
    ['an error', new Error('x')],
    ['one with our code', Object.assign(new Error('x'), { code: 'SHED' })],
    ['an HttpException', new HttpException('x', 503)],
    ['null', null],
    ['undefined', undefined],
    ['a string', 'SHED'],
  ])('rejects %s', (_what, other) => {
    expect(isResilienceError(other)).toBe(false);
    expect(isResilienceError(other, 'SHED')).toBe(false);
  });

  it('recognizes the errors of another copy of the package', () => {
    jest.isolateModules(() => {
      const copy = jest.requireActual<typeof Errors>('./errors.js');
      class ForeignError extends copy.ResilienceError {
        constructor() {
          super({ code: 'X', policy: 'p', policyName: 'n', status: 503, title: 't', message: 'm' });
        }
      }
      expect(new ForeignError()).not.toBeInstanceOf(ResilienceError);
      expect(isResilienceError(new ForeignError(), 'X')).toBe(true);
    });
  });
});

describe('ResilienceConfigurationError', () => {
  it('lists every problem on a line of its own', () => {
    const error = new ResilienceConfigurationError(['A.a @Retry: bad', 'B.b @Timeout: worse']);
    expect(error.problems).toHaveLength(2);
    expect(error.name).toBe('ResilienceConfigurationError');
    expect(error.message.split('\n')).toEqual([
      'nest-resilience found 2 problems in the configuration:',
      '  - A.a @Retry: bad',
      '  - B.b @Timeout: worse',
    ]);
  });

  it('counts a single problem in the singular', () => {
    expect(new ResilienceConfigurationError(['x']).message).toContain('found 1 problem in');
  });
});
