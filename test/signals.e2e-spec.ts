import { AsyncLocalStorage } from 'node:async_hooks';
import { Injectable } from '@nestjs/common';
import {
  CircuitBreaker,
  Retry,
  Signal,
  Timeout,
  TimeoutError,
  constant,
  isResilienceError,
} from '../src/index.js';
import { systemClock } from '../src/common/clock.js';
import { boot, closeAll, of, withAttempts } from './support/boot.js';
import { deferred, outcome, settle } from './support/wait.js';

afterEach(closeAll);

describe('@Signal()', () => {
  @Injectable()
  class S {
    readonly signals: (AbortSignal | undefined)[] = [];

    @Retry({ maxRetries: 3, backoff: constant('1s') })
    @CircuitBreaker('signalled')
    @Timeout('5s')
    async m(fail: boolean, @Signal() signal?: AbortSignal): Promise<string> {
      this.signals.push(signal);
      if (fail) throw new Error('down');
      return new Promise((_, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      });
    }
  }

  it("stops the call when the caller's own signal is aborted, with its reason", async () => {
    const { app, registry, clock } = await boot({ providers: [S] });
    const controller = new AbortController();
    const call = outcome(app.get(S).m(false, controller.signal));
    await settle();
    const reason = new Error('the user has closed the page');
    controller.abort(reason);
    expect((await call).error).toBe(reason);
    expect(app.get(S).signals[0]).toMatchObject({ aborted: true, reason });
    expect(registry.get('signalled').counts).toMatchObject({ ignored: 1, failures: 0 });
    await clock.advance(10_000);
    expect(app.get(S).signals).toHaveLength(1);
  });

  it('ends the wait for the next attempt at once', async () => {
    const { app, clock } = await boot({ providers: [S] });
    const controller = new AbortController();
    const call = outcome(app.get(S).m(true, controller.signal));
    await settle();
    const reason = new Error('gone');
    controller.abort(reason);
    expect((await call).error).toBe(reason);
    await clock.advance(10_000);
    expect(app.get(S).signals).toHaveLength(1);
  });

  it('makes no attempt if the signal was aborted before', async () => {
    const { app } = await boot({ providers: [S] });
    const reason = new Error('gone');
    const { error } = await outcome(app.get(S).m(false, AbortSignal.abort(reason)));
    expect(error).toBe(reason);
    expect(app.get(S).signals).toHaveLength(0);
  });

  it('is aborted for an async generator too, while it makes a later item', async () => {
    @Injectable()
    class Items {
      @Retry()
      async *items(@Signal() signal?: AbortSignal): AsyncGenerator<number> {
        yield 1;
        await new Promise((_, reject) => {
          signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
        });
      }
    }
    const { app } = await boot({ providers: [Items] });
    const controller = new AbortController();
    const items = app.get(Items).items(controller.signal);
    await items.next();
    const second = outcome(items.next());
    await settle();
    const reason = new Error('gone');
    controller.abort(reason);
    expect((await second).error).toBe(reason);
  });

  it.each([
    ['a manual clock', {}],
    ['the clock of the machine', { clock: systemClock }],
  ])('is aborted by a timeout in the async context of its own call (%s)', async (_, resilience) => {
    const user = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    @Injectable()
    class Slow {
      @Timeout(5)
      async m(id: string, @Signal() signal?: AbortSignal): Promise<never> {
        signal?.addEventListener('abort', () => seen.push([id, user.getStore()]));
        return new Promise(() => {});
      }
    }
    const { app, clock } = await boot({ providers: [Slow], resilience });
    const calls = ['anna', 'bob'].map((id) => user.run(id, () => outcome(app.get(Slow).m(id))));
    await user.run('whoever moves the clock', () => clock.advance(5));
    await Promise.all(calls);
    expect(seen).toEqual([
      ['anna', 'anna'],
      ['bob', 'bob'],
    ]);
  });

  it('leaves no listener on the signal of a caller', async () => {
    @Injectable()
    class Quick {
      @Timeout('1s')
      async m(@Signal() signal?: AbortSignal): Promise<boolean> {
        return signal!.aborted;
      }
    }
    const { app } = await boot({ providers: [Quick] });
    const { signal } = new AbortController();
    const added = jest.spyOn(signal, 'addEventListener');
    const removed = jest.spyOn(signal, 'removeEventListener');
    await app.get(Quick).m(signal);
    expect(added.mock.calls).toHaveLength(1);
    expect(removed.mock.calls[0]!.slice(0, 2)).toEqual(added.mock.calls[0]!.slice(0, 2));
  });

  it('is aborted by a timeout, with the TimeoutError', async () => {
    const { app, clock } = await boot({
      providers: [S],
      resilience: { overrides: { '*': { retry: { enabled: false } } } },
    });
    const call = outcome(app.get(S).m(false));
    await clock.advance(5_000);
    expect((await call).error).toBeInstanceOf(TimeoutError);
    expect(app.get(S).signals[0]!.reason).toBeInstanceOf(TimeoutError);
  });
});

it('a result or an error that comes after the timeout is dropped', async () => {
  const works = [deferred<string>(), deferred<string>()];
  @Injectable()
  class S {
    @Timeout('1s')
    async m(index: number): Promise<string> {
      return works[index]!.promise;
    }
  }
  const { app, clock } = await boot({ providers: [S] });
  const events = withAttempts(app);
  const calls = [0, 1].map((index) => outcome(app.get(S).m(index)));
  await clock.advance(1_000);
  for (const { error } of await Promise.all(calls))
    expect(isResilienceError(error, 'TIMEOUT')).toBe(true);
  works[0]!.resolve('late');
  works[1]!.reject(new Error('late'));
  await settle();
  expect(of('late', events).map(({ outcome: how }) => how)).toEqual(['success', 'failure']);
});
