import { OptionsReader, Problems } from '../../common/options-reader.js';
import { ManualClock } from '../../testing/index.js';
import { ResilienceEvents } from '../../telemetry/resilience-events.js';
import { CircuitBreaker } from './circuit-breaker.js';
import { KeyedCircuitBreakers } from './keyed-circuit-breakers.js';
import {
  type CircuitBreakerOptions,
  type CircuitBreakerSettings,
  settleCircuitBreaker,
} from './options.js';

function settingsOf(options: CircuitBreakerOptions): CircuitBreakerSettings {
  return settleCircuitBreaker(new OptionsReader(options, 'keyed', new Problems()));
}

function keyed(options: CircuitBreakerOptions = {}): {
  clock: ManualClock;
  breakers: KeyedCircuitBreakers;
} {
  const clock = new ManualClock();
  const environment = {
    clock,
    random: () => 0.5,
    events: new ResilienceEvents(),
    warn: () => {},
    log: () => {},
  };
  const settings = settingsOf({ maxKeys: 3, consecutiveFailures: 2, window: '10s', ...options });
  return {
    clock,
    breakers: new KeyedCircuitBreakers(
      'api',
      settings,
      (name, breaker) => new CircuitBreaker(name, breaker, environment),
    ),
  };
}

const namesOf = (breakers: KeyedCircuitBreakers): string[] =>
  Array.from(breakers.values(), ({ name }) => name);

const use = (breaker: CircuitBreaker): void => breaker.tryAcquire()!.success();

describe('breakers by key', () => {
  it('are one for each key, called after it', () => {
    const { breakers } = keyed({ key: (host: string) => host });
    const first = breakers.forCall(['a.example', 1]);
    expect(breakers.forCall(['a.example', 2])).toBe(first);
    expect(breakers.forCall(['b.example', 1])).not.toBe(first);
    expect(namesOf(breakers)).toEqual(['api[a.example]', 'api[b.example]']);
  });

  it('open apart from each other', () => {
    const { breakers } = keyed();
    for (let i = 0; i < 2; i++) breakers.for('a').tryAcquire()!.failure();
    expect(breakers.for('a').state).toBe('open');
    expect(breakers.for('b').state).toBe('closed');
  });

  it('give the place of an idle one to a new key', async () => {
    const { breakers, clock } = keyed();
    for (const key of ['a', 'b', 'c']) use(breakers.for(key));
    await clock.advance(9_000);
    use(breakers.for('a'));
    await clock.advance(1_500);
    use(breakers.for('d'));
    expect(namesOf(breakers).sort()).toEqual(['api[a]', 'api[c]', 'api[d]']);
  });

  it('are never thrown away while something would be lost; keys without room share one', () => {
    const { breakers } = keyed();
    for (const key of ['a', 'b', 'c']) use(breakers.for(key));
    const shared = breakers.for('d');
    use(shared);
    expect(shared.name).toBe('api[*]');
    expect(breakers.for('e')).toBe(shared);
    expect(namesOf(breakers).sort()).toEqual(['api[*]', 'api[a]', 'api[b]', 'api[c]']);
    expect(breakers.for('a').counts.successes).toBe(1);
  });

  it('stay few, however many keys come and whether they are idle or in use', async () => {
    const { breakers, clock } = keyed();
    for (let i = 0; i < 500; i++) {
      const breaker = breakers.for(`key ${i}`);
      if (i % 3 === 0) use(breaker);
      if (i % 50 === 0) await clock.advance(11_000);
      expect(namesOf(breakers).length).toBeLessThanOrEqual(4);
    }
  });

  it('find an idle one among many in use, in a few looks', async () => {
    const { breakers, clock } = keyed({ maxKeys: 50 });
    for (let i = 0; i < 50; i++)
      if (i !== 45) breakers.for(`${i}`).observeOnly();
      else breakers.for(`${i}`);
    await clock.advance(1);
    expect(breakers.for('new').name).toBe('api[*]');
    expect(breakers.for('new').name).toBe('api[*]');
    expect(breakers.for('new').name).toBe('api[new]');
  });

  it('take new rules for all keys, those to come too', () => {
    const { breakers } = keyed();
    breakers.for('a').tryAcquire()!.failure();
    breakers.reconfigure(settingsOf({ maxKeys: 3, consecutiveFailures: 1, window: '10s' }));
    for (const key of ['a', 'b']) {
      breakers.for(key).tryAcquire()!.failure();
      expect(breakers.for(key).state).toBe('open');
    }
  });
});
