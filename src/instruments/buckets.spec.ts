import { Buckets } from './buckets.js';

const recorded = (...values: number[]): Buckets => {
  const buckets = new Buckets({ name: 'books' }, [0.1, 1, 10]);
  for (const value of values) buckets.record(value);
  return buckets;
};

describe('the buckets of a histogram', () => {
  it('hold the values up to their bounds, and the last one all above', () => {
    expect(recorded(0, 0.1, 0.11, 1, 10, 10.1, 1_000).counts).toEqual([2, 2, 1, 2]);
    expect([0, 0.1, 0.11, 11].map((value) => recorded().record(value))).toEqual([0, 0, 1, 3]);
  });

  it('have sum, minimum and maximum', () => {
    expect(recorded(2, 0.5, 3)).toMatchObject({ sum: 5.5, min: 0.5, max: 3 });
    expect(recorded()).toMatchObject({ sum: 0, min: Infinity, max: -Infinity });
  });

  it('are copied and added without a trace in the others', () => {
    const one = recorded(0.05, 2);
    const sum = one.copy();
    sum.add(recorded(20));
    expect(sum).toEqual(recorded(0.05, 2, 20));
    expect(one).toEqual(recorded(0.05, 2));
    sum.add(recorded());
    expect(sum).toEqual(recorded(0.05, 2, 20));
  });

  it('start over', () => {
    const buckets = recorded(0.05, 2);
    buckets.reset();
    expect(buckets).toEqual(recorded());
  });
});
