import { FRAGILE, Harness } from '../../../test/support/breaker.js';
import type { Permit } from './permit.js';

describe('listeners', () => {
  const change = {
    type: 'state-change',
    name: 'storagesvc',
    from: 'closed',
    to: 'open',
    reason: 'consecutive-failures',
    counts: {
      requests: 3,
      successes: 1,
      failures: 1,
      ignored: 0,
      slow: 0,
      consecutiveSuccesses: 0,
      consecutiveFailures: 1,
    },
  };

  it('receive a change with the counts of the window, and see the new state', () => {
    const states: unknown[] = [];
    const onStateChange = jest.fn(
      () => void states.push(harness.breaker.state, harness.isRejecting),
    );
    const harness = new Harness({ ...FRAGILE, onStateChange });
    const listener = jest.fn();
    harness.breaker.onStateChange(listener);
    harness.admit();
    harness.succeed();
    harness.fail();
    expect(harness.of('state-change')).toEqual([change]);
    expect(onStateChange.mock.calls).toEqual([[change]]);
    expect(listener.mock.calls).toEqual([[change]]);
    expect(states).toEqual(['open', true]);
  });

  it('may use the breaker: reset it, or take a probe', () => {
    const harness = new Harness(FRAGILE);
    const permits: (Permit | undefined)[] = [];
    harness.breaker.onStateChange(({ to }) => {
      if (to === 'half-open') permits.push(harness.breaker.tryAcquire());
    });
    harness.fail();
    harness.wait(1_000);
    expect(harness.isRejecting).toBe(true);
    expect(permits[0]?.probe).toBe(true);
    harness.breaker.onStateChange(({ to }) => {
      if (to === 'open') harness.breaker.reset();
    });
    permits[0]!.failure();
    expect(harness.breaker.state).toBe('closed');
    expect(harness.changes.slice(-2)).toEqual([
      'half-open > open: probe-failed',
      'open > closed: reset',
    ]);
  });

  it('have no effect when they throw or reject, and others are still called', async () => {
    const onStateChange = (): never => {
      throw new Error('broken');
    };
    const harness = new Harness({ ...FRAGILE, onStateChange });
    const last = jest.fn();
    harness.events.subscribe(() => {
      throw new Error('broken subscriber');
    });
    const rejecting = (): unknown => Promise.reject(new Error('broken promise'));
    harness.breaker.onStateChange(rejecting);
    harness.breaker.onStateChange(last);
    harness.fail();
    expect(harness.breaker.state).toBe('open');
    expect(last).toHaveBeenCalledTimes(1);
    await new Promise(setImmediate);
    expect(harness.warnings).toEqual([
      'circuit "storagesvc": a state listener threw Error: broken',
      'circuit "storagesvc": a state listener threw Error: broken promise',
    ]);
  });

  it('are not called after they have unsubscribed', () => {
    const harness = new Harness(FRAGILE);
    const listener = jest.fn();
    harness.breaker.onStateChange(listener)();
    harness.fail();
    expect(listener).not.toHaveBeenCalled();
  });
});
