import {
  type INestApplication,
  type INestApplicationContext,
  Module,
  type ModuleMetadata,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  CircuitBreakerRegistry,
  type ResilienceEvent,
  ResilienceEvents,
  ResilienceModule,
  type ResilienceModuleOptions,
  ResilienceService,
} from '../../src/index.js';
import { ManualClock } from '../../src/testing/index.js';
import { policyEventsOf } from './heard.js';

/** The parts of an application under test, and options of the library; `false`: without the library. */
export interface Parts extends ModuleMetadata {
  readonly resilience?: ResilienceModuleOptions | false;
}

/** An application under test, on a manual clock. */
export interface Booted<App extends INestApplicationContext = INestApplicationContext> {
  readonly app: App;
  readonly clock: ManualClock;
  readonly registry: CircuitBreakerRegistry;
  readonly service: ResilienceService;
  /** The events of policies since the application has started: see {@link policyEventsOf}. */
  readonly events: ResilienceEvent[];
}

export interface Served extends Booted<INestApplication> {
  readonly url: string;
}

/** Loaded on demand: most tests need none. */
export const platforms = {
  Express: async () => new (await import('@nestjs/platform-express')).ExpressAdapter(),
  Fastify: async () => new (await import('@nestjs/platform-fastify')).FastifyAdapter(),
};

export type Platform = keyof typeof platforms;

export const everyPlatform = Object.keys(platforms) as Platform[];

/** For the few things that differ between the majors of Nest. */
export const nestMajor = Number(
  (require('@nestjs/core/package.json') as { version: string }).version.split('.')[0],
);

export const quiet = { logger: false, abortOnError: false } as const;

const running = new Set<INestApplicationContext>();

/** To be called after each test: closes its applications. */
export async function closeAll(): Promise<void> {
  const apps = [...running];
  running.clear();
  for (const app of apps) {
    // Clients that still wait would keep the server from closing.
    (app as Partial<INestApplication>).getHttpServer?.()?.closeAllConnections?.();
    await app.close();
  }
}

/** An application's module, with the library imported, and its clock. */
export function appModule({ resilience = {}, imports = [], ...rest }: Parts): {
  AppModule: new () => object;
  clock: ManualClock;
} {
  const clock = new ManualClock();
  const options = { clock, random: () => 0.5, logger: false as const, ...resilience };
  class AppModule {}
  Module({
    imports: [...(resilience === false ? [] : [ResilienceModule.forRoot(options)]), ...imports],
    ...rest,
  })(AppModule);
  return { AppModule, clock };
}

/** Starts an application without a transport. */
export async function boot(parts: Parts = {}): Promise<Booted> {
  const { AppModule, clock } = appModule(parts);
  const app = await NestFactory.createApplicationContext(AppModule, quiet);
  return { app, clock, ...watch(app) };
}

/** Starts an HTTP server on a free port of the loopback interface. */
export async function serve(platform: Platform, parts: Parts): Promise<Served> {
  const { AppModule, clock } = appModule(parts);
  const app = await NestFactory.create<INestApplication>(
    AppModule,
    await platforms[platform](),
    quiet,
  );
  await app.listen(0, '127.0.0.1');
  return { app, clock, url: await app.getUrl(), ...watch(app) };
}

/** Registers an application to be closed, and listens to its events. */
export function watch(
  app: INestApplicationContext,
): Pick<Booted, 'registry' | 'service' | 'events'> {
  running.add(app);
  const events = policyEventsOf(app.get(ResilienceEvents, { strict: false }));
  const find = <T>(type: new (...args: never[]) => T): T => app.get(type, { strict: false });
  return { registry: find(CircuitBreakerRegistry), service: find(ResilienceService), events };
}

/** The events to come, with those of attempts: see {@link policyEventsOf}. */
export function withAttempts(app: INestApplicationContext): ResilienceEvent[] {
  return policyEventsOf(app.get(ResilienceEvents, { strict: false }), true);
}

/** The events of one type. */
export function of<T extends ResilienceEvent['type']>(
  type: T,
  events: readonly ResilienceEvent[],
): Extract<ResilienceEvent, { type: T }>[] {
  return events.filter(
    (event): event is Extract<ResilienceEvent, { type: T }> => event.type === type,
  );
}
