import { BadGatewayException, Injectable, Module } from '@nestjs/common';
import { LazyModuleLoader, ModuleRef } from '@nestjs/core';
import { CircuitBreaker, Retry, constant, protectProvider } from '../../src/index.js';
import { type Booted, boot, closeAll } from '../support/boot.js';
import { Visits, outcome, until } from '../support/wait.js';

const SDK = Symbol('sdk');
const visits = new Visits();

/** A third-party client. */
class Sdk {
  async get(): Promise<string> {
    if (visits.visit() === 1) throw new BadGatewayException();
    return 'object';
  }
}

@Injectable()
class Shelf {
  @Retry({ maxRetries: 1, backoff: constant('1s') })
  @CircuitBreaker('shelf')
  async books(): Promise<string> {
    if (visits.visit() === 1) throw new BadGatewayException();
    return 'books';
  }
}

const policies = {
  retry: { maxRetries: 1, backoff: constant('1s') },
  circuitBreaker: { name: 'sdk' },
} as const;

@Module({
  providers: [
    { provide: SDK, useFactory: () => new Sdk() },
    Shelf,
    protectProvider(SDK, { name: 'sdk', methods: { get: policies } }),
  ],
  exports: [SDK, Shelf],
})
class LazyModule {}

let booted: Booted;

beforeEach(async () => {
  visits.count = 0;
  booted = await boot();
});
afterEach(closeAll);

/** Fails once, waits a second, and succeeds. */
async function retried(call: () => Promise<string>, breaker: string): Promise<string> {
  const { clock, registry } = booted;
  const result = outcome(call());
  await until(() => clock.pending > 0 || visits.count > 1);
  await clock.advance(1_000);
  expect(registry.get(breaker).counts).toMatchObject({ requests: 2, successes: 1, failures: 1 });
  expect(visits.count).toBe(2);
  return (await result).value!;
}

const load = () => booted.app.get(LazyModuleLoader).load(() => LazyModule);

describe('a provider that is made after the start', () => {
  it('by a lazy module has its policies', async () => {
    const shelf = (await load()).get(Shelf);
    expect(await retried(() => shelf.books(), 'shelf')).toBe('books');
  });

  it('by a lazy module has those of protectProvider()', async () => {
    const sdk = (await load()).get<Sdk>(SDK);
    expect(await retried(() => sdk.get(), 'sdk')).toBe('object');
  });

  it('by ModuleRef.create() has its policies', async () => {
    const shelf = await booted.app.get(ModuleRef).create(Shelf);
    expect(await retried(() => shelf.books(), 'shelf')).toBe('books');
  });
});
