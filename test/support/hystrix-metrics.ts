import type {
  BreakerSnapshot,
  Command,
  CommandSnapshot,
  MetricsSnapshot,
} from '../../src/index.js';
import { type Policies, type Serviced, type Work, bootService, commandOf } from './commands.js';
import { type Deferred, deferred, outcome } from './wait.js';

export class BadRequestError extends Error {}

export interface Drill extends Serviced {
  readonly command: Command<[work: Work], unknown>;
  /** Calls, and waits until it is over. */
  call(work?: Work): Promise<void>;
  /** A call that lasts until its work is settled. */
  start(): { readonly work: Deferred<unknown>; readonly over: Promise<unknown> };
  snapshot(): CommandSnapshot;
  breaker(): BreakerSnapshot;
  /** Of the command and of its breaker. */
  metrics(): [command: MetricsSnapshot, breaker: MetricsSnapshot];
}

/** A command under test. */
export async function drillOf(policies: Policies): Promise<Drill> {
  const booted = await bootService();
  const command = commandOf(booted.service, policies);
  return {
    ...booted,
    command,
    call: async (work = () => 'ok') => void (await outcome(command.execute(work))),
    start: () => {
      const work = deferred<unknown>();
      return { work, over: outcome(command.execute(() => work.promise)) };
    },
    snapshot: () => command.snapshot(),
    breaker: () => command.snapshot().circuitBreaker!,
    metrics: () => [command.snapshot().metrics, command.snapshot().circuitBreaker!.metrics],
  };
}
