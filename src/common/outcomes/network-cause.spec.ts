import { hasNetworkCause } from './network-cause.js';

const reset = { code: 'ECONNRESET' };

/** An error around others, and the last of them around `innermost`. */
const deep = (levels: number, innermost: unknown): unknown =>
  levels === 0 ? innermost : { cause: deep(levels - 1, innermost) };

describe('a network error among the causes', () => {
  it.each<[string, unknown]>([
    ['the cause itself', { cause: reset }],
    ['a cause of a cause', deep(3, reset)],
    ['one of its errors', { cause: { errors: [new Error('x'), reset] } }],
    ['a cause of one of its errors', { cause: { errors: [{ cause: reset }] } }],
    [
      'one beside an error of wrong use',
      { cause: { errors: [reset, { code: 'ERR_INVALID_URL' }] } },
    ],
    ['behind a value that is not an object', { cause: { errors: [reset, null, 'x', undefined] } }],
    ['the fiftieth', deep(50, reset)],
    ['the fiftieth, beside others', { cause: { errors: [null], cause: deep(48, reset) } }],
  ])('is found: %s', (_where, error) => {
    expect(hasNetworkCause(error)).toBe(true);
  });

  it.each<[string, unknown]>([
    ['the error itself', reset],
    ['an error without a cause', new Error('x')],
    ['errors that are not causes', { errors: [reset] }],
    ['a code that is not of the network', { cause: { code: 'E_MINE' } }],
    ['behind wrong use', { cause: { code: 'ERR_INVALID_URL', cause: reset } }],
    ['the fifty-first', deep(51, reset)],
    ['a function', { cause: Object.assign(() => {}, reset) }],
  ])('is not found: %s', (_where, error) => {
    expect(hasNetworkCause(error)).toBe(false);
  });

  it('is searched for once in a repeated cause', () => {
    const looks: string[] = [];
    const seen = (name: string, more: object): object =>
      Object.defineProperty(more, 'code', { get: () => void looks.push(name) });
    const twice = seen('twice', {});
    const once = (): boolean =>
      hasNetworkCause({ cause: { errors: Array.from({ length: 5 }, () => twice) } });
    expect(once()).toBe(false);
    const perLook = looks.length;
    looks.length = 0;
    expect(hasNetworkCause({ cause: seen('single', {}) })).toBe(false);
    expect(looks).toHaveLength(perLook);
  });
});
