import * as read from '../../../test/support/read-options.js';
import { ManualClock } from '../../testing/index.js';
import { ResilienceEvents } from '../../telemetry/resilience-events.js';
import { CircuitBreaker } from './circuit-breaker.js';
import { environmentOf } from './environment.js';
import { KeyedCircuitBreakers } from './keyed-circuit-breakers.js';
import {
  type CircuitBreakerOptions,
  type CircuitBreakerSettings,
  readCircuitBreakerOptions,
} from './options.js';

const settingsOf = (options: CircuitBreakerOptions): CircuitBreakerSettings =>
  read.settingsOf(readCircuitBreakerOptions, options);

function keyed(options: CircuitBreakerOptions = {}): {
  clock: ManualClock;
  breakers: KeyedCircuitBreakers;
  /** The breaker of a key for which there is room. */
  of: (key: string) => CircuitBreaker;
  warnings: string[];
  made: () => number;
} {
  const clock = new ManualClock();
  const warnings: string[] = [];
  let made = 0;
  const environment = environmentOf({
    clock,
    random: () => 0.5,
    events: new ResilienceEvents(),
    warn: (message) => void warnings.push(message),
  });
  const settings = settingsOf({ maxKeys: 3, consecutiveFailures: 2, window: '10s', ...options });
  const create = (name: string, breaker: CircuitBreakerSettings['breaker']): CircuitBreaker => {
    made += 1;
    return new CircuitBreaker(name, breaker, environment);
  };
  const breakers = new KeyedCircuitBreakers('api', settings, create, environment.warn);
  return { clock, breakers, of: (key) => breakers.for(key)!, warnings, made: () => made };
}

const namesOf = (breakers: KeyedCircuitBreakers): string[] =>
  Array.from(breakers.values(), ({ name }) => name).sort();

const use = (breaker: CircuitBreaker): void => breaker.tryAcquire()!.success();

function open(breaker: CircuitBreaker): void {
  for (let i = 0; i < 2; i++) breaker.tryAcquire()!.failure();
  expect(breaker.state).toBe('open');
}

describe('breakers by key', () => {
  it('exist once per key, and are named after it', () => {
    const { breakers } = keyed({ key: (host: string) => host });
    const call = (...args: unknown[]): { self: unknown; args: unknown[] } => ({
      self: undefined,
      args,
    });
    const first = breakers.forCall(call('a.example', 1));
    expect(breakers.forCall(call('a.example', 2))).toBe(first);
    expect(breakers.forCall(call('b.example', 1))).not.toBe(first);
    expect(namesOf(breakers)).toEqual(['api[a.example]', 'api[b.example]']);
    expect(breakers.find('a.example')).toBe(first);
    expect(breakers.find('c.example')).toBeUndefined();
  });

  it('open independently', () => {
    const { of } = keyed();
    open(of('a'));
    expect(of('b').state).toBe('closed');
  });

  it('replace an idle one by that of a new key', async () => {
    const { breakers, of, clock } = keyed();
    for (const key of ['a', 'b', 'c']) use(of(key));
    await clock.advance(9_000);
    use(of('a'));
    await clock.advance(1_500);
    use(of('d'));
    expect(namesOf(breakers)).toEqual(['api[a]', 'api[c]', 'api[d]']);
  });

  it.each([
    ['an open one', 0],
    ['a half-open one', 5_000],
  ])('replace %s that has not been used for five minutes', async (_which, readAfter) => {
    const { breakers, of, clock } = keyed();
    for (const key of ['a', 'b', 'c']) open(of(key));
    await clock.advance(readAfter);
    for (const { state } of breakers.values()) expect(state).not.toBe('closed');
    expect(breakers.for('d')).toBeUndefined();
    await clock.advance(5_000 + 300_000 - readAfter);
    expect(breakers.for('d')).toBeUndefined();
    await clock.advance(1);
    expect(of('d').state).toBe('closed');
    expect(namesOf(breakers)).toEqual(['api[b]', 'api[c]', 'api[d]']);
  });

  it('keep a half-open one that is still in use', async () => {
    const { breakers, of, clock } = keyed();
    for (const key of ['a', 'b', 'c']) open(of(key));
    for (let i = 0; i < 40; i++) {
      await clock.advance(10_000);
      of('a').tryAcquire()?.failure();
    }
    for (let i = 0; i < 2; i++) use(of(`new ${i}`));
    expect(breakers.for('another')).toBeUndefined();
    expect(namesOf(breakers)).toEqual(['api[a]', 'api[new 0]', 'api[new 1]']);
  });

  it('never let trouble of some keys affect another', async () => {
    const { breakers, of, warnings, clock } = keyed({ maxKeys: 5 });
    for (let i = 0; i < 5; i++) open(of(`dead ${i}`));
    for (let i = 5; i < 50; i++) expect(breakers.for(`dead ${i}`)).toBeUndefined();
    expect(breakers.for('healthy')).toBeUndefined(); // runs, and is not rejected
    expect(new Set(warnings)).toEqual(
      new Set([
        'circuit "api": all 5 keys (maxKeys) are in use; calls with further keys are neither counted nor rejected',
      ]),
    );
    await clock.advance(365 * 86_400_000);
    expect(of('healthy').state).toBe('closed');
  });

  it('treat the key * like any other', () => {
    const { breakers, of } = keyed();
    open(of('*'));
    expect(of('a').state).toBe('closed');
    expect(namesOf(breakers)).toEqual(['api[*]', 'api[a]']);
  });

  it('are never discarded while something would be lost', () => {
    const { breakers, of } = keyed();
    for (const key of ['a', 'b', 'c']) use(of(key));
    expect(breakers.for('d')).toBeUndefined();
    expect(namesOf(breakers)).toEqual(['api[a]', 'api[b]', 'api[c]']);
    expect(of('a').counts.successes).toBe(1);
  });

  it('stay few, however many keys there are, idle or in use', async () => {
    const { breakers, clock } = keyed();
    for (let i = 0; i < 500; i++) {
      const breaker = breakers.for(`key ${i}`);
      if (breaker !== undefined && i % 3 === 0) use(breaker);
      if (i % 50 === 0) await clock.advance(11_000);
      expect(namesOf(breakers).length).toBeLessThanOrEqual(3);
    }
  });

  it('find an idle one among many in use, in a few checks', () => {
    const { breakers, of, made } = keyed({ maxKeys: 50 });
    for (let i = 0; i < 50; i++) {
      if (i === 45) of(`${i}`);
      else of(`${i}`).observeOnly();
    }
    expect(breakers.for('new')).toBeUndefined();
    expect(breakers.for('new')).toBeUndefined();
    expect(of('new').name).toBe('api[new]');
    expect(made()).toBe(51);
  });

  it('check a few parts per new key, however many come and go', () => {
    const { breakers, of } = keyed({ maxKeys: 1_000 });
    let looks = 0;
    const busy = jest.spyOn(CircuitBreaker.prototype, 'idle', 'get').mockImplementation(() => {
      looks += 1;
      return false;
    });
    try {
      for (let i = 0; i < 1_000; i++) of(`${i}`);
      for (let i = 0; i < 20_000; i++) breakers.for(`new ${i}`);
      expect(looks).toBe(20 * 20_000);
    } finally {
      busy.mockRestore();
    }
  });

  it('apply new rules to all keys, future ones included, and keep the key function', () => {
    const { breakers, of } = keyed({ key: (host: string) => host });
    of('a').tryAcquire()!.failure();
    breakers.reconfigure(settingsOf({ maxKeys: 3, consecutiveFailures: 1, window: '10s' }));
    for (const key of ['a', 'b']) {
      of(key).tryAcquire()!.failure();
      expect(of(key).state).toBe('open');
    }
    expect(breakers.forCall({ self: undefined, args: ['a'] })).toBe(of('a'));
  });
});
