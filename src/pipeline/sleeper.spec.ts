import { AsyncLocalStorage } from 'node:async_hooks';
import { ManualClock } from '../testing/index.js';
import { TestCall } from '../../test/support/test-call.js';
import { Sleeper } from './sleeper.js';

function setUp(): { clock: ManualClock; sleeper: Sleeper; call: TestCall; rested: jest.Mock } {
  const clock = new ManualClock();
  return {
    clock,
    sleeper: new Sleeper(clock),
    call: new TestCall(undefined, { clock }),
    rested: jest.fn(),
  };
}

describe('Sleeper', () => {
  it('wakes a call when its time has passed', async () => {
    const { clock, sleeper, call, rested } = setUp();
    void sleeper.sleep(100, call).then(rested);
    await clock.advance(99);
    expect(rested).not.toHaveBeenCalled();
    expect(sleeper.size).toBe(1);
    await clock.advance(1);
    expect(rested).toHaveBeenCalledWith(true);
    expect(sleeper.size).toBe(0);
    expect(call.stoppable).toBeUndefined();
  });

  it('keeps no timer for a call that is interrupted', async () => {
    const { clock, sleeper, call, rested } = setUp();
    void sleeper.sleep(100, call).then(rested);
    call.abort(new Error('gone'));
    expect(clock.pending).toBe(0);
    expect(sleeper.size).toBe(0);
    await clock.advance(1_000);
    expect(rested).not.toHaveBeenCalledWith(true);
  });

  it('wakes all when it closes, tells them so, and keeps no timer', async () => {
    const { clock, sleeper, call, rested } = setUp();
    void sleeper.sleep(100, call).then(rested);
    void sleeper.sleep(200, new TestCall(undefined, { clock })).then(rested);
    sleeper.close();
    await clock.advance(0);
    expect(rested.mock.calls).toEqual([[false], [false]]);
    expect(clock.pending).toBe(0);
  });

  it('does not sleep once it is closed', async () => {
    const { clock, sleeper, call } = setUp();
    sleeper.close();
    await expect(sleeper.sleep(100, call)).resolves.toBe(false);
    expect(clock.pending).toBe(0);
    expect(sleeper.size).toBe(0);
  });

  it('wakes 10,000 when it closes, each once', async () => {
    const { clock, sleeper, rested } = setUp();
    for (let i = 0; i < 10_000; i++) {
      void sleeper.sleep(100 + i, new TestCall(undefined, { clock })).then(rested);
    }
    sleeper.close();
    await clock.advance(0);
    expect(rested).toHaveBeenCalledTimes(10_000);
    expect(clock.pending).toBe(0);
    expect(sleeper.size).toBe(0);
  });

  it('sets its timers outside of the calls', async () => {
    const { clock, sleeper, call } = setUp();
    const user = new AsyncLocalStorage<string>();
    let context: string | undefined = 'not called';
    const setTimer = clock.setTimer.bind(clock);
    clock.setTimer = (callback, ms) => {
      context = user.getStore();
      return setTimer(callback, ms);
    };
    void user.run('alice', () => sleeper.sleep(100, call));
    expect(context).toBeUndefined();
    sleeper.close();
  });
});
