import { printable, show } from './printable.js';

describe('printable', () => {
  it.each([
    ['plain text', 'storagesvc[eu-1.example:8080]', 'storagesvc[eu-1.example:8080]'],
    ['letters of any language', 'Bücher, книги, 本 📚', 'Bücher, книги, 本 📚'],
    ['line breaks', 'a\r\nb\tc', 'a\\r\\nb\\tc'],
    ['escape sequences', '\u001b[31mred\u009b0m', '\\u001b[31mred\\u009b0m'],
    [
      'separators and directions',
      '\u2028\u2029\u202e\u2066\ufeff',
      '\\u2028\\u2029\\u202e\\u2066\\ufeff',
    ],
    ['half characters', 'a\ud83d', 'a\\ud83d'],
    ['nothing', '', ''],
  ])('shows %s', (_what, text, shown) => {
    expect(printable(text)).toBe(shown);
    expect(printable(text)).toBe(shown);
  });

  it('cuts long text', () => {
    expect(printable('x'.repeat(200))).toBe('x'.repeat(200));
    expect(printable('x'.repeat(201))).toBe(`${'x'.repeat(199)}…`);
    expect(printable('x'.repeat(20), 10)).toBe(`${'x'.repeat(9)}…`);
    expect(printable(`${'x'.repeat(198)}📚📚`)).toBe(`${'x'.repeat(198)}…`);
  });
});

describe('show', () => {
  it('keeps values short and on one line', () => {
    expect(show('x'.repeat(1_000)).length).toBeLessThan(120);
    expect(show({ a: { b: { c: 1 } }, d: [1, 2] })).not.toContain('\n');
  });

  it('escapes text from outside, whatever it is in', () => {
    expect(show(['\u202e', new Error('\u2066')])).not.toMatch(/[\u202e\u2066]/);
  });

  it('names functions', () => {
    expect(show(function list() {})).toBe('function list');
    expect(show(() => {})).toBe('a function');
  });

  it('does not throw, whatever the value is', () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    const error = new Error('x');
    Object.defineProperty(error, 'message', {
      get: () => {
        throw new Error('do not look');
      },
    });
    for (const value of [
      proxy,
      error,
      {
        [Symbol.for('nodejs.util.inspect.custom')]: () => {
          throw error;
        },
      },
    ]) {
      expect(typeof show(value)).toBe('string');
    }
    expect(show(error)).toBe('something that cannot be shown');
    expect(show(new Error('a\nb'))).toBe('Error: a\\nb');
    expect(show(Promise.resolve())).toBe('a promise');
  });
});
