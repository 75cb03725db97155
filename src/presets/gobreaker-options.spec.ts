import { gobreaker } from './gobreaker.js';

describe('the options that gobreaker() makes', () => {
  it('never clear the counts without an interval, whatever defaults say', () => {
    for (const interval of [undefined, 0, -1]) {
      expect(gobreaker({ interval })).toMatchObject({ resetInterval: Infinity });
    }
  });

  it('accept durations as numbers, and 0 as the default', () => {
    expect(gobreaker({ interval: 10_000, timeout: 5_000 })).toMatchObject({
      resetInterval: 10_000,
      openFor: 5_000,
    });
    expect(gobreaker({ timeout: 0 })).toMatchObject({ openFor: '60s' });
    expect(gobreaker({ interval: '10s', bucketPeriod: 0 })).toMatchObject({ resetInterval: '10s' });
  });

  it('have a rolling window from two buckets on', () => {
    expect(gobreaker({ interval: 2_000, bucketPeriod: 1_000 }).window).toEqual({
      duration: 2_000,
      buckets: 2,
      countAt: 'start',
    });
    expect(gobreaker({ interval: 1_000, bucketPeriod: 1_000 })).toMatchObject({
      resetInterval: 1_000,
    });
  });

  it('pass on a value that is not a duration, so that it is reported', () => {
    const wrong = 'soon' as never;
    expect(gobreaker({ interval: wrong, bucketPeriod: '1s' })).toMatchObject({
      resetInterval: wrong,
    });
    expect(gobreaker({ interval: '10s', bucketPeriod: wrong }).window).toEqual({
      duration: '10s',
      buckets: wrong,
    });
  });

  it('call isSuccessful for results too', () => {
    const { classify } = gobreaker({ isSuccessful: () => false });
    expect(classify!(undefined, 'books')).toBe('failure');
    expect(gobreaker().classify!(undefined, 'books')).toBe('success');
    expect(gobreaker().classify!(new Error('down'), undefined)).toBe('failure');
  });
});
