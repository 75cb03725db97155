import { fallbackValue } from '../policies/fallback/handler.js';
import { errorText, plain } from './plain.js';

describe('a value of the configuration, shown', () => {
  class Client {}
  it.each<[string, unknown, unknown]>([
    ['a number', 5, 5],
    ['no limit', Infinity, 'Infinity'],
    ['a text', '2s', '2s'],
    ['a function', () => 1, 'function'],
    ['a class', Client, 'function'],
    ['an instance', new Client(), '[Client]'],
    ['nothing', undefined, null],
    ['a list', [1, () => 1], [1, 'function']],
    ['an object', { a: { b: 1 }, c: undefined }, { a: { b: 1 } }],
    ['the answer of a fallback', fallbackValue({ user: 'anna' }), '[value]'],
    ['a URL with a password', 'redis://u:p@host/0', 'redis://[secret]@host/0'],
    [
      'a secret',
      { password: 'x', apiKey: 5, token: { a: 1 } },
      { password: '[secret]', apiKey: '[secret]', token: '[secret]' },
    ],
    ['a big number', 5n, '5'],
    ['a symbol', Symbol('x'), '[symbol]'],
    ['a date', new Date(0), '1970-01-01T00:00:00.000Z'],
  ])('is safe: %s', (_, value, shown) => {
    expect(JSON.parse(JSON.stringify(plain(value)))).toEqual(shown);
  });

  it('hides a secret before it cuts a long text', () => {
    const before = 'x'.repeat(495);
    for (const long of [`${before}//anna:classified@host`, `${before}?a=b&token=classified`]) {
      const shown = plain(long);
      expect(shown).toHaveLength(500);
      expect(shown).not.toMatch(/anna|cl/);
    }
    for (let length = 470; length < 500; length++) {
      expect(plain(`${'x'.repeat(length)}//anna:classified@host`)).not.toMatch(/anna|classified/);
    }
  });

  it('never throws, and is never endless', () => {
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    expect(JSON.stringify(plain(circle)).length).toBeLessThan(200);
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    expect(plain(proxy)).toBe('[unreadable]');
    const trap = {
      get a(): never {
        throw new Error('no');
      },
      b: 1,
    };
    expect(plain(trap)).toEqual({ b: 1 });
    expect((plain('x'.repeat(10_000)) as string).length).toBe(500);
  });

  it('has names that every object has as names like any other', () => {
    const value = JSON.parse('{"__proto__":{"y":1}}') as object;
    expect(JSON.stringify(plain(value))).toBe('{"__proto__":{"y":1}}');
  });
});

describe('an error, shown', () => {
  it('is its name and message alone', () => {
    const error = Object.assign(new TypeError('no'), { response: { body: 'secret' } });
    expect(errorText(error)).toBe('TypeError: no');
    expect(errorText('text')).toBe('text');
    expect(errorText(undefined)).toBe('a thrown undefined');
    expect(errorText({ message: { toString: () => 'x' } })).toBe('Error');
  });
});
