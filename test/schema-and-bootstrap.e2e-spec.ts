import { Injectable } from '@nestjs/common';
import { Ajv } from 'ajv';
import * as fc from 'fast-check';
import {
  Bulkhead,
  CircuitBreaker,
  Fallback,
  RateLimit,
  ResilienceConfigurationError,
  type ResilienceModuleOptions,
  Retry,
  Timeout,
} from '../src/index.js';
import { Problems } from '../src/common/options-reader.js';
import { MemoryStore } from '../src/testing/index.js';
import { boot, closeAll } from './support/boot.js';
import { configurationSchema } from './support/schema/schema.js';
import { outcome } from './support/wait.js';

/*
 * A configuration that is changed at random is right for the schema if, and only if, an application starts with it; apart from
 * what the schema cannot know: contradictions, and the names of classes, methods and configurations.
 */

@Injectable()
class Storage {
  @Fallback('spare')
  @Retry({ config: 'a' })
  @CircuitBreaker('storagesvc')
  @Timeout('1s')
  @Bulkhead({ name: 'places' })
  @RateLimit({ name: 'rate', limit: 5 })
  async get(): Promise<string> {
    return 'books';
  }

  spare(): string {
    return 'spare books';
  }
}

const validate = new Ajv({ strict: true, allowUnionTypes: true }).compile(configurationSchema());

type Json = Record<string, unknown>;

const configuration = (): Json => ({
  $schema: './schema.json',
  defaults: {
    retry: { maxRetries: 2 },
    timeout: { attempt: '2s' },
    bulkhead: 3,
    fallback: { maxConcurrent: 4 },
  },
  configs: {
    a: {
      extends: 'b',
      retry: { backoff: { kind: 'exponential', options: { maxDelay: '2s', jitter: 'full' } } },
    },
    b: {
      timeout: { total: '1h' },
      circuitBreaker: { window: { calls: 10 }, halfOpen: { maxCalls: 2 } },
    },
    storagesvc: {
      circuitBreaker: { failureRate: 0.5, window: { duration: '1m', buckets: 5 }, scope: 'local' },
    },
  },
  pipelines: {
    mail: {
      order: ['retry', 'circuit breaker', 'attempt timeout', 'bulkhead', 'fallback', 'rate limit'],
      retry: { config: 'a' },
      timeout: '5s',
      circuitBreaker: 'mail',
      bulkhead: { maxConcurrent: 2 },
      rateLimit: 10,
      fallback: { kind: 'staleIfError', options: { ttl: '1m' } },
    },
    other: { retry: {}, circuitBreaker: { config: 'storagesvc' } },
  },
  overrides: {
    '*': { retry: { maxRetries: 1 } },
    Storage: { bulkhead: 5, timeout: '3s' },
    'Storage.get': {
      fallback: { handler: 'spare', maxConcurrent: 2 },
      rateLimit: { limit: 3, per: '1s' },
    },
    storagesvc: { circuitBreaker: { critical: true } },
  },
  logging: { maxEventsPerSecond: 3, fields: true },
  fleet: { instanceId: 'one', pollInterval: '2s', activePollInterval: 100 },
});

const listed = (): Json => {
  const { overrides, ...others } = configuration();
  return {
    ...others,
    overrides: [overrides, { storagesvc: { circuitBreaker: { openFor: '1s' } } }],
  };
};

const values: readonly unknown[] = [
  ...[-1, 0, 0.5, 1, 2, 100, 1_000_001, '', '0s', '1s', '1.5m', '1 s', '1', 'spare', 'a', 'full'],
  ...['shared', true, false, null, [], {}, [1], ['x'], [{}], [null], { a: 1 }, { x: {} }],
  ...[{ calls: 1 }, { enabled: 'no' }, { enabled: true }, { kind: 'linear', options: {} }],
  ...[
    { kind: 'linear', options: {}, jitter: 1 },
    { kind: 'staleIfError', options: { ttl: 1 } },
  ],
  ...[{ kind: 'value', value: 1 }, { kind: 'value', value: 1, ttl: 1 }, [{ handler: 'spare' }]],
];

/** A change of a configuration in a place, which is chosen by a number. */
interface Change {
  readonly place: number;
  readonly how: 'set' | 'delete' | 'rename' | 'wrap' | 'add' | 'unname';
  readonly value: unknown;
}

const change: fc.Arbitrary<Change> = fc.record({
  place: fc.nat(10_000),
  how: fc.constantFrom('set', 'set', 'set', 'delete', 'rename', 'wrap', 'add', 'unname'),
  value: fc.constantFrom(...values),
});

function placesIn(value: unknown): (readonly [holder: Json, key: string])[] {
  if (typeof value !== 'object' || value === null) return [];
  const holder = value as Json;
  return Object.keys(holder).flatMap((key) => [[holder, key] as const, ...placesIn(holder[key])]);
}

function apply(config: Json, { place, how, value }: Change): void {
  const places = placesIn(config);
  const [holder, key] = places[place % places.length]!;
  const before = holder[key];
  if (how === 'set') holder[key] = structuredClone(value);
  else if (how === 'wrap') holder[key] = [before];
  else if (how === 'add') {
    if (typeof before === 'object' && before !== null) Object.assign(before, { zzz: value });
  } else if (Array.isArray(holder)) holder.splice(Number(key), 1);
  else {
    delete holder[key];
    if (how === 'rename') holder[`${key}x`] = before;
    if (how === 'unname') holder[''] = before;
  }
}

/** What only the application knows. Contradictions are not reported here. */
const UNKNOWN = [
  /config is '.+', which forRoot\(\{ configs \}\) does not have/,
  /extends is '.+'; use the name of another configuration|which leads back to it/,
  /overrides has '.+', which is not a decorated class|but .+ has no such policy/,
  /handler .*is '.+'; use (the name of )?a method/,
  /which the order of its pipeline leaves out/,
];

async function ownProblemsOf(config: Json): Promise<readonly string[]> {
  const resilience = { ...config, store: new MemoryStore() } as ResilienceModuleOptions;
  const { error } = await outcome(boot({ providers: [Storage], resilience }));
  await closeAll();
  if (error === undefined) return [];
  expect(error).toBeInstanceOf(ResilienceConfigurationError);
  const { problems } = error as ResilienceConfigurationError;
  return problems.filter((problem) => !UNKNOWN.some((pattern) => pattern.test(problem)));
}

describe('the schema and bootstrap', () => {
  beforeEach(() => {
    jest.spyOn(Problems.prototype, 'contradict').mockReturnValue();
  });
  afterEach(() => jest.restoreAllMocks());

  it.each([configuration, listed])(
    'accept the configuration before it is changed',
    async (make) => {
      expect(await ownProblemsOf(make())).toEqual([]);
      expect(validate(make())).toBe(true);
    },
  );

  it('refuse the same ones of those that are changed at random', async () => {
    const base = fc.constantFrom(configuration, listed);
    const changes = fc.array(change, { minLength: 1, maxLength: 2 });
    const seen = new Map([true, false].map((refused) => [refused, 0]));
    await fc.assert(
      fc.asyncProperty(base, changes, async (make, all) => {
        const config = make();
        for (const each of all) apply(config, each);
        const refused = !validate(config);
        seen.set(refused, seen.get(refused)! + 1);
        const problems = await ownProblemsOf(config);
        expect({ config, problems, refused: problems.length > 0 }).toMatchObject({ refused });
      }),
      { numRuns: 150 },
    );
    expect(Math.min(...seen.values())).toBeGreaterThan(10);
  });
});

describe('what is beside the kind of a value is a problem', () => {
  it.each([
    [{ retry: { backoff: { kind: 'linear', options: {}, jitter: 1 } } }, 'backoff (from defaults)'],
    [{ fallback: { kind: 'value', value: 1, ttl: 1 } }, 'handler'],
    [{ fallback: { kind: 'staleIfError', options: { ttl: 1 }, ttl: 1 } }, 'handler'],
  ])('%j', async (defaults, option) => {
    expect(await ownProblemsOf({ ...configuration(), defaults })).toEqual([
      expect.stringMatching(
        `: ${option.replace(/[()]/g, '\\$&')} has '(jitter|ttl)' beside kind and (options|value); use these alone$`,
      ),
    ]);
  });
});

it.each(['configs', 'pipelines'])('a name in %s is not empty', async (group) => {
  expect(
    await ownProblemsOf({
      ...configuration(),
      [group]: { ...(configuration()[group] as Json), '': {} },
    }),
  ).toEqual([`ResilienceModule.forRoot(): ${group} has '' as a name; use a non-empty string`]);
});
