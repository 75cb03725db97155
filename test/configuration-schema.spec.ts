import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Injectable } from '@nestjs/common';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import {
  Bulkhead,
  CircuitBreaker,
  Fallback,
  type ResilienceModuleOptions,
  Retry,
  Timeout,
} from '../src/index.js';
import { boot, closeAll } from './support/boot.js';
import { problemsOf } from './support/commands.js';
import { configurationSchema } from './support/schema/schema.js';

/*
 * schema.json is made from the shapes of the options and from their comments. After a change: npm run schema
 */

const FILE = join(__dirname, '../schema.json');

describe('schema.json', () => {
  it('is in step with the options and their comments', () => {
    const text = JSON.stringify(configurationSchema(), null, 2);
    if (process.env.UPDATE_SCHEMA) writeFileSync(FILE, `${text}\n`);
    expect(JSON.parse(readFileSync(FILE, 'utf8'))).toEqual(JSON.parse(text));
  });

  it('is what the package exports under its name', () => {
    const { exports, files } = JSON.parse(
      readFileSync(join(__dirname, '../package.json'), 'utf8'),
    ) as { exports: Record<string, unknown>; files: string[] };
    expect(exports['./schema.json']).toBe('./schema.json');
    expect(files).toContain('schema.json');
  });
});

const validate = new Ajv({ strict: true, allowUnionTypes: true, allErrors: true }).compile(
  JSON.parse(readFileSync(FILE, 'utf8')) as object,
);

function complaintsOf(configuration: unknown): unknown[] {
  return validate(configuration) ? [] : validate.errors!;
}

@Injectable()
class StorageClient {
  @Fallback('cachedBooks')
  @Retry()
  @CircuitBreaker('storagesvc')
  @Timeout('1s')
  @Bulkhead(5)
  async getBooks(): Promise<string> {
    return 'books';
  }

  cachedBooks(): string {
    return 'cached';
  }
}

const parts = { providers: [StorageClient] };

/** The configurations that the page shows, as an application loads them. */
const examples = [
  ...readFileSync(join(__dirname, '../docs/configuration.md'), 'utf8').matchAll(
    /^```(yaml|json)\n([\s\S]*?)^```/gm,
  ),
].map(([, language, text]) => [language!, parse(text!) as ResilienceModuleOptions] as const);

describe('the examples of docs/configuration.md', () => {
  afterEach(closeAll);

  it('are in YAML and in JSON', () => {
    expect(examples.map(([language]) => language)).toEqual(['yaml', 'json']);
  });

  it.each(examples)('in %s are right for the schema', (_, configuration) => {
    expect(complaintsOf(configuration)).toEqual([]);
  });

  it.each(examples)('in %s are right for an application', async (_, configuration) => {
    const { service } = await boot({ ...parts, resilience: configuration });
    expect(service.describe(StorageClient, 'getBooks').stages).toContain('bulkhead');
  });
});

/** In YAML, as users write it; the message is that of the bootstrap. */
const mistakes: readonly (readonly [what: string, yaml: string, told: string])[] = [
  ['an unknown group', 'default: {}', 'default is not an option'],
  ['a group that is a list', 'configs: []', 'configs is []'],
  ['a group that is empty', 'pipelines:', 'pipelines is null'],
  ['an unknown policy', 'defaults: { retries: {} }', '"retries", which is not a policy'],
  ['a policy that is empty', 'defaults: { retry: }', 'defaults.retry is null'],
  ['a policy that is false', 'overrides: { "*": { retry: false } }', 'use { enabled: false }'],
  ['a policy without a short form', 'defaults: { retry: 3 }', 'defaults.retry is 3'],
  ['an unknown option', 'defaults: { retry: { maxRetry: 3 } }', 'maxRetry (from defaults) is not'],
  [
    'an option in the wrong case',
    'defaults: { circuitBreaker: { failurerate: 0.5 } }',
    'failurerate (from defaults) is not an option',
  ],
  [
    'an option at the wrong level',
    'defaults: { circuitBreaker: { maxCalls: 1 } }',
    'maxCalls (from defaults) is not an option',
  ],
  [
    'a negative number of retries',
    'defaults: { retry: { maxRetries: -1 } }',
    'maxRetries (from defaults) is -1',
  ],
  ['half a retry', 'defaults: { retry: { maxRetries: 1.5 } }', 'maxRetries (from defaults) is 1.5'],
  [
    'a number as a text',
    'defaults: { retry: { maxRetries: "3" } }',
    `maxRetries (from defaults) is '3'`,
  ],
  [
    'a share in percent',
    'defaults: { circuitBreaker: { failureRate: 50 } }',
    'failureRate (from defaults) is 50',
  ],
  [
    'a share of nothing',
    'defaults: { circuitBreaker: { failureRate: 0 } }',
    'failureRate (from defaults) is 0',
  ],
  [
    'a duration with an unknown unit',
    'overrides: { StorageClient: { timeout: 2 sec } }',
    `attempt (from overrides['StorageClient']) is '2 sec'`,
  ],
  [
    'a duration without a unit, as a text',
    'overrides: { StorageClient: { timeout: "2" } }',
    `attempt (from overrides['StorageClient']) is '2'`,
  ],
  [
    'a time limit of 0',
    'overrides: { StorageClient: { timeout: 0s } }',
    `attempt (from overrides['StorageClient']) is '0s'`,
  ],
  [
    'a negative duration',
    'defaults: { circuitBreaker: { openFor: -1 } }',
    'openFor (from defaults) is -1',
  ],
  ['a switch that is a text', 'defaults: { retry: { enabled: "no" } }', `enabled (from defaults)`],
  [
    'a switch that is a number',
    'defaults: { bulkhead: { reentrant: 1 } }',
    'reentrant (from defaults) is 1',
  ],
  [
    'no place at all',
    'overrides: { StorageClient: { bulkhead: 0 } }',
    `maxConcurrent (from overrides['StorageClient']) is 0`,
  ],
  [
    'a bulkhead that is a text',
    'overrides: { StorageClient: { bulkhead: many } }',
    `overrides['StorageClient'].bulkhead is 'many'`,
  ],
  [
    'a nested object that is none',
    'defaults: { circuitBreaker: { halfOpen: 3 } }',
    'halfOpen (from defaults) is 3',
  ],
  [
    'an unknown nested option',
    'defaults: { circuitBreaker: { halfOpen: { calls: 3 } } }',
    'halfOpen.calls (from defaults) is not an option',
  ],
  [
    'no probe',
    'defaults: { circuitBreaker: { halfOpen: { maxCalls: 0 } } }',
    'halfOpen.maxCalls (from defaults) is 0',
  ],
  [
    'a window of no calls',
    'defaults: { circuitBreaker: { window: { calls: 0 } } }',
    'window.calls (from defaults) is 0',
  ],
  [
    'a window of calls and time',
    'defaults: { circuitBreaker: { window: { calls: 10, duration: 1s } } }',
    'window.duration (from defaults) is not an option',
  ],
  [
    'an empty window',
    'defaults: { circuitBreaker: { window: {} } }',
    'window has neither duration nor calls',
  ],
  [
    'a window that counts at an unknown time',
    'defaults: { circuitBreaker: { window: { duration: 1s, countAt: begin } } }',
    `window.countAt (from defaults) is 'begin'`,
  ],
  ['a backoff that is a duration', 'defaults: { retry: { backoff: 1s } }', `is '1s'; use exp`],
  [
    'a backoff of an unknown kind',
    'defaults: { retry: { backoff: { kind: cubic, options: {} } } }',
    `kind: 'cubic'`,
  ],
  [
    'a backoff of a kind that every object has',
    'defaults: { retry: { backoff: { kind: constructor, options: {} } } }',
    `kind: 'constructor'`,
  ],
  [
    'a backoff without options',
    'defaults: { retry: { backoff: { kind: linear } } }',
    `kind: 'linear'`,
  ],
  [
    'a backoff with empty options',
    'defaults: { retry: { backoff: { kind: linear, options: } } }',
    `kind: 'linear', options: null`,
  ],
  [
    'a backoff with an option of another kind',
    'defaults: { retry: { backoff: { kind: constant, options: { delay: 1s, increment: 1s } } } }',
    'backoff.increment (from defaults) is not an option',
  ],
  [
    'a backoff with too much jitter',
    'defaults: { retry: { backoff: { kind: linear, options: { jitter: 2 } } } }',
    'backoff.jitter (from defaults) is 2',
  ],
  [
    'a constant backoff without its delay',
    'defaults: { retry: { backoff: { kind: constant, options: {} } } }',
    'backoff.delay (from defaults) is undefined',
  ],
  [
    'an open time of 0',
    'defaults: { circuitBreaker: { openFor: { kind: constant, options: { delay: 0 } } } }',
    'openFor (from defaults) is',
  ],
  [
    'errors by their names',
    'defaults: { retry: { skip: [NotFoundException] } }',
    `skip (from defaults) is [ 'NotFoundException' ]`,
  ],
  [
    'a configuration in defaults',
    'defaults: { retry: { config: patient } }',
    'defaults.retry.config has no effect',
  ],
  [
    'a configuration that extends two',
    'configs: { both: { extends: [patient, patient] } }',
    `configs['both'].extends is`,
  ],
  [
    'extends in a pipeline',
    'pipelines: { mail: { extends: patient } }',
    '"extends", which is not a policy',
  ],
  [
    'an order with an unknown stage',
    'pipelines: { mail: { order: [retry, breaker], retry: {} } }',
    `pipelines['mail'].order is`,
  ],
  [
    'an order that has a stage twice',
    'pipelines: { mail: { order: [retry, retry], retry: {} } }',
    `pipelines['mail'].order is`,
  ],
  [
    'a stale result without its ttl',
    'overrides: { StorageClient: { fallback: { kind: staleIfError, options: {} } } }',
    `staleIfError.ttl is undefined`,
  ],
  [
    'a stale result without options',
    'overrides: { StorageClient: { fallback: { handler: { kind: staleIfError } } } }',
    `handler (from overrides['StorageClient']) is`,
  ],
  [
    'no handler in a list',
    'overrides: { StorageClient: { fallback: [] } }',
    'use a list with at least one choice',
  ],
  [
    'an empty name',
    'overrides: { StorageClient: { circuitBreaker: "" } }',
    `name (from overrides['StorageClient']) is ''`,
  ],
  ['a schema that is none', '$schema: {}', '$schema is {}'],
];

describe('a mistake in a file is refused by the schema, and reported at bootstrap:', () => {
  it('more than thirty of them', () => {
    expect(mistakes.length).toBeGreaterThan(30);
  });

  it.each(mistakes)('%s', async (_, yaml, told) => {
    const configuration = parse(yaml) as ResilienceModuleOptions;
    expect(complaintsOf(configuration)).not.toEqual([]);
    const problems = await problemsOf({ ...parts, resilience: configuration });
    expect(problems).toEqual(expect.arrayContaining([expect.stringContaining(told)]));
  });
});
