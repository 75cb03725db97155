import { parseDuration } from './duration.js';

describe('parseDuration', () => {
  it.each([
    [0, 0],
    [250, 250],
    [1.5, 1.5],
    [Infinity, Infinity],
    ['500ms', 500],
    ['2s', 2_000],
    ['1.5m', 90_000],
    ['1h', 3_600_000],
    ['0s', 0],
    ['0.25s', 250],
  ])('reads %p as %p ms', (given, ms) => {
    expect(parseDuration(given)).toBe(ms);
  });

  it.each([
    ['a negative number', -1],
    ['NaN', NaN],
    ['a string without a unit', '500'],
    ['an unknown unit', '2d'],
    ['a unit in capitals', '2S'],
    ['a negative string', '-2s'],
    ['a space inside', '2 s'],
    ['text around it', 'in 2s'],
    ['text after it', '2s!'],
    ['an exponent', '1e3ms'],
    ['a dot without a digit', '1.s'],
    ['an empty string', ''],
    ['null', null],
    ['undefined', undefined],
    ['an object', {}],
    ['a bigint', 5n],
  ])('refuses %s', (_what, given) => {
    expect(parseDuration(given)).toBeUndefined();
  });
});
