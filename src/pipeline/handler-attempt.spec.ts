import { TestCall } from '../../test/support/test-call.js';
import { deferred, settle } from '../../test/support/wait.js';
import { HandlerAttempt } from './handler-attempt.js';

const method = (): void => {};
const self = {};

describe('an attempt of a handler', () => {
  it('is claimed by its method, once', () => {
    const attempt = new HandlerAttempt(new TestCall(), method, undefined);
    expect(attempt.claims(() => {})).toBe(false);
    expect(attempt.claims(method)).toBe(true);
    expect(attempt.run((...args) => args, self, [1, 2])).toEqual([1, 2]);
    expect(attempt.claims(method)).toBe(false);
  });

  it('may be claimed again when its work has failed, and not when that has succeeded', async () => {
    for (const fails of [true, false]) {
      const work = deferred<unknown>();
      const attempt = new HandlerAttempt(new TestCall(), method, undefined);
      const result = attempt.run(() => work.promise, self, []) as Promise<unknown>;
      result.catch(() => {});
      if (fails) work.reject(new Error('down'));
      else work.resolve('books');
      await settle();
      expect(attempt.claims(method)).toBe(fails);
    }
  });

  it('knows whether its method has been called', () => {
    const attempt = new HandlerAttempt(new TestCall(), method, undefined);
    expect(attempt.reached).toBe(false);
    const fail = (): never => {
      throw new Error('down');
    };
    expect(() => attempt.run(fail, self, [])).toThrow('down');
    expect(attempt.reached).toBe(true);
  });

  it('runs the substitute in the place of the method, with the same this and arguments', () => {
    const substitute = jest.fn(() => 'instead');
    const attempt = new HandlerAttempt(new TestCall(), method, substitute);
    const original = jest.fn();
    expect(attempt.run(original, self, [1, 2])).toBe('instead');
    expect(substitute.mock.calls).toEqual([[self, [1, 2]]]);
    expect(original).not.toHaveBeenCalled();
  });

  it('has a signal until it has ended', () => {
    const call = new TestCall();
    const attempt = new HandlerAttempt(call, method, undefined);
    expect(attempt.signal).toBe(call.signal);
    attempt.end();
    expect(attempt.signal).toBeUndefined();
    expect(attempt.claims(method)).toBe(false);
  });

  it('does not run what is reached after it was given up, also when it has ended', () => {
    const [first, second] = [new Error('slow'), new Error('gone')];
    const attempt = new HandlerAttempt(new TestCall(), method, () => 'instead');
    attempt.giveUp(first);
    attempt.giveUp(second);
    attempt.end();
    expect(attempt.signal).toBeUndefined();
    expect(attempt.claims(method)).toBe(true);
    const original = jest.fn();
    expect(() => attempt.run(original, self, [])).toThrow(first);
    expect(original).not.toHaveBeenCalled();
  });

  it('does not run a substitute after its end', () => {
    const substitute = jest.fn();
    const attempt = new HandlerAttempt(new TestCall(), method, substitute);
    attempt.end();
    expect(attempt.run(() => 'bare', self, [])).toBe('bare');
    expect(substitute).not.toHaveBeenCalled();
  });
});
