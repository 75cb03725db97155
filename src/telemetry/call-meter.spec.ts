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

  it('get failures as events if they want them', () => {
    const meters = new CallMeters(() => {});
    const failure = { ...call, type: 'call-end', callId: 1, outcome: 'failure' } as const;
    meters.add(meter());
    expect(meters.wantFailures).toBe(false);
    const wants = { ...meter(), failed: jest.fn() };
    const remove = meters.add(wants);
    expect(meters.wantFailures).toBe(true);
    meters.failed(failure);
    expect(wants.failed.mock.calls).toEqual([[failure]]);
    remove();
    expect(meters.wantFailures).toBe(false);
  });

  it('may throw, which is reported and has no effect, even if the report throws', () => {
    const bug = new Error('a bug');
    const errors: [unknown, CallMeter][] = [];
    const meters = new CallMeters((...error) => {
      errors.push(error);
      throw new Error('another one');
    });
    const meterOfFailures = () => ({ ...meter(), failed: jest.fn() });
    const [broken, sound] = [meterOfFailures(), meterOfFailures()];
    for (const method of [broken.succeeded, broken.ended, broken.failed]) {
      method.mockImplementation(() => {
        throw bug;
      });
    }
    meters.add(broken);
    meters.add(sound);
    meters.succeeded('Books.list', 3);
    meters.ended(call, false);
    meters.failed({ ...call, type: 'call-end', callId: 1, outcome: 'failure' });
    expect(errors).toEqual([
      [bug, broken],
      [bug, broken],
      [bug, broken],
    ]);
    for (const { mock } of [sound.succeeded, sound.ended, sound.failed]) {
      expect(mock.calls).toHaveLength(1);
    }
  });
});
