import { ConflictException, Injectable, NotFoundException } from '@nestjs/common';
import {
  Bulkhead,
  CircuitBreaker,
  Fallback,
  Retry,
  constant,
  isFailure,
  isResilienceError,
  fallbackValue,
} from '../../src/index.js';
import type { ManualClock } from '../../src/testing/index.js';
import { boot, closeAll } from '../support/boot.js';
import { errorOf } from './support.js';

afterEach(closeAll);

class DeadlockError extends Error {}

/** Advances the clock until `work` has ended. */
async function ended<T>(clock: ManualClock, work: Promise<T>): Promise<T> {
  let running = true;
  const over = work.finally(() => (running = false));
  over.catch(() => {});
  while (running) await clock.advance(1);
  return over;
}

/** Whether `work` ends with that error itself, uninspected on the way. */
const endsWith = (work: Promise<unknown>, error: unknown): Promise<boolean> =>
  work.then(
    () => false,
    (thrown) => thrown === error,
  );

const notFound = (): Promise<never> => Promise.reject(new NotFoundException());
const down = (): Promise<never> => Promise.reject(new Error('down'));
const abort = new DOMException('aborted', 'AbortError');

@Injectable()
class Books {
  attempts = 0;

  @CircuitBreaker({ name: 'plain', consecutiveFailures: 1, openFor: '5s' })
  async guarded(work: () => Promise<unknown>): Promise<unknown> {
    return work();
  }

  @CircuitBreaker({ name: 'default' })
  async rated(work: () => Promise<unknown>): Promise<unknown> {
    return work();
  }

  @Retry({ maxRetries: 2, backoff: constant(0) })
  async retried(work: () => Promise<unknown>): Promise<unknown> {
    this.attempts += 1;
    return work();
  }

  @Fallback(fallbackValue('spare'))
  async answered(work: () => Promise<unknown>): Promise<unknown> {
    return work();
  }

  @Fallback(fallbackValue('spare'))
  @Retry({ maxRetries: 1, backoff: constant(0) })
  @CircuitBreaker({ name: 'all', minimumCalls: 100 })
  @Bulkhead({ maxConcurrent: 1, maxQueue: 0 })
  async everything(work: () => Promise<unknown>): Promise<unknown> {
    return work();
  }

  @Retry({ maxRetries: 2, backoff: constant(0), ignore: [DeadlockError] })
  @CircuitBreaker({ name: 'ignoring', consecutiveFailures: 1, ignore: [DeadlockError] })
  @Fallback(fallbackValue('spare'), { ignore: [DeadlockError] })
  async ignoring(): Promise<unknown> {
    this.attempts += 1;
    throw new DeadlockError();
  }

  @Retry({ maxRetries: 2, backoff: constant(0), skip: [DeadlockError] })
  @CircuitBreaker({ name: 'skipping', consecutiveFailures: 1, skip: [DeadlockError] })
  @Fallback(fallbackValue('spare'), { skip: [DeadlockError] })
  async skipping(): Promise<unknown> {
    this.attempts += 1;
    throw new DeadlockError();
  }

  @Fallback(fallbackValue('spare'), { on: [ConflictException] })
  @CircuitBreaker({ name: 'narrow', consecutiveFailures: 1, on: [ConflictException] })
  async narrow(work: () => Promise<unknown>): Promise<unknown> {
    return work();
  }

  @Fallback(fallbackValue('spare'), { on: [isFailure, isResilienceError, ConflictException] })
  @CircuitBreaker({ name: 'wide', consecutiveFailures: 2, on: [isFailure, ConflictException] })
  async wide(work: () => Promise<unknown>): Promise<unknown> {
    return work();
  }
}

describe('an error that is an answer', () => {
  it('closes a half-open circuit: at 100 calls per second, with the first', async () => {
    const { app, registry, clock } = await boot({ providers: [Books] });
    const books = app.get(Books);
    await errorOf(() => books.guarded(down));
    expect(registry.get('plain').state).toBe('open');
    await clock.advance(5_000);
    const errors: unknown[] = [];
    for (let call = 0; call < 100; call++) {
      errors.push(await errorOf(() => books.guarded(notFound)));
      await clock.advance(10);
    }
    expect(errors.filter((error) => isResilienceError(error))).toEqual([]);
    expect(registry.get('plain')).toMatchObject({ state: 'closed', counts: { failures: 0 } });
  });

  it('is in the denominator: 98 % of 404s and 2 % of failures do not open the circuit', async () => {
    const { app, registry } = await boot({ providers: [Books] });
    const books = app.get(Books);
    for (let call = 0; call < 1_000; call++) {
      await errorOf(() => books.rated(call % 50 === 0 ? down : notFound));
    }
    expect(registry.get('default')).toMatchObject({
      state: 'closed',
      counts: { requests: 1_000, successes: 980, failures: 20, ignored: 0 },
    });
  });

  it.each([
    ['skipping', { successes: 1, ignored: 0 }],
    ['ignoring', { successes: 0, ignored: 1 }],
  ] as const)(
    'or says nothing about the dependency is neither retried nor answered: %s',
    async (method, counts) => {
      const { app, registry } = await boot({ providers: [Books] });
      const books = app.get(Books);
      await expect(books[method]()).rejects.toThrow(DeadlockError);
      expect(books.attempts).toBe(1);
      expect(registry.get(method)).toMatchObject({ state: 'closed', counts });
    },
  );

  it('counts as a success in the metrics, and needs no fallback', async () => {
    const { app, registry } = await boot({ providers: [Books] });
    await errorOf(() => app.get(Books).guarded(notFound));
    expect(registry.get('plain').snapshot().metrics.counts).toMatchObject({
      success: 1,
      ignored: 0,
      fallback: { missing: 0 },
    });
  });
});

describe('on', () => {
  it('narrows: an unlisted error is an answer, also for the fallback', async () => {
    const { app, registry } = await boot({ providers: [Books] });
    const books = app.get(Books);
    await expect(books.narrow(down)).rejects.toThrow('down');
    expect(registry.get('narrow')).toMatchObject({ state: 'closed', counts: { successes: 1 } });
    const conflict = (): Promise<never> => Promise.reject(new ConflictException());
    await expect(books.narrow(conflict)).resolves.toBe('spare');
    expect(registry.get('narrow').state).toBe('open');
    // Not even an open circuit is answered.
    expect(isResilienceError(await errorOf(() => books.narrow(down)), 'CIRCUIT_OPEN')).toBe(true);
  });

  it('adds to the default when isFailure is in the list', async () => {
    const { app, registry } = await boot({ providers: [Books] });
    const books = app.get(Books);
    await expect(books.wide(down)).resolves.toBe('spare');
    await expect(books.wide(() => Promise.reject(new ConflictException()))).resolves.toBe('spare');
    expect(registry.get('wide').state).toBe('open');
    await expect(books.wide(notFound)).resolves.toBe('spare'); // the open circuit
  });
});

describe('an abort that no caller asked for', () => {
  it.each([
    ['AbortError', abort],
    ['CanceledError', Object.assign(new Error('canceled'), { name: 'CanceledError' })],
  ])('is the client’s own timeout, and a failure: %s', async (_name, error) => {
    const { app, registry, clock } = await boot({ providers: [Books] });
    const books = app.get(Books);
    const aborted = (): Promise<never> => Promise.reject(error);
    await expect(ended(clock, books.retried(aborted))).rejects.toBe(error);
    expect(books.attempts).toBe(3);
    await expect(books.answered(aborted)).resolves.toBe('spare');
    for (let call = 0; call < 20; call++) await errorOf(() => books.rated(aborted));
    expect(registry.get('default').state).toBe('open');
  });
});

describe('an invalid URL', () => {
  it('is not retried, and opens no circuit', async () => {
    const { app, registry } = await boot({ providers: [Books] });
    const books = app.get(Books);
    const wrong = (): Promise<unknown> => fetch('not a url');
    await expect(books.retried(wrong)).rejects.toMatchObject({ name: 'TypeError' });
    expect(books.attempts).toBe(1);
    await errorOf(() => books.guarded(wrong));
    expect(registry.get('plain').state).toBe('closed');
  });
});

describe('an unreadable error', () => {
  const boom = (): never => {
    throw new Error('looked at');
  };
  const getter = (key: string): Error =>
    Object.defineProperty(new Error('x'), key, { get: boom, configurable: true });
  const revoked = Proxy.revocable(new Error('x'), {});
  revoked.revoke();
  const everyTrap = Object.fromEntries(Object.getOwnPropertyNames(Reflect).map((k) => [k, boom]));

  const hostile: Readonly<Record<string, unknown>> = {
    'a getter status': getter('status'),
    'a getter name': getter('name'),
    'a getter response': getter('response'),
    'a getter code': getter('code'),
    'a getter headers': getter('headers'),
    'getStatus()': Object.assign(new Error('x'), { getStatus: boom }),
    'headers.get()': Object.assign(new Error('x'), { response: { headers: { get: boom } } }),
    'a revoked proxy': revoked.proxy,
    'a proxy all of whose traps throw': new Proxy(new Error('x'), everyTrap),
  };

  it.each(Object.keys(hostile))(
    'reaches the caller, is counted and keeps no place: %s',
    async (name) => {
      const { app, registry, clock } = await boot({ providers: [Books] });
      const books = app.get(Books);
      const error = hostile[name];
      const failing = (): Promise<never> => Promise.reject(error);
      await expect(ended(clock, books.everything(failing))).resolves.toBe('spare');
      expect(registry.get('all').snapshot()).toMatchObject({ running: 0, counts: { failures: 2 } });
      await expect(books.everything(async () => 'up')).resolves.toBe('up'); // the one place is free
      expect(await endsWith(ended(clock, books.retried(failing)), error)).toBe(true);
      expect(await endsWith(registry.get('plain').execute(failing), error)).toBe(true);
      expect(registry.get('plain').state).toBe('open');
    },
  );

  it('is passed on as a fallback’s own error too', async () => {
    const { app } = await boot({ providers: [Books, Spare] });
    for (const error of Object.values(hostile)) {
      expect(await endsWith(app.get(Spare).failing(error), error)).toBe(true);
    }
  });
});

@Injectable()
class Spare {
  @Fallback((_context: unknown, error: unknown) => {
    throw error;
  })
  async failing(_error: unknown): Promise<never> {
    throw new Error('down');
  }
}
