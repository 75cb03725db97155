import { FRAGILE, Harness, halfOpen } from '../../../test/support/breaker.js';
import { ManualClock } from '../../testing/index.js';
import type { StateChangeEvent } from '../../telemetry/events.js';
import { ResilienceEvents } from '../../telemetry/resilience-events.js';
import { CircuitBreaker } from './circuit-breaker.js';
import { environmentOf } from './environment.js';
import { settingsOf } from '../../../test/support/breaker.js';

const shown = ({ from, to }: StateChangeEvent): string => `${from} > ${to}`;

/** An error that throws on any inspection. */
const hostile = (): unknown =>
  new Proxy(new Error('hostile'), {
    get() {
      throw new Error('do not look');
    },
    getPrototypeOf() {
      throw new Error('do not look');
    },
  });

describe('announcements', () => {
  it('come in order, even if a listener changes the state during one', () => {
    const heard: Record<string, string[]> = { first: [], configured: [], second: [], global: [] };
    const harness: Harness = new Harness({
      ...FRAGILE,
      onStateChange: (change) => heard.configured!.push(shown(change)),
    });
    harness.breaker.onStateChange((change) => {
      heard.first!.push(shown(change));
      if (change.to === 'open') harness.breaker.reset();
    });
    harness.breaker.onStateChange((change) => heard.second!.push(shown(change)));
    harness.events.subscribe((event) => {
      if (event.type === 'state-change') heard.global!.push(shown(event));
    });
    harness.fail();
    for (const each of Object.values(heard)) {
      expect(each).toEqual(['closed > open', 'open > closed']);
    }
    expect(harness.breaker.state).toBe('closed');
  });

  it.each<[string, (harness: Harness, act: () => void) => void]>([
    ['a listener of the breaker', (harness, act) => harness.breaker.onStateChange(act)],
    ['a listener of all events', (harness, act) => harness.events.subscribe(act)],
  ])('of all kinds come in order when %s causes others', (_who, listen) => {
    const harness = new Harness(FRAGILE);
    let begun = false;
    listen(harness, () => {
      if (begun) return;
      begun = true;
      harness.breaker.forceOpen();
      expect(harness.isRejecting).toBe(true);
      harness.breaker.clearOverride();
      harness.breaker.reset();
    });
    const later: string[] = [];
    harness.events.subscribe(({ type }) => void later.push(type));
    harness.fail();
    expect(later).toEqual(['state-change', 'override', 'rejected', 'override', 'state-change']);
  });

  it('keep a gauge right, whatever listeners do', () => {
    const harness = halfOpen();
    let gauge = 'half-open';
    harness.breaker.onStateChange(({ to }) => {
      if (to === 'open') harness.wait(1_000); // time passes while they are told
      harness.breaker.snapshot();
    });
    harness.breaker.onStateChange(({ to }) => (gauge = to));
    harness.admit().failure();
    expect(gauge).toBe(harness.breaker.state);
  });

  it('end, even if listeners answer each change with another one', () => {
    const harness = new Harness(FRAGILE);
    let times = 0;
    harness.breaker.onStateChange(({ to }) => {
      times += 1;
      if (to === 'closed') harness.fail();
      else harness.breaker.reset();
    });
    harness.fail();
    expect(times).toBe(1_000);
    expect(harness.warnings).toEqual([
      'circuit "storagesvc" its listeners answer each change with another one; further changes are not announced',
    ]);
    const before = times;
    harness.breaker.reset();
    expect(times).toBeGreaterThanOrEqual(before);
  });

  it('do not reach listeners that have unsubscribed meanwhile or that subscribe because of them', () => {
    const harness = new Harness(FRAGILE);
    const second = jest.fn();
    const late = jest.fn();
    let end = (): void => {};
    harness.breaker.onStateChange(() => {
      end();
      harness.breaker.onStateChange(late);
    });
    end = harness.breaker.onStateChange(second);
    harness.fail();
    expect(second).not.toHaveBeenCalled();
    expect(late).not.toHaveBeenCalled();
  });
});

describe('an error of a listener', () => {
  it('is logged at once, then once per minute with the number so far', () => {
    const harness = new Harness({
      ...FRAGILE,
      onStateChange: () => {
        throw new Error('broken');
      },
    });
    const cycle = (): void => {
      harness.fail();
      harness.breaker.reset();
    };
    for (let i = 0; i < 5_000; i++) cycle();
    expect(harness.warnings).toEqual([
      'circuit "storagesvc": a state listener threw Error: broken',
    ]);
    harness.wait(60_000);
    for (let i = 0; i < 5_000; i++) cycle();
    expect(harness.warnings.slice(1)).toEqual([
      'circuit "storagesvc": a state listener threw Error: broken (10001 times so far)',
    ]);
  });

  it('has no effect, even if any inspection of it throws, and the logger throws too', async () => {
    const clock = new ManualClock();
    const events = new ResilienceEvents(() => {
      throw new Error('no log');
    });
    const no = (): never => {
      throw new Error('no log');
    };
    const breaker = new CircuitBreaker(
      'api',
      settingsOf({
        ...FRAGILE,
        onStateChange: () => {
          throw hostile();
        },
        readyToTrip: () => {
          throw hostile();
        },
      }),
      environmentOf({ clock, random: () => 0.5, events, warn: no }),
    );
    const last = jest.fn();
    events.subscribe(no);
    breaker.onStateChange(() => Promise.reject(hostile()) as never);
    breaker.onStateChange(() => ({ then: no }) as never);
    breaker.onStateChange(last);
    const error = hostile();
    let thrown: unknown;
    try {
      await breaker.execute(() => Promise.reject(error));
    } catch (caught) {
      thrown = caught;
    }
    expect(thrown === error).toBe(true);
    expect(last).toHaveBeenCalledTimes(1);
    expect(breaker.snapshot()).toMatchObject({ state: 'open', running: 0 });
    expect(breaker.metrics.concurrency).toBe(0);
    breaker.forceOpen();
    expect(breaker.tryAcquire()).toBeUndefined();
    breaker.clearOverride();
    await clock.advance(1_000);
    await breaker.execute(() => 1);
    expect(breaker.snapshot()).toMatchObject({ state: 'closed', running: 0 });
  });
});

describe('readyToTrip', () => {
  it('may open after a slow success', () => {
    const harness = new Harness({ slowCallDuration: '1s', readyToTrip: ({ slow }) => slow >= 2 });
    for (let i = 0; i < 2; i++) harness.take(1_001, (permit) => permit.success());
    expect(harness.changes).toEqual(['closed > open: ready-to-trip']);
  });

  it('leaves the rates in force when it throws', () => {
    const harness = new Harness({
      minimumCalls: 2,
      failureRate: 0.5,
      readyToTrip: () => {
        throw new Error('broken');
      },
    });
    harness.fail(2);
    expect(harness.changes).toEqual(['closed > open: failure-rate']);
  });

  it('does not open when it gives a promise, and warns', async () => {
    const harness = new Harness({
      readyToTrip: (() => Promise.reject(new Error('late'))) as never,
    });
    harness.fail(2);
    await new Promise(setImmediate);
    expect(harness.breaker.state).toBe('closed');
    expect(harness.warnings[0]).toBe(
      'circuit "storagesvc": readyToTrip returned a promise; it must answer synchronously',
    );
  });

  it('may use the breaker that it decides about', () => {
    const harness: Harness = new Harness({
      readyToTrip: () => {
        harness.breaker.reset();
        return true;
      },
    });
    harness.fail();
    expect(harness.breaker.snapshot()).toMatchObject({ state: 'closed', running: 0 });
  });
});
