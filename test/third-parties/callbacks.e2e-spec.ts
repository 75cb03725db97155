import { CircuitOpenError, constant } from '../../src/index.js';
import { systemClock } from '../../src/common/clock.js';
import { boot, closeAll } from '../support/boot.js';
import { hostProcess } from '../support/process.js';
import { settle } from '../support/wait.js';

const breaker = { circuitBreaker: { consecutiveFailures: 1 } } as const;

type Callback = (error: unknown, row?: string) => void;

/** A client whose methods take callbacks in all known ways. */
class Store {
  readonly calls: string[] = [];

  /** A promise, or a callback. */
  query(text: string): Promise<string>;
  query(text: string, done: Callback): void;
  query(text: string, done?: Callback): Promise<string> | void {
    this.calls.push(text);
    if (done === undefined) return Promise.resolve(text);
    done(undefined, text);
  }

  /** A promise, and a callback. */
  command(text: string, done?: Callback): Promise<string> {
    this.calls.push(text);
    const failed = Promise.reject<string>(new Error('down'));
    failed.catch((error: unknown) => done?.(error));
    return failed;
  }

  /** A promise, for a function that is not a callback. */
  transaction(work: () => Promise<string>): Promise<string> {
    this.calls.push('begin');
    return work();
  }

  async session(work: () => Promise<string>): Promise<string> {
    this.calls.push('session');
    return work();
  }
}

afterEach(closeAll);

describe('a protected method that is given a function as its last argument', () => {
  it('is called if it takes it for a callback, whatever the state of the circuit', async () => {
    const { service, registry } = await boot();
    const store = new Store();
    const p = service.protect(store, { name: 'store', methods: { query: breaker } });
    await p.query('first');
    registry.get('store.query').forceOpen();
    await expect(p.query('second')).rejects.toBeInstanceOf(CircuitOpenError);
    const done = jest.fn();
    expect(p.query('third', done)).toBeUndefined();
    expect(p.query('fourth', done)).toBeUndefined();
    expect(done.mock.calls).toEqual([
      [undefined, 'third'],
      [undefined, 'fourth'],
    ]);
    await expect(p.query('fifth')).rejects.toBeInstanceOf(CircuitOpenError);
    expect(store.calls).toEqual(['first', 'third', 'fourth']);
    expect(registry.get('store.query').counts).toMatchObject({ successes: 1, failures: 0 });
  });

  it('is subject to its policies, once it has given a promise for one', async () => {
    const { service } = await boot();
    const store = new Store();
    const p = service.protect(store, { name: 'store', methods: { transaction: breaker } });
    expect(await p.transaction(async () => 'done')).toBe('done');
    await expect(p.transaction(async () => Promise.reject(new Error('down')))).rejects.toThrow();
    const work = jest.fn();
    await expect(p.transaction(work)).rejects.toBeInstanceOf(CircuitOpenError);
    expect(work).not.toHaveBeenCalled();
    expect(store.calls).toEqual(['begin', 'begin']);
  });

  it('is retried when it gives a promise', async () => {
    const { service } = await boot({ resilience: { clock: systemClock } });
    const retry = { maxRetries: 2, backoff: constant(0) };
    const p = service.protect(new Store(), { name: 'store', methods: { transaction: { retry } } });
    const work = jest.fn(async () => 'done');
    work.mockRejectedValueOnce(new Error('down')).mockRejectedValueOnce(new Error('down'));
    expect(await p.transaction(work)).toBe('done');
    expect(work).toHaveBeenCalledTimes(3);
  });

  it('is subject to its policies from its first call on if it is async', async () => {
    const { service, registry } = await boot();
    const store = new Store();
    const p = service.protect(store, { name: 'store', '*': breaker });
    registry.get('store').forceOpen();
    await expect(p.session(async () => 'done')).rejects.toBeInstanceOf(CircuitOpenError);
    expect(store.calls).toEqual([]);
  });

  it('never ends the process by an unhandled promise', async () => {
    const unhandled = jest.fn();
    hostProcess.on('unhandledRejection', unhandled);
    try {
      const { service } = await boot();
      const store = new Store();
      const p = service.protect(store, { name: 'store', methods: { command: breaker } });
      const done = jest.fn();
      void p.command('fails', done);
      await settle();
      void p.command('is turned away', done);
      await settle();
      expect(store.calls).toEqual(['fails']);
      expect(done.mock.calls).toEqual([[new Error('down')]]);
      expect(unhandled).not.toHaveBeenCalled();
    } finally {
      hostProcess.off('unhandledRejection', unhandled);
    }
  });
});
