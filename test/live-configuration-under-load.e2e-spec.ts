import { Injectable } from '@nestjs/common';
import {
  Bulkhead,
  BulkheadFullError,
  BulkheadRegistry,
  CircuitBreaker,
  Fallback,
  type ResilienceEvent,
  ResilienceEvents,
  Retry,
  Timeout,
  constant,
} from '../src/index.js';
import { type Booted, boot, closeAll } from './support/boot.js';
import { type Deferred, deferred, outcome, settle } from './support/wait.js';

afterEach(closeAll);

/** The running work, in the order of its beginning. */
let work: Deferred<string>[] = [];
beforeEach(() => (work = []));

function begin(): Promise<string> {
  const one = deferred<string>();
  work.push(one);
  return one.promise;
}

@Injectable()
class Client {
  @CircuitBreaker({
    name: 'storage',
    consecutiveFailures: 2,
    openFor: '10s',
    halfOpen: { maxCalls: 1 },
  })
  async guarded(): Promise<string> {
    return begin();
  }

  @Bulkhead({ name: 'places', maxConcurrent: 2, maxQueue: 3, maxWait: '5s' })
  async placed(): Promise<string> {
    return begin();
  }

  @Retry({ maxRetries: 2, backoff: constant('1s') })
  async retried(): Promise<string> {
    return begin();
  }

  @Fallback(begin)
  async answered(): Promise<string> {
    throw new Error('down');
  }

  @Timeout({ attempt: '1s' })
  async timed(): Promise<string> {
    return begin();
  }
}

async function start(): Promise<Booted & { client: Client }> {
  const booted = await boot({ providers: [Client] });
  return { ...booted, client: booted.app.get(Client) };
}

const numbers = ({ app }: Booted): [running: number, waiting: number, rejected: number] => {
  const { running, waiting, rejected } = app.get(BulkheadRegistry).get('places').snapshot();
  return [running, waiting, rejected];
};

describe('while its circuit is open', () => {
  async function opened(): Promise<Booted & { client: Client }> {
    const booted = await start();
    const calls = [booted.client.guarded(), booted.client.guarded()].map(outcome);
    for (const one of work.splice(0)) one.reject(new Error('down'));
    await Promise.all(calls);
    return booted;
  }

  it('keeps its open time and its generation; the change applies to the next opening', async () => {
    const { client, service, registry, clock } = await opened();
    const before = registry.get('storage').snapshot();
    expect(before.state).toBe('open');
    service.configure('storage', { circuitBreaker: { openFor: '1m', window: { calls: 9 } } });
    expect(registry.get('storage').snapshot()).toMatchObject({
      state: 'open',
      generation: before.generation,
      retryAfterMs: 10_000,
    });
    await clock.advance(10_000);
    const probe = outcome(client.guarded());
    work.splice(0)[0]!.reject(new Error('still down'));
    await probe;
    expect(registry.get('storage').snapshot().retryAfterMs).toBe(60_000);
  });

  it('lets a running probe decide, and admits as many more as the patch allows', async () => {
    const { client, service, registry, clock } = await opened();
    await clock.advance(10_000);
    const probe = client.guarded();
    await expect(client.guarded()).rejects.toMatchObject({ code: 'CIRCUIT_OPEN' });
    service.configure('storage', {
      circuitBreaker: { halfOpen: { maxCalls: 3, successThreshold: 2 }, window: '1m' },
    });
    const another = client.guarded();
    expect(registry.get('storage').snapshot()).toMatchObject({ state: 'half-open', running: 2 });
    for (const one of work.splice(0)) one.resolve('up');
    await expect(Promise.all([probe, another])).resolves.toEqual(['up', 'up']);
    expect(registry.get('storage').snapshot()).toMatchObject({ state: 'closed', stale: 0 });
  });

  it('keeps an override of an operator', async () => {
    const { service, registry } = await opened();
    registry.get('storage').forceOpen({ by: 'anna', reason: 'migration' });
    service.configure('storage', { circuitBreaker: { window: { calls: 3 } } });
    expect(registry.get('storage').override).toMatchObject({ kind: 'forced-open', by: 'anna' });
  });

  it('counts the outcome of a call that began while the policy was still on', async () => {
    const { client, service, registry } = await start();
    const calls = [client.guarded(), client.guarded()].map(outcome);
    service.configure('*', { circuitBreaker: { enabled: false } });
    const bare = outcome(client.guarded());
    for (const one of work.splice(0)) one.reject(new Error('down'));
    await Promise.all([...calls, bare]);
    expect(registry.get('storage').snapshot()).toMatchObject({ state: 'open', running: 0 });
    expect(registry.get('storage').counts.requests).toBe(0);
  });
});

describe('while its bulkhead is full and has a queue', () => {
  async function full(): Promise<Booted & { client: Client; calls: Promise<unknown>[] }> {
    const booted = await start();
    const calls = Array.from({ length: 5 }, () => outcome(booted.client.placed()));
    expect(numbers(booted)).toEqual([2, 3, 0]);
    return { ...booted, calls };
  }

  it('gives new places to waiting calls at once, in their order', async () => {
    const booted = await full();
    booted.service.configure('places', { bulkhead: { maxConcurrent: 4 } });
    expect(numbers(booted)).toEqual([4, 1, 0]);
    await settle();
    expect(work).toHaveLength(4);
    for (const one of work) one.resolve('done');
    await settle();
    work.at(-1)!.resolve('done');
    await expect(Promise.all(booted.calls)).resolves.toEqual(Array(5).fill({ value: 'done' }));
    expect(numbers(booted)).toEqual([0, 0, 0]);
  });

  it('lets running calls finish when there are fewer places, and admits none before there is room', async () => {
    const booted = await full();
    booted.service.configure('places', { bulkhead: { maxConcurrent: 1, maxQueue: 1 } });
    expect(numbers(booted)).toEqual([2, 3, 0]); // a shorter queue keeps who is in it
    await expect(booted.client.placed()).rejects.toThrow(BulkheadFullError);
    work[0]!.resolve('done');
    await settle();
    expect(numbers(booted)).toEqual([1, 3, 1]);
    for (let index = 1; index < 5; index++) {
      expect(work).toHaveLength(index === 1 ? 2 : index + 1);
      work[index]!.resolve('done');
      await settle();
    }
    await expect(Promise.all(booted.calls)).resolves.toEqual(Array(5).fill({ value: 'done' }));
    expect(numbers(booted)).toEqual([0, 0, 1]);
    const alone = booted.client.placed();
    const next = booted.client.placed();
    await settle();
    expect(numbers(booted)).toEqual([1, 1, 1]);
    for (const one of work) one.resolve('done');
    await settle();
    work.at(-1)!.resolve('done');
    await Promise.all([alone, next]);
  });

  it('keeps the limit of waiting calls; later ones wait as the patch says', async () => {
    const booted = await full();
    await booted.clock.advance(1_000);
    booted.service.configure('places', { bulkhead: { maxWait: '1s', maxQueue: 4 } });
    const late = outcome(booted.client.placed());
    await booted.clock.advance(1_000);
    await expect(late).resolves.toMatchObject({ error: { reason: 'max-wait' } });
    expect(numbers(booted)).toEqual([2, 3, 1]);
    await booted.clock.advance(3_000);
    expect(numbers(booted)).toEqual([2, 0, 4]);
    for (const one of work) one.resolve('done');
    await Promise.all(booted.calls);
    await booted.app.close();
    expect(booted.clock.pending).toBe(0);
  });

  it('keeps the places of calls that began before the policy was switched off', async () => {
    const booted = await full();
    booted.service.configure('Client', { bulkhead: { enabled: false } });
    const bare = outcome(booted.client.placed());
    expect(numbers(booted)).toEqual([2, 3, 0]);
    booted.service.configure('Client', { bulkhead: { enabled: true } });
    for (let turn = 0; turn < 3; turn++) {
      for (const one of work) one.resolve('done');
      await settle();
    }
    await expect(Promise.all([...booted.calls, bare])).resolves.toHaveLength(6);
    expect(numbers(booted)).toEqual([0, 0, 0]);
  });

  it('can be changed again by a listener of an event about a place', async () => {
    const booted = await full();
    const heard: ResilienceEvent[] = [];
    const events = booted.app.get(ResilienceEvents);
    events.subscribe((event) => {
      if (event.type !== 'queued' || heard.push(event) > 1) return;
      booted.service.configure('places', { bulkhead: { maxConcurrent: 3 } });
    });
    booted.service.configure('places', { bulkhead: { maxConcurrent: 5 } });
    expect(numbers(booted)).toEqual([3, 2, 0]);
    for (let turn = 0; turn < 3; turn++) {
      for (const one of work) one.resolve('done');
      await settle();
    }
    await Promise.all(booted.calls);
    expect(numbers(booted)).toEqual([0, 0, 0]);
  });
});

describe('while calls wait to be retried', () => {
  it('lets them end under the plan that they began with; later calls use the new one', async () => {
    const { client, service, clock } = await start();
    const waiting = outcome(client.retried());
    work[0]!.reject(new Error('first'));
    await settle();
    service.configure('Client.retried', { retry: { maxRetries: 0, backoff: constant('9s') } });
    const later = client.retried();
    work[1]!.reject(new Error('later'));
    await expect(later).rejects.toThrow('later');
    await clock.advance(1_000);
    work[2]!.reject(new Error('second'));
    await clock.advance(1_000);
    work[3]!.resolve('third time lucky');
    await expect(waiting).resolves.toEqual({ value: 'third time lucky' });
    expect(work).toHaveLength(4);
  });

  it('lets them go on when the policy is switched off', async () => {
    const { client, service, clock } = await start();
    const waiting = outcome(client.retried());
    work[0]!.reject(new Error('first'));
    await settle();
    service.configure('*', { retry: { enabled: false } });
    await clock.advance(1_000);
    work[1]!.resolve('done');
    await expect(waiting).resolves.toEqual({ value: 'done' });
  });
});

describe('while fallbacks answer', () => {
  it('counts fallbacks that began under the former limit', async () => {
    const { client, service } = await start();
    service.configure('Client.answered', { fallback: { maxConcurrent: 2 } });
    const calls = [client.answered(), client.answered()].map(outcome);
    await settle();
    expect(work).toHaveLength(2);
    service.configure('Client.answered', { fallback: { maxConcurrent: 1 } });
    await expect(client.answered()).rejects.toThrow('down');
    for (const one of work) one.resolve('instead');
    await expect(Promise.all(calls)).resolves.toEqual(Array(2).fill({ value: 'instead' }));
    const next = client.answered();
    await settle();
    work[2]!.resolve('again');
    await expect(next).resolves.toBe('again');
  });
});

describe('while calls run under a timeout', () => {
  it('ends each by the limit that it began with, and leaves nothing behind', async () => {
    const { client, service, clock, app } = await start();
    const old = outcome(client.timed());
    for (let ms = 2_000; ms < 2_050; ms++) {
      service.configure('Client.timed', { timeout: { attempt: ms } });
    }
    service.configure('Client.timed', { timeout: { attempt: '3s' } });
    const young = outcome(client.timed());
    await clock.advance(1_000);
    await expect(old).resolves.toMatchObject({ error: { code: 'TIMEOUT' } });
    await clock.advance(1_999);
    work[1]!.resolve('in time');
    await expect(young).resolves.toEqual({ value: 'in time' });
    expect(clock.pending).toBe(1);
    const { runtime } = service as unknown as { runtime: { onClose: ReadonlySet<unknown> } };
    expect(runtime.onClose.size).toBeLessThan(10);
    await app.close();
    expect(clock.pending).toBe(0);
  });
});
