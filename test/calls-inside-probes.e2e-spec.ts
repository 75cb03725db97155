import { Injectable } from '@nestjs/common';
import { Observable, firstValueFrom } from 'rxjs';
import { CircuitBreaker, Retry } from '../src/index.js';
import { type Booted, boot, closeAll } from './support/boot.js';
import { bootService } from './support/commands.js';
import { deferred, outcome, settle } from './support/wait.js';

afterEach(closeAll);

const API = {
  name: 'api',
  consecutiveFailures: 1,
  openFor: '1s',
  halfOpen: { maxDuration: '10s' },
} as const;

/** The dependency's behaviour, and how often it was called. */
class Dependency {
  asked = 0;
  answer: () => unknown = () => 'ok';

  async ask(): Promise<unknown> {
    this.asked += 1;
    return this.answer();
  }
}

@Injectable()
class Inner {
  constructor(readonly dependency: Dependency) {}

  @CircuitBreaker(API)
  async one(_id?: number): Promise<unknown> {
    return this.dependency.ask();
  }

  @CircuitBreaker({ name: 'other', consecutiveFailures: 1, openFor: '1s' })
  async other(): Promise<unknown> {
    return this.dependency.ask();
  }

  @CircuitBreaker('api')
  @Retry({ maxRetries: 2, backoff: () => 10 })
  async stubborn(): Promise<unknown> {
    return this.dependency.ask();
  }

  @CircuitBreaker('api')
  async deeper(): Promise<unknown> {
    return this.one();
  }

  @CircuitBreaker('api')
  stream(): Observable<unknown> {
    return new Observable((subscriber) => {
      void this.one().then((value) => {
        subscriber.next(value);
        void this.later.promise.then(async () => {
          subscriber.next(await outcome(this.one()));
          subscriber.complete();
        });
      });
    });
  }

  readonly later = deferred();
}

@Injectable()
class Outer {
  constructor(private readonly inner: Inner) {}

  /** The work of an outer call beside its inner one. */
  wait: Promise<unknown> = Promise.resolve();
  afterwards: Promise<unknown> | undefined = undefined;

  @CircuitBreaker('api')
  async all(ids: number[] = [1]): Promise<unknown[]> {
    return Promise.all(ids.map((id) => this.inner.one(id)));
  }

  @CircuitBreaker('api')
  async call(method: 'one' | 'other' | 'stubborn' | 'deeper'): Promise<unknown> {
    return this.inner[method]();
  }

  @CircuitBreaker('api')
  async swallow(): Promise<string> {
    const { error } = await outcome(this.inner.one());
    return error === undefined ? 'fine' : 'swallowed';
  }

  /** Ends before the call that it makes. */
  @CircuitBreaker('api')
  async leave(): Promise<string> {
    this.afterwards = outcome(this.wait.then(() => this.inner.one()));
    return 'left';
  }

  /** Begins a call at once, and does not wait for it. */
  @CircuitBreaker('api')
  async hurry(): Promise<string> {
    this.afterwards = outcome(this.inner.one());
    return 'left';
  }

  @CircuitBreaker('api')
  async hang(): Promise<unknown> {
    await this.wait;
    return outcome(this.inner.one());
  }

  @CircuitBreaker({ key: (host: string) => host, ...API, name: 'keyed' })
  async keyed(host: string, then: string[] = []): Promise<unknown> {
    await this.inner.dependency.ask();
    const [next, ...rest] = then;
    return next === undefined ? host : outcome(this.keyed(next, rest));
  }
}

interface Harness extends Booted {
  readonly outer: Outer;
  readonly inner: Inner;
  readonly dependency: Dependency;
}

async function harness(): Promise<Harness> {
  const booted = await boot({ providers: [Outer, Inner, Dependency] });
  const { app } = booted;
  return {
    ...booted,
    outer: app.get(Outer),
    inner: app.get(Inner),
    dependency: app.get(Dependency),
  };
}

/** Opens the breaker and waits until it is half-open; the dependency has recovered by then. */
async function halfOpen(): Promise<Harness> {
  const made = await harness();
  const { inner, dependency, clock, registry } = made;
  dependency.answer = () => Promise.reject(new Error('down'));
  await expect(inner.one()).rejects.toThrow('down');
  expect(registry.get('api').state).toBe('open');
  await clock.advance(1_000);
  dependency.answer = () => 'ok';
  dependency.asked = 0;
  expect(registry.get('api').state).toBe('half-open');
  return made;
}

const open = expect.objectContaining({ code: 'CIRCUIT_OPEN' }) as unknown;

describe('a call of the same breaker inside a running probe', () => {
  it('travels with the probe: the circuit closes, even if only the outer method is ever called', async () => {
    const { outer, registry } = await halfOpen();
    await expect(outer.all()).resolves.toEqual(['ok']);
    expect(registry.get('api').state).toBe('closed');
  });

  it('is neither counted nor judged', async () => {
    const { outer, registry, dependency } = await halfOpen();
    dependency.answer = () => Promise.reject(new Error('down'));
    await expect(outer.swallow()).resolves.toBe('swallowed');
    const { state, metrics, stale, running } = registry.get('api').snapshot();
    expect({ state, stale, running }).toEqual({ state: 'closed', stale: 0, running: 0 });
    expect(metrics.counts).toMatchObject({ success: 1, failure: 1 }); // the one that had opened it
    expect(metrics.concurrency).toEqual({ now: 0, max: 1 });
  });

  it('takes the probe with it when the outer call fails with its error', async () => {
    const { outer, registry, dependency } = await halfOpen();
    dependency.answer = () => Promise.reject(new Error('down'));
    await expect(outer.all()).rejects.toThrow('down');
    expect(registry.get('api').state).toBe('open');
  });

  it.each(['one', 'deeper', 'stubborn'] as const)('runs: %s', async (method) => {
    const { outer, registry, dependency } = await halfOpen();
    await expect(outer.call(method)).resolves.toBe('ok');
    expect(dependency.asked).toBe(1);
    expect(registry.get('api').state).toBe('closed');
  });

  it('is retried like any other', async () => {
    const { outer, registry, dependency, clock } = await halfOpen();
    let left = 2;
    dependency.answer = () => (left-- > 0 ? Promise.reject(new Error('flaky')) : 'ok');
    const done = outer.call('stubborn');
    await clock.advance(100);
    await expect(done).resolves.toBe('ok');
    expect(dependency.asked).toBe(3);
    expect(registry.get('api').state).toBe('closed');
  });

  it('may be one of many at a time', async () => {
    const { outer, registry, dependency } = await halfOpen();
    await expect(outer.all([1, 2, 3, 4, 5])).resolves.toHaveLength(5);
    expect(dependency.asked).toBe(5);
    expect(registry.get('api').state).toBe('closed');
  });

  it('does not take the places of other probes', async () => {
    const { outer, inner, registry, dependency } = await halfOpen();
    registry.reconfigure('api', { halfOpen: { maxCalls: 2 } });
    const gate = deferred<string>();
    dependency.answer = () => gate.promise;
    const first = outer.all([1, 2, 3]);
    const second = outcome(inner.one());
    expect(registry.get('api').snapshot()).toMatchObject({ running: 2, counts: { requests: 2 } });
    expect(await outcome(inner.one())).toEqual({ error: open });
    gate.resolve('ok');
    await expect(first).resolves.toHaveLength(3);
    await expect(second).resolves.toEqual({ value: 'ok' });
    expect(registry.get('api').state).toBe('closed');
  });

  it('is a call like any other when the probe has ended', async () => {
    const { outer, registry, dependency } = await halfOpen();
    const gate = deferred();
    outer.wait = gate.promise;
    await expect(outer.leave()).resolves.toBe('left');
    expect(registry.get('api').state).toBe('closed');
    registry.get('api').tryAcquire()!.failure();
    expect(registry.get('api').state).toBe('open');
    gate.resolve();
    expect(await outer.afterwards).toEqual({ error: open });
    expect(dependency.asked).toBe(0);
  });

  it('has no effect when it ends after the probe', async () => {
    const { outer, registry, dependency } = await halfOpen();
    const gate = deferred<never>();
    dependency.answer = () => gate.promise;
    await expect(outer.hurry()).resolves.toBe('left');
    expect(registry.get('api').snapshot()).toMatchObject({ state: 'closed', running: 0 });
    gate.reject(new Error('down'));
    await expect(outer.afterwards).resolves.toEqual({ error: new Error('down') });
    expect(registry.get('api').snapshot()).toMatchObject({
      state: 'closed',
      running: 0,
      counts: { requests: 0, failures: 0 },
    });
  });

  it('is rejected when the probe hangs beyond its lease', async () => {
    const { outer, registry, clock } = await halfOpen();
    const gate = deferred();
    outer.wait = gate.promise;
    const hung = outer.hang();
    await clock.advance(10_000);
    gate.resolve();
    await expect(hung).resolves.toEqual({ error: open });
    expect(registry.get('api').state).toBe('open');
  });

  it('is rejected when another probe has opened the circuit, or an operator has', async () => {
    const { outer, inner, registry, dependency, clock } = await halfOpen();
    registry.reconfigure('api', { halfOpen: { maxCalls: 2 } });
    const gate = deferred();
    outer.wait = gate.promise;
    const first = outer.hang();
    dependency.answer = () => Promise.reject(new Error('down'));
    await outcome(inner.one());
    expect(registry.get('api').state).toBe('open');
    gate.resolve();
    await expect(first).resolves.toEqual({ error: open });

    await clock.advance(2_000);
    const second = deferred();
    outer.wait = second.promise;
    const forced = outer.hang();
    registry.get('api').forceOpen();
    second.resolve();
    await expect(forced).resolves.toEqual({ error: open });
  });

  it('is a probe of its own when it is of another breaker', async () => {
    const { outer, inner, registry, dependency, clock } = await halfOpen();
    dependency.answer = () => Promise.reject(new Error('down'));
    await outcome(inner.other());
    await outcome(outer.all());
    await clock.advance(1_000);
    dependency.answer = () => 'ok';
    await expect(outer.call('other')).resolves.toBe('ok');
    expect(registry.get('other').state).toBe('closed');
    expect(registry.get('api').state).toBe('closed');
  });

  it('is distinguished by its key', async () => {
    const { outer, registry, dependency, clock } = await harness();
    dependency.answer = () => Promise.reject(new Error('down'));
    for (const host of ['a', 'b']) await outcome(outer.keyed(host));
    await clock.advance(1_000);
    dependency.answer = () => 'ok';
    await expect(outer.keyed('a', ['a'])).resolves.toEqual({ value: 'a' });
    expect(registry.get('keyed[a]').state).toBe('closed');
    expect(registry.get('keyed[b]').state).toBe('half-open');
    await expect(outer.keyed('a', ['b', 'b'])).resolves.toEqual({ value: { value: 'b' } });
    expect(registry.get('keyed[b]').state).toBe('closed');
  });

  it('is not affected by ordinary calls around it', async () => {
    const { outer, registry, inner, dependency } = await harness();
    const gate = deferred();
    outer.wait = gate.promise;
    const ordinary = outer.hang();
    dependency.answer = () => Promise.reject(new Error('down'));
    await outcome(inner.one());
    gate.resolve();
    await expect(ordinary).resolves.toEqual({ error: open });
    expect(registry.get('api').snapshot().rejected).toBe(1);
  });

  it('travels up to the first item of a stream, and is on its own after it', async () => {
    const { inner, registry } = await halfOpen();
    const items: unknown[] = [];
    const done = new Promise<void>((complete) =>
      inner.stream().subscribe({ next: (item) => items.push(item), complete }),
    );
    await settle();
    expect(items).toEqual(['ok']);
    expect(registry.get('api').state).toBe('closed');
    registry.get('api').tryAcquire()!.failure();
    inner.later.resolve();
    await done;
    expect(items[1]).toEqual({ error: open });
  });

  it('travels with a probe made by execute(), and with that of a command', async () => {
    const { inner, registry } = await halfOpen();
    const breaker = registry.get('api');
    await expect(breaker.execute(() => inner.deeper())).resolves.toBe('ok');
    expect(breaker.state).toBe('closed');

    const { service, registry: own, clock } = await bootService();
    const command = service.command('work', {
      circuitBreaker: API,
      run: async (_context, fail: boolean) => {
        if (fail) throw new Error('down');
        return own.get('api').execute(async () => own.get('api').tryAcquire() !== undefined);
      },
    });
    await outcome(command.execute(true));
    await clock.advance(1_000);
    await expect(command.execute(false)).resolves.toBe(true);
    expect(own.get('api').snapshot()).toMatchObject({ state: 'closed', running: 0 });
  });

  it('costs nothing while the circuit is closed: its work runs in the context of its caller', async () => {
    const { outer, registry } = await harness();
    await expect(outer.all([1, 2])).resolves.toHaveLength(2);
    expect(registry.get('api').counts).toMatchObject({ requests: 3, successes: 3 });
  });
});

it('a first value of a stream is enough for a probe', async () => {
  const { inner, registry } = await halfOpen();
  await expect(firstValueFrom(inner.stream())).resolves.toBe('ok');
  expect(registry.get('api').state).toBe('closed');
});
