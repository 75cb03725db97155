import type { Observable } from 'rxjs';
import type { Enlisted } from '../execution/enlisted.js';
import type { PolicyDefaults } from '../execution/module-options.js';
import type { Runtime } from '../execution/runtime.js';
import { asStream } from '../execution/streams.js';
import type { PipelineDescription } from '../pipeline/description.js';
import type { Bulkhead } from '../policies/bulkhead/bulkhead.js';
import { CircuitBreaker } from '../policies/circuit-breaker/circuit-breaker.js';
import type { FallbackSettings } from '../policies/fallback/fallback-stage.js';
import type {
  FallbackAnswer,
  FallbackChoice,
  FallbackFunction,
  FallbackOptions,
} from '../policies/fallback/options.js';
import type { TimeoutSettings } from '../policies/timeout/options.js';
import { RollingMetrics } from '../telemetry/metrics/metrics.js';
import type { CallContext } from './call-context.js';
import { CommandCall, type CommandRun } from './command-call.js';
import { CommandHandle, QueuedCall } from './command-handle.js';
import type { Work } from './function-call.js';
import type { CommandSnapshot } from './snapshot.js';

/** Keeps a type parameter from being inferred here; `& {}` alone would be taken for `T`. */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- the one type that leaves `T` as it is
type Fixed<T> = T & ({} | null | undefined);

type CommandAnswer<Args extends readonly unknown[], Result> =
  | FallbackFunction<Args, Result>
  | Exclude<FallbackAnswer<Result>, string | FallbackFunction<readonly never[], Result>>
  | readonly FallbackChoice<Result>[];

/** What answers when a command has failed, or options; a function gets what `run` gets, with the error in the context. */
export type CommandFallback<Args extends readonly unknown[], Result> =
  | CommandAnswer<Args, Result>
  | (Omit<FallbackOptions, 'handler'> & { readonly handler: CommandAnswer<Args, Result> });

/** What a command does and what protects it. */
export interface CommandDefinition<Args extends readonly unknown[], Result> extends Omit<
  PolicyDefaults,
  'fallback'
> {
  /** Talks to what may fail. */
  run(this: void, context: CallContext, ...args: Args): Result | Promise<Result>;
  readonly fallback?: CommandFallback<Fixed<Args>, Result>;
  /** A pipeline of `forRoot({ pipelines })` whose policies it has; its own options change them or add to them. */
  readonly pipeline?: string;
}

/** What all commands of one name share. */
export class CommandState {
  readonly metrics: RollingMetrics;

  constructor(
    readonly name: string,
    readonly enlisted: Enlisted,
    readonly runtime: Runtime,
  ) {
    this.metrics = new RollingMetrics(runtime.clock.now());
  }

  get run(): CommandRun {
    return (this.made ??= {
      name: this.name,
      clock: this.runtime.clock,
      metrics: this.metrics,
      outcomes: this.enlisted.plan.outcomes,
    });
  }

  private made: CommandRun | undefined = undefined;
}

/**
 * A function with its protection: what is run, what answers when that fails, and the policies around both. Made by
 * `ResilienceService.command()`.
 */
export class Command<Args extends readonly unknown[] = readonly unknown[], Result = unknown> {
  /** @internal */
  constructor(
    private readonly state: CommandState,
    private readonly definition: { readonly run: Work },
  ) {}

  get name(): string {
    return this.state.name;
  }

  /**
   * Runs it.
   *
   * @throws what `run` or the fallback throws, or the rejection of a policy (`CircuitOpenError`,
   * `BulkheadFullError`, `TimeoutError`)
   */
  execute(...args: Args): Promise<Result> {
    const { run, enlisted } = this.state;
    const call = new CommandCall(run, this.definition, args);
    return enlisted.plan.pipeline.run(call) as Promise<Result>;
  }

  /** Runs it, at once, and hands out what can cancel it. */
  queue(...args: Args): CommandHandle<Result> {
    const { run, enlisted } = this.state;
    const call = new QueuedCall(run, this.definition, args);
    return new CommandHandle<Result>(
      call,
      enlisted.plan.pipeline.run(call) as Promise<Result>,
      this.name,
    );
  }

  /** Runs it for each that subscribes; unsubscribing cancels. */
  observe(...args: Args): Observable<Result> {
    const { run, enlisted } = this.state;
    return asStream(
      () => new CommandCall(run, this.definition, args),
      (call) => enlisted.plan.pipeline.run(call),
    ) as Observable<Result>;
  }

  /** How it is, and how the calls of the last while went. */
  snapshot(): CommandSnapshot {
    const { name, metrics, enlisted, runtime } = this.state;
    const { plan } = enlisted;
    const breaker = runtime.partOf('circuitBreaker', plan);
    const timeout = plan.settings.get('timeout') as TimeoutSettings | undefined;
    const fallback = plan.settings.get('fallback') as FallbackSettings | undefined;
    const maxConcurrentFallbacks = fallback?.maxConcurrent;
    return {
      name,
      metrics: metrics.snapshot(runtime.clock.now()),
      circuitBreaker: breaker instanceof CircuitBreaker ? breaker.snapshot() : undefined,
      bulkhead: runtime.partOf<Bulkhead>('bulkhead', plan)?.snapshot(),
      attemptTimeoutMs: timeout?.attempt,
      maxConcurrentFallbacks:
        maxConcurrentFallbacks === Infinity ? undefined : maxConcurrentFallbacks,
    };
  }

  /** Its policies as they are in force. */
  describe(): PipelineDescription {
    const { runtime, enlisted } = this.state;
    return runtime.describePlan(enlisted.plan);
  }
}
