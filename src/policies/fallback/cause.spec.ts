import { runInNewContext } from 'node:vm';
import { withCause } from './cause.js';

const causeOf = (error: unknown): unknown => (error as Error).cause;

/** The errors from one on, as far as they are reached by their causes. */
function chainOf(error: unknown): unknown[] {
  const chain: unknown[] = [];
  for (let each = error; each !== undefined && chain.length < 20; each = causeOf(each)) {
    chain.push(each);
  }
  return chain;
}

describe('the error of a fallback that fails', () => {
  it('has the original as its non-enumerable cause', () => {
    const original = new Error('original');
    const thrown = new Error('thrown');
    expect(withCause(thrown, original)).toBe(thrown);
    expect(causeOf(thrown)).toBe(original);
    expect(Object.keys(thrown)).toEqual([]);
  });

  it('keeps its own cause, however often it is thrown', () => {
    const own = new Error('own');
    const thrown = new Error('thrown', { cause: own });
    withCause(thrown, new Error('original'));
    withCause(thrown, new Error('next'));
    expect(causeOf(thrown)).toBe(own);
  });

  it.each<[string, (original: Error) => Error]>([
    ['the original', (original) => original],
    ['the cause of the original', (original) => causeOf(original) as Error],
    ['a cause further down', (original) => causeOf(causeOf(original)) as Error],
  ])('makes no circle when it is %s', (_what, thrownOf) => {
    const root = new Error('root');
    const original = new Error('original', { cause: new Error('between', { cause: root }) });
    const thrown = thrownOf(original);
    const before = chainOf(original);
    withCause(thrown, original);
    expect(chainOf(original)).toEqual(before);
  });

  it('is left alone when the original has causes in a circle', () => {
    const original = new Error('original');
    original.cause = original;
    const thrown = withCause(new Error('thrown'), original);
    expect(causeOf(thrown)).toBeUndefined();
  });

  it('gets the cause of the call that throws it, if it is a constant', () => {
    const constant = new Error('constant');
    const first = new Error('first');
    const second = new Error('second');
    withCause(constant, first);
    expect(causeOf(constant)).toBe(first);
    withCause(constant, second);
    expect(causeOf(constant)).toBe(second);
  });

  it('loses its former cause if it is a constant and the new one would make a circle', () => {
    const constant = new Error('constant');
    withCause(constant, new Error('first'));
    withCause(constant, constant);
    expect(causeOf(constant)).toBeUndefined();
    withCause(constant, new Error('second'));
    withCause(constant, new Error('around', { cause: constant }));
    expect(causeOf(constant)).toBeUndefined();
  });

  it('keeps a cause that other code has set meanwhile', () => {
    const thrown = new Error('thrown');
    const theirs = new Error('theirs');
    withCause(thrown, new Error('first'));
    thrown.cause = theirs;
    withCause(thrown, new Error('second'));
    expect(causeOf(thrown)).toBe(theirs);
  });

  it.each<[string, unknown]>([
    ['frozen', Object.freeze(new Error('frozen'))],
    ['sealed', Object.seal(new Error('sealed'))],
    ['not an error', 'text'],
    ['nothing', undefined],
    [
      'an error with an unreadable cause',
      Object.defineProperty(new Error('hostile'), 'cause', {
        get: () => {
          throw new Error('hands off');
        },
      }),
    ],
    [
      'a revoked proxy',
      ((): unknown => {
        const { proxy, revoke } = Proxy.revocable(new Error('revoked'), {});
        revoke();
        return proxy;
      })(),
    ],
  ])('is passed on unchanged when it is %s', (_what, thrown) => {
    expect(withCause(thrown, new Error('original')) === thrown).toBe(true);
  });

  it('is passed on unchanged when the causes of the original are unreadable', () => {
    const original = Object.defineProperty(new Error('original'), 'cause', {
      get: () => {
        throw new Error('hands off');
      },
    });
    const thrown = withCause(new Error('thrown'), original);
    expect(causeOf(thrown)).toBeUndefined();
  });

  it('may be of another realm', () => {
    const thrown: unknown = runInNewContext(`new Error('elsewhere')`);
    const original = new Error('original');
    withCause(thrown, original);
    expect(causeOf(thrown)).toBe(original);
  });
});
