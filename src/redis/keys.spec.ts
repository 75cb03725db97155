import { Keys } from './keys.js';

describe('keys', () => {
  const keys = new Keys('resilience:');

  it('have the name as their hash tag, so that all of one name are in one slot', () => {
    expect(keys.allOfCircuit('BooksClient.get')).toEqual([
      'resilience:{BooksClient.get}:circuit',
      'resilience:{BooksClient.get}:leases',
      'resilience:{BooksClient.get}:votes',
    ]);
  });

  it.each([
    ['a{b}c', 'a%7Bb%7Dc'],
    ['{', '%7B'],
    ['', '%-'],
    ['a b\n\0', 'a%20b%0A%00'],
    ['100%', '100%25'],
    ['Ümläut 日本', 'Ümläut%20日本'],
  ])('escape characters that names cannot have: %j', (name, escaped) => {
    expect(keys.limit(name)).toBe(`resilience:{${escaped}}:limit`);
  });

  it('differ where names differ in what UTF-8 cannot express', () => {
    const ends = [
      '\ud800',
      '\ud801',
      '\udc00',
      '\ufffd',
      '\ud800\ud800',
      '\u{1f4da}',
      '%uD800',
      '',
    ];
    for (const beginning of ['', 'x'.repeat(300)]) {
      const made = ends.map((end) => Buffer.from(keys.limit(beginning + end)).toString());
      expect(new Set(made).size).toBe(ends.length);
    }
    expect(keys.limit('a\ud800')).toBe('resilience:{a%uD800}:limit');
    expect(keys.limit('\u{1f4da}')).toBe('resilience:{\u{1f4da}}:limit');
  });

  it('are of a limited length, and differ where the names do', () => {
    const names = ['x'.repeat(200), 'x'.repeat(201), 'x'.repeat(202), '{'.repeat(5_000)];
    const made = names.map((name) => keys.limit(name));
    expect(new Set(made).size).toBe(names.length);
    for (const key of made) expect(key.length).toBeLessThan(360);
    expect(made[0]).toContain(names[0]!);
  });

  it('are different for all names, whatever they look like', () => {
    const long = keys.limit('x'.repeat(300));
    const tag = /\{(.*)\}/.exec(long)![1]!;
    const names = ['%-', '', '%7B', '{', '%25', '%', tag, 'fleet'];
    expect(new Set([long, ...names.map((name) => keys.limit(name))]).size).toBe(names.length + 1);
  });
});
