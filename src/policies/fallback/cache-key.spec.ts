import { assert, constantFrom, property, string, tuple } from 'fast-check';
import { cacheKey, type Holder } from './cache-key.js';

const holders: readonly Holder[] = ['method', 'static', 'command', 'pipeline'];

describe('the key in the cache', () => {
  it('identifies the owner of the result', () => {
    expect(cacheKey('method', 'Books.find', { args: '"sea",1' })).toBe(
      'nest-resilience:Books.find:["sea",1]',
    );
    expect(cacheKey('command', 'books', { own: 'anna' })).toBe(
      'nest-resilience:command:books:anna',
    );
  });

  it.each<[string, string[]]>([
    [
      'a command and a key that end alike',
      [
        cacheKey('command', 'user', { own: 'admin:1' }),
        cacheKey('command', 'user:admin', { own: '1' }),
      ],
    ],
    [
      'a command with the name of a method, a static method or a pipeline',
      holders.map((holder) => cacheKey(holder, 'Books.find', { own: '1' })),
    ],
    [
      'a command with the name of another kind',
      [
        cacheKey('command', 'static:Books.find', { own: '1' }),
        cacheKey('static', 'Books.find', { own: '1' }),
      ],
    ],
    [
      'a key that looks like arguments',
      [cacheKey('command', 'c', { args: '1' }), cacheKey('command', 'c', { own: '[1]' })],
    ],
    [
      'characters that are equal in UTF-8',
      ['\ud800', '\udc00', '\ufffd', '%d800'].map((own) => cacheKey('command', 'c', { own })),
    ],
    [
      'long keys, and a key that looks like a hash',
      ['a', 'b']
        .map((end) => cacheKey('command', 'c', { own: 'x'.repeat(500) + end }))
        .flatMap((key) => [key, cacheKey('command', 'c', { own: key.slice(26) })]),
    ],
    [
      'long keys with characters that are equal in UTF-8',
      ['\ud800', '\udc00'].map((end) => cacheKey('command', 'c', { own: 'x'.repeat(500) + end })),
    ],
  ])('differs for %s', (_what, keys) => {
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('is printable ASCII of bounded length', () => {
    for (const text of ['x'.repeat(10_000), 'ä'.repeat(1_000), '\u0000\n\u001b[31m', ' ']) {
      const key = cacheKey('method', `${text}.m`, { own: text });
      expect(key).toMatch(/^[!-~]+$/);
      expect(key.length).toBeLessThan(280);
    }
  });

  it('differs whenever a part of it differs', () => {
    const piece = string({ unit: constantFrom('a', ':', '.', '#', '%', '[', '0', '\ud800', 'é') });
    const origin = tuple(constantFrom(...holders), piece, constantFrom('own', 'args'), piece);
    const keyOf = ([holder, name, kind, text]: [Holder, string, string, string]): string =>
      cacheKey(
        holder,
        holder === 'method' || holder === 'static' ? `C.${name}` : name,
        kind === 'own' ? { own: text } : { args: text },
      );
    assert(
      property(origin, origin, (one, other) => {
        expect(keyOf(one) === keyOf(other)).toBe(JSON.stringify(one) === JSON.stringify(other));
      }),
      { numRuns: 5_000 },
    );
  });
});
