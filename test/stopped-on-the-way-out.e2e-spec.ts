import {
  type CommandHandle,
  type ResilienceEventKind,
  ResilienceEvents,
  constant,
  staleIfError,
} from '../src/index.js';
import { closeAll } from './support/boot.js';
import { type Policies, bootService, cached, commandOf, down, wrong } from './support/commands.js';
import { outcome } from './support/wait.js';

const reason = new Error('no longer wanted');

afterEach(closeAll);

/** A command with these policies, whose only call `stop` cancels. */
async function underWay(
  policies: (stop: () => void) => Policies,
  on?: ResilienceEventKind,
): Promise<{ stopped: boolean[]; begin: (work: () => unknown) => Begun }> {
  const { app, clock, service } = await bootService({ logger: false }, cached());
  const stopped: boolean[] = [];
  let call: CommandHandle<unknown> | undefined;
  const stop = (): void => void (call && stopped.push(call.cancel(reason)));
  if (on !== undefined) app.get(ResilienceEvents).on(on, stop);
  const command = commandOf(service, policies(stop));
  const begin = (work: () => unknown): Begun => {
    call = command.queue(work);
    return { call, timers: () => clock.pending, snapshot: () => command.snapshot() };
  };
  return { stopped, begin };
}

interface Begun {
  readonly call: CommandHandle<unknown>;
  readonly timers: () => number;
  readonly snapshot: () => unknown;
}

describe('a call that is cancelled when its attempt has ended', () => {
  it.each<[by: string, (stop: () => void) => Policies, on: ResilienceEventKind | undefined]>([
    ['a listener of retries', () => ({ retry: { backoff: constant('1m') } }), 'retry'],
    [
      'the backoff',
      (stop) => ({
        retry: {
          backoff: () => {
            stop();
            return 60_000;
          },
        },
      }),
      undefined,
    ],
    [
      'the key of a stale answer',
      (stop) => ({
        fallback: staleIfError({
          ttl: '1h',
          key: () => {
            stop();
            return 'k';
          },
        }),
      }),
      undefined,
    ],
  ])('leaves no timer: by %s', async (_by, policies, on) => {
    const { begin, stopped } = await underWay(policies, on);
    const { call, timers } = begin(down);
    expect(await outcome(call.result)).toEqual({ error: reason });
    expect(stopped).toEqual([true]);
    expect(timers()).toBe(0);
  });

  it.each<[by: string, work: () => unknown, Policies, on: ResilienceEventKind]>([
    [
      'a change of the circuit',
      down,
      { circuitBreaker: { consecutiveFailures: 1 }, retry: { backoff: constant(1) } },
      'state-change',
    ],
    [
      'a change of the circuit, in spite of a fallback',
      down,
      { circuitBreaker: { consecutiveFailures: 1 }, fallback: () => 'spare' },
      'state-change',
    ],
    ['the last retry', down, { retry: { maxRetries: 0 } }, 'retries-exhausted'],
    ['an answer in its place', down, { fallback: () => 'spare' }, 'fallback'],
  ])('ends with the reason: by %s', async (_by, work, policies, on) => {
    const { begin, stopped } = await underWay(() => policies, on);
    const { call, snapshot } = begin(work);
    expect(await outcome(call.result)).toEqual({ error: reason });
    expect(stopped).toEqual([true]);
    expect(call.state).toBe('cancelled');
    expect(snapshot()).toMatchObject({ metrics: { counts: { ignored: 1, success: 0 } } });
  });

  it('ends with the reason, though it has a result: by a rule of its breaker', async () => {
    const { begin } = await underWay((stop) => ({
      circuitBreaker: { readyToTrip: wrong(stop) },
    }));
    const { call } = begin(() => 'result');
    expect(await outcome(call.result)).toEqual({ error: reason });
    expect(call.state).toBe('cancelled');
  });
});

it('gives back what it holds, though its result can no longer be inspected', async () => {
  const { begin } = await underWay(() => ({ bulkhead: 1, circuitBreaker: {} }));
  const { proxy, revoke } = Proxy.revocable({}, {});
  const { call, snapshot } = begin(() => proxy);
  revoke();
  call.cancel(reason);
  expect(await outcome(call.result)).toEqual({ error: reason });
  expect(snapshot()).toMatchObject({ bulkhead: { running: 0 }, circuitBreaker: { running: 0 } });
});

it.each(['aborted', 'addEventListener', 'removeEventListener'])(
  'ends with its result, once, though its signal throws: %s',
  async (member) => {
    const { service } = await bootService({ logger: false });
    const command = service.command('books', {
      run: async (_context, _signal: object) => 'result',
    });
    const reads = { left: 1 };
    const signal = {
      aborted: false,
      addEventListener: () => {},
      removeEventListener: () => {},
    };
    const value: unknown = Object.entries(signal).find(([name]) => name === member)![1];
    Object.defineProperty(signal, member, {
      get: () => {
        if (reads.left-- > 0) return value; // when it is recognized as a signal
        throw new Error('do not look');
      },
    });
    await expect(command.execute(signal)).resolves.toBe('result');
    expect(command.snapshot().metrics).toMatchObject({
      counts: { success: 1 },
      concurrency: { now: 0 },
    });
  },
);
