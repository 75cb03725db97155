import { AsyncLocalStorage } from 'node:async_hooks';
import { hostProcess } from '../../test/support/process.js';
import type { FallbackEvent, ResilienceEvent } from './events.js';
import { notify } from './notify.js';
import { ResilienceEvents } from './resilience-events.js';

const event: ResilienceEvent = { type: 'override', name: 'x', override: undefined };

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('ResilienceEvents', () => {
  it('calls every listener synchronously, until it unsubscribes', () => {
    const events = new ResilienceEvents();
    const [first, second] = [jest.fn(), jest.fn()];
    expect(events.active('override')).toBe(false);
    const end = events.subscribe(first);
    events.subscribe(second);
    expect(events.active('override')).toBe(true);
    events.emit(event);
    end();
    end();
    events.emit(event);
    expect(first.mock.calls).toEqual([[event]]);
    expect(second.mock.calls).toEqual([[event], [event]]);
  });

  it('calls a listener once per subscription, each until its own end', () => {
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

  it('includes only the name and message of an error in JSON', () => {
    const events = new ResilienceEvents();
    const lines: string[] = [];
    events.subscribe((each) => void lines.push(JSON.stringify(each)));
    const failed = (error: unknown): ResilienceEvent => ({
      type: 'fallback',
      name: 'Books.list',
      callId: 1,
      handler: 'shelf',
      outcome: 'failure',
      error,
    });
    const headers = { authorization: 'classified' };
    const request = Object.assign(new TypeError('down', { cause: headers }), {
      headers,
      toJSON: () => ({ headers }),
    });
    const hostile = Object.defineProperty({}, 'message', {
      get: () => {
        throw new Error('no');
      },
    });
    for (const error of [request, { headers }, hostile, 'down', undefined]) {
      events.emit(failed(error));
    }
    events.emit(Object.freeze(failed('frozen')));
    const { error: _, ...shown } = failed(undefined) as FallbackEvent;
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      { ...shown, error: { name: 'TypeError', message: 'down' } },
      { ...shown, error: { name: 'Error' } },
      { ...shown, error: { name: 'Error' } },
      { ...shown, error: 'down' },
      shown,
      { ...shown, error: 'frozen' },
    ]);
  });

  it('gives listeners the error itself', () => {
    const events = new ResilienceEvents();
    const error = new Error('down');
    const failed = { type: 'cache-error', name: 'Books.list', operation: 'read', error } as const;
    const seen: ResilienceEvent[] = [];
    events.subscribe((each) => void seen.push(each));
    events.emit(failed);
    expect(seen).toEqual([failed]);
    expect((seen[0] as typeof failed).error).toBe(error);
    expect(Object.keys(seen[0]!)).not.toContain('toJSON');
  });

  it('is not active without listeners', () => {
    const events = new ResilienceEvents();
    events.subscribe(() => {})();
    expect(events.active('override')).toBe(false);
  });

  it('contains errors and rejections of listeners', async () => {
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

  it('goes on when the error handler throws too', async () => {
    const unhandled = jest.fn();
    hostProcess.on('unhandledRejection', unhandled);
    const last = jest.fn();
    const events = new ResilienceEvents(() => {
      throw new Error('so does the logger');
    });
    events.subscribe(() => {
      throw new Error('now');
    });
    events.subscribe(() => Promise.reject(new Error('later')) as unknown as void);
    events.subscribe(last);
    events.emit(event);
    await settled();
    hostProcess.off('unhandledRejection', unhandled);
    expect(last).toHaveBeenCalledTimes(1);
    expect(unhandled).not.toHaveBeenCalled();
  });

  it('gives all listeners the same order, also of events that one of them causes', () => {
    const events = new ResilienceEvents();
    const heard: string[][] = [[], []];
    events.subscribe(({ name }) => {
      heard[0]!.push(name);
      if (name.length < 3) events.emit({ ...event, name: `${name}x` });
    });
    events.subscribe(({ name }) => void heard[1]!.push(name));
    events.emit(event);
    expect(heard).toEqual([
      ['x', 'xx', 'xxx'],
      ['x', 'xx', 'xxx'],
    ]);
  });

  it('emits events that a listener causes in their own async context', () => {
    const user = new AsyncLocalStorage<string>();
    const events = new ResilienceEvents();
    const heard: unknown[] = [];
    events.subscribe(({ name }) => {
      if (name === 'x') user.run('anna', () => events.emit({ ...event, name: 'caused' }));
      else heard.push(user.getStore());
    });
    user.run('bob', () => events.emit(event));
    expect(heard).toEqual(['anna']);
  });

  it('stops a listener that answers events with events, and goes on', () => {
    const errors: unknown[] = [];
    const events = new ResilienceEvents((error) => void errors.push(error));
    const heard = jest.fn();
    events.subscribe(() => events.emit(event));
    events.subscribe(heard);
    events.emit(event);
    expect(heard.mock.calls.length).toBeLessThan(2_000);
    expect(errors).toEqual([
      expect.objectContaining({ message: expect.stringMatching('left out') }),
    ]);
    heard.mockClear();
    events.emit(event);
    expect(heard).toHaveBeenCalled();
  });

  it('gives new listeners later events only, and former ones no more', () => {
    const events = new ResilienceEvents();
    const [late, gone] = [jest.fn(), jest.fn()];
    const once = events.subscribe(() => {
      once();
      leave();
      events.subscribe(late);
    });
    const leave = events.subscribe(gone);
    events.emit(event);
    expect(late).not.toHaveBeenCalled();
    expect(gone).not.toHaveBeenCalled();
    events.emit(event);
    expect(late).toHaveBeenCalledTimes(1);
  });

  it('needs no error handler', () => {
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
