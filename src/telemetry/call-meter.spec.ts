import { CallMeters, type CallMeter } from './call-meter.js';

const call = {
  name: 'Books.list',
  attempts: 2,
  outcome: 'success',
  source: 'live',
  durationMs: 5,
} as const;

const meter = () => ({ succeeded: jest.fn(), ended: jest.fn() });

describe('the meters of an application', () => {
  it('are all called, until they are removed', () => {
    const meters = new CallMeters(() => {});
    const [one, other] = [meter(), meter()];
    expect(meters.any).toBe(false);
    const removals = [meters.add(one), meters.add(other)];
    meters.succeeded('Books.list', 3);
    removals[0]!();
    meters.ended(call, true);
    expect([one.succeeded.mock.calls, one.ended.mock.calls]).toEqual([[['Books.list', 3]], []]);
    expect(other.succeeded.mock.calls).toEqual([['Books.list', 3]]);
    expect(other.ended.mock.calls).toEqual([[call, true]]);
    expect(meters.any).toBe(true);
    removals[1]!();
    expect(meters.any).toBe(false);
  });

  it('may throw, which is reported and has no effect, even if the report throws', () => {
    const bug = new Error('a bug');
    const errors: [unknown, CallMeter][] = [];
    const meters = new CallMeters((...error) => {
      errors.push(error);
      throw new Error('another one');
    });
    const [broken, sound] = [meter(), meter()];
    for (const method of [broken.succeeded, broken.ended]) {
      method.mockImplementation(() => {
        throw bug;
      });
    }
    meters.add(broken);
    meters.add(sound);
    meters.succeeded('Books.list', 3);
    meters.ended(call, false);
    expect(errors).toEqual([
      [bug, broken],
      [bug, broken],
    ]);
    expect(sound.succeeded).toHaveBeenCalledTimes(1);
    expect(sound.ended).toHaveBeenCalledTimes(1);
  });
});
