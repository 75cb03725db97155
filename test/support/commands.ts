import type { Provider } from '@nestjs/common';
import {
  BulkheadRegistry,
  type CallContext,
  type Command,
  type CommandDefinition,
  ResilienceConfigurationError,
  type ResilienceModuleOptions,
  ResilienceService,
} from '../../src/index.js';
import { type Booted, type Parts, boot } from './boot.js';
import { outcome } from './wait.js';

/** An application, its service and its bulkheads. */
export interface Serviced extends Booted {
  readonly service: ResilienceService;
  readonly bulkheads: BulkheadRegistry;
}

export async function bootService(
  resilience: ResilienceModuleOptions = {},
  parts: Parts = {},
): Promise<Serviced> {
  const booted = await boot({ resilience, ...parts });
  const { app } = booted;
  return { ...booted, service: app.get(ResilienceService), bulkheads: app.get(BulkheadRegistry) };
}

/** A provider that does `make` while the application starts. */
export function making(make: (service: ResilienceService) => unknown): Provider {
  return { provide: Symbol('maker'), inject: [ResilienceService], useFactory: make };
}

/** Parts with a cache, for fallbacks that keep stale results. */
export function cached(): Parts {
  const entries = new Map<string, unknown>();
  const cache = {
    get: async (key: string) => entries.get(key),
    set: async (key: string, value: unknown) => void entries.set(key, value),
  };
  return { providers: [{ provide: 'CACHE_MANAGER', useValue: cache }] };
}

/** The problems because of which an application does not start. */
export async function problemsOf(parts: Parts): Promise<readonly string[]> {
  return problemsIn((await outcome(boot(parts))).error);
}

/** The problems that are thrown. */
export function problemsBy(work: () => unknown): readonly string[] {
  try {
    work();
  } catch (error) {
    return problemsIn(error);
  }
  throw new Error('no problem');
}

function problemsIn(error: unknown): readonly string[] {
  expect(error).toBeInstanceOf(ResilienceConfigurationError);
  return (error as ResilienceConfigurationError).problems;
}

/** The work of a command that gets it from its caller. */
export type Work<Result = unknown> = (context: CallContext) => Result | Promise<Result>;

/** Policies of a command that has its work from its caller. */
export type Policies = Omit<CommandDefinition<[work: Work], unknown>, 'run'>;

/** A command whose caller passes the work. */
export function commandOf(
  service: ResilienceService,
  policies: Policies,
  name = 'books',
): Command<[work: Work], unknown> {
  const run = (context: CallContext, work: Work): unknown => work(context);
  return service.command<[work: Work], unknown>(name, { run, ...policies });
}

/** Rejected by the compiler, but possible from JavaScript or the environment. */
export const wrong = (given: unknown): any => given;

export const down = (): Promise<never> => Promise.reject(new Error('down'));
export const hang = (): Promise<never> => new Promise<never>(() => {});
