import { STEPS, Series } from './series.js';

describe('a series', () => {
  it('has the latest quarter of an hour, the latest number last', () => {
    const series = new Series('breaker', 'a');
    for (let step = 1; step <= STEPS + 3; step++) series.push({ requests: step, p50: 0 });
    const { values, until, stepMs } = series.view(7);
    expect(values.requests).toHaveLength(180);
    expect([values.requests![0], values.requests!.at(-1)]).toEqual([4, 183]);
    expect([until, stepMs]).toEqual([7, 5_000]);
  });

  it('is silent until something happens, and when it has been long ago', () => {
    const series = new Series('breaker', 'a');
    expect(series.push({ requests: 0 })).toBeUndefined();
    expect(series.silent).toBe(true);
    expect(series.push({ requests: 0.25 })).toEqual({
      part: 'breaker',
      name: 'a',
      values: { requests: 0.25 },
    });
    for (let step = 1; step < STEPS; step++) {
      series.push({ requests: 0 });
      expect(series.silent).toBe(false);
    }
    series.push({ requests: 0 });
    expect(series.silent).toBe(true);
  });
});
