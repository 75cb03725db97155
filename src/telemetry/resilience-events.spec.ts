import type { ResilienceEvent } from './events.js';
import { ResilienceEvents, notify } from './resilience-events.js';

const event: ResilienceEvent = { type: 'override', name: 'x', override: undefined };

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('ResilienceEvents', () => {
  it('tells every listener at once, as long as it listens', () => {
    const events = new ResilienceEvents();
    const [first, second] = [jest.fn(), jest.fn()];
    expect(events.active).toBe(false);
    const end = events.subscribe(first);
    events.subscribe(second);
    expect(events.active).toBe(true);
    events.emit(event);
    end();
    end();
    events.emit(event);
    expect(first.mock.calls).toEqual([[event]]);
    expect(second.mock.calls).toEqual([[event], [event]]);
  });

  it('tells a listener as often as it has subscribed, each until its own end', () => {
    const events = new ResilienceEvents();
    const listener = jest.fn();
    events.subscribe(listener);
    const end = events.subscribe(listener);
    events.emit(event);
    expect(listener).toHaveBeenCalledTimes(2);
    end();
    end();
    events.emit(event);
    expect(listener).toHaveBeenCalledTimes(3);
  });

  it('is not active when nobody listens any more', () => {
    const events = new ResilienceEvents();
    events.subscribe(() => {})();
    expect(events.active).toBe(false);
  });

  it('keeps what listeners throw, or reject with, to itself', async () => {
    const errors: unknown[] = [];
    const events = new ResilienceEvents((error) => void errors.push(error));
    const last = jest.fn();
    const rejecting = (): unknown => Promise.reject(new Error('later'));
    events.subscribe(() => {
      throw new Error('now');
    });
    events.subscribe(rejecting);
    events.subscribe(last);
    events.emit(event);
    expect(last).toHaveBeenCalledTimes(1);
    await settled();
    expect(errors).toEqual([new Error('now'), new Error('later')]);
  });

  it('needs nobody to tell of errors', () => {
    const events = new ResilienceEvents();
    events.subscribe(() => {
      throw new Error('now');
    });
    expect(() => events.emit(event)).not.toThrow();
  });
});

describe('notify', () => {
  it('calls the listener with the value', () => {
    const listener = jest.fn();
    notify(listener, 7, () => {});
    expect(listener).toHaveBeenCalledWith(7);
  });
});
