import { type INestApplication, Module, ServiceUnavailableException } from '@nestjs/common';
import { CacheModule } from '@nestjs/cache-manager';
import { NestFactory } from '@nestjs/core';
import { ResilienceAdminModule } from '../../src/admin/index.js';
import {
  CircuitBreakerRegistry,
  type Command,
  ResilienceModule,
  ResilienceService,
  exponential,
  staleIfError,
} from '../../src/index.js';
import { ManualClock } from '../../src/testing/index.js';
import { adminOf } from '../support/admin-stream.js';

/** A dependency of the bookshop in the pictures. */
interface Dependency {
  readonly name: string;
  /** Calls in 5 s. */
  readonly calls: number;
  /** How long it usually takes, milliseconds. */
  readonly takes: number;
  /** Which share of its calls fail at a step, 0 to 1. */
  readonly fails?: (step: number) => number;
}

/** A quarter of an hour. */
const STEPS = 180;
const STEP_MS = 5_000;
/** The step with which the outage begins. */
const OUTAGE = STEPS - 31;

const DEPENDENCIES: readonly Dependency[] = [
  { name: 'storagesvc', calls: 14, takes: 24, fails: (step) => (step >= OUTAGE ? 1 : 0.01) },
  { name: 'payments', calls: 5, takes: 180, fails: () => 0.02 },
  { name: 'recommendations', calls: 9, takes: 60, fails: (step) => (step > 165 ? 0.35 : 0.02) },
  { name: 'catalogue', calls: 20, takes: 12 },
  { name: 'customers', calls: 11, takes: 18, fails: () => 0.01 },
  { name: 'mail', calls: 2, takes: 140 },
  { name: 'prices', calls: 16, takes: 9 },
  { name: 'reports', calls: 2, takes: 400 },
  { name: 'shippingsvc', calls: 7, takes: 45, fails: (step) => (step > 60 && step < 66 ? 0.4 : 0) },
];

/** The same numbers each time. */
function dice(): () => number {
  let state = 42;
  return () => (state = (state * 16_807) % 2_147_483_647) / 2_147_483_647;
}

/** The situation on the page: an outage in a shop that otherwise works. */
export interface Situation {
  readonly app: INestApplication;
  readonly url: string;
  /** Milliseconds since 1970, on the clock of the shop. */
  readonly at: number;
  /** Lets the calls that are under way end. */
  end(): Promise<void>;
}

/** Plays a quarter of an hour on a clock of its own, and leaves the shop in the midst of an outage. */
export async function play(): Promise<Situation> {
  const clock = new ManualClock(new Date(2026, 10, 27, 3, 12).getTime());
  @Module({
    imports: [
      CacheModule.register(),
      ResilienceModule.forRoot({ clock, random: () => 0.5, logger: false }),
      ResilienceAdminModule.forRoot({ guards: [{ canActivate: () => true }] }),
    ],
  })
  class Shop {}
  const app = await NestFactory.create<INestApplication>(Shop, { logger: false });
  await app.listen(0, '127.0.0.1');
  // Its steps are taken here, on the clock of the shop.
  clearInterval((adminOf(app) as unknown as { timer: NodeJS.Timeout }).timer);
  const service = app.get(ResilienceService);
  const random = dice();
  let step = 0;
  const commands = new Map<string, Command<[], string>>();
  for (const { name, takes, fails = () => 0 } of DEPENDENCIES) {
    const command = service.command(name, {
      run: async () => {
        const down = random() < fails(step);
        const spread = 0.6 + random() + (random() < 0.04 ? 4 : 0);
        await wait(clock, takes * spread * (1 + 0.3 * Math.sin(step / 9)));
        if (down) throw new ServiceUnavailableException(`${name} answers with status 503`);
        return 'an answer';
      },
      fallback: staleIfError({ ttl: '1h', key: () => 'all' }),
      retry: { maxRetries: 2, backoff: exponential({ initialDelay: '50ms' }) },
      timeout: { attempt: '2s', total: '5s' },
      circuitBreaker: { failureRate: 0.5, minimumCalls: 10, openFor: '30s' },
      bulkhead: { maxConcurrent: 5, maxQueue: 10 },
    });
    commands.set(name, command);
  }
  for (step = 0; step < STEPS; step++) {
    if (step === STEPS - 96) {
      app
        .get(CircuitBreakerRegistry)
        .get('payments')
        .forceOpen({
          by: 'Anna',
          reason: 'the provider moves its database',
          until: new Date(clock.wall() + 45 * 60_000),
        });
    }
    await during(clock, random, commands);
    await adminOf(app).history.step();
  }
  // The reports have become so slow that all places are taken.
  for (let call = 0; call < 13; call++) void commands.get('reports')!.execute();
  await clock.advance(1);
  return {
    app,
    url: `${await app.getUrl()}/resilience/ui`,
    at: clock.wall(),
    end: () => clock.advance(60_000),
  };
}

/** The calls of one step, spread over it. */
async function during(
  clock: ManualClock,
  random: () => number,
  commands: ReadonlyMap<string, Command<[], string>>,
): Promise<void> {
  const calls = DEPENDENCIES.flatMap(({ name, calls: count }) =>
    Array.from({ length: Math.round(count * (0.7 + 0.6 * random())) }, () => ({
      at: random() * STEP_MS,
      name,
    })),
  ).sort((a, b) => a.at - b.at);
  const end = clock.now() + STEP_MS;
  const start = clock.now();
  for (const { at, name } of calls) {
    await clock.advance(Math.max(0, start + at - clock.now()));
    commands
      .get(name)!
      .execute()
      .catch(() => {});
  }
  await clock.advance(end - clock.now());
}

function wait(clock: ManualClock, ms: number): Promise<void> {
  return new Promise((resolve) => clock.setTimer(resolve, ms));
}
