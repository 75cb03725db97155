import type { Observable } from 'rxjs';
import type { LazyPlan } from '../execution/lazy-plan.js';
import type { Runtime } from '../execution/runtime.js';
import { asStream } from '../execution/streams.js';
import type { PipelineDescription } from '../pipeline/description.js';
import type { Pipeline } from '../pipeline/pipeline.js';
import { policies } from '../policies/canonical-order.js';
import type { CommandPolicies } from '../policies/command-policies.js';
import { noSnapshots } from '../policies/snapshots.js';
import { RollingMetrics } from '../telemetry/metrics/metrics.js';
import type { CallContext } from './call-context.js';
import { CommandCall, type CommandFunctions, type CommandRun } from './command-call.js';
import { CommandHandle, QueuedCall } from './command-handle.js';
import { DEFINED_AGAIN, type Definitions } from './definitions.js';
import type { CommandSnapshot } from './snapshot.js';

/** The work of a command, and its policies. */
export interface CommandDefinition<Args extends readonly unknown[], Result> extends CommandPolicies<
  Args,
  Result
> {
  /** Talks to what may fail. */
  run(this: void, context: CallContext, ...args: Args): Result | Promise<Result>;
  /** A pipeline of `forRoot({ pipelines })` whose policies it has; its own options change them or add to them. */
  readonly pipeline?: string;
}

/** A command, without what it does. */
export interface CommandView {
  /** The name of the command. */
  readonly name: string;
  /** How it is, and how the calls of the last while went. */
  snapshot(): CommandSnapshot;
  /** Its policies as they are in force. */
  describe(): PipelineDescription;
}

/** Shared by all commands of one name. */
export class CommandState implements CommandView {
  private readonly metrics: RollingMetrics;
  private made: { readonly run: CommandRun; readonly pipeline: Pipeline } | undefined = undefined;

  constructor(
    readonly name: string,
    private readonly lazyPlan: LazyPlan,
    private readonly runtime: Runtime,
    private readonly definitions: Definitions,
  ) {
    this.metrics = new RollingMetrics(runtime.clock.now());
  }

  /**
   * The same command is defined once more, unless that has a problem.
   *
   * @returns the problem, once the command has been planned; before, it is found together with all others
   */
  defineAgain(): string | undefined {
    const problem = this.lazyPlan.planned ? this.problemOfAnother() : undefined;
    if (problem === undefined) this.definitions.add();
    return problem;
  }

  private problemOfAnother(): string | undefined {
    for (const [kind, settings] of this.lazyPlan.plan.settings) {
      const problem = policies.get(kind)!.checkDefinedAgain?.(settings, DEFINED_AGAIN);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }

  /** Everything that a call needs. @throws {ResilienceConfigurationError} when it is not configured well */
  get ready(): { readonly run: CommandRun; readonly pipeline: Pipeline } {
    return (this.made ??= this.make());
  }

  snapshot(): CommandSnapshot {
    const { name, metrics, lazyPlan, runtime } = this;
    const { plan } = lazyPlan;
    const shares = Array.from(plan.settings, ([kind, settings]) =>
      policies.get(kind)!.snapshot?.(settings, runtime.partOf(kind, plan)),
    );
    const own = { name, metrics: metrics.snapshot(runtime.clock.now()) };
    return Object.assign({ ...noSnapshots }, ...shares, own) as CommandSnapshot;
  }

  describe(): PipelineDescription {
    return this.runtime.describePlan(this.lazyPlan.plan);
  }

  private make(): { readonly run: CommandRun; readonly pipeline: Pipeline } {
    const { name, metrics, runtime } = this;
    const { outcomes, pipeline } = this.lazyPlan.plan;
    return { run: { name, clock: runtime.clock, metrics, outcomes }, pipeline };
  }
}

/**
 * A function with its protection: what is run, what answers when that fails, and the policies around both. Made by
 * `ResilienceService.command()`.
 */
export class Command<Args extends readonly unknown[] = readonly unknown[], Result = unknown> {
  /** @internal */
  constructor(
    private readonly state: CommandState,
    private readonly functions: CommandFunctions,
  ) {}

  /** The name that it was defined with. */
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
    let begun: { readonly run: CommandRun; readonly pipeline: Pipeline };
    try {
      begun = this.state.ready;
    } catch (error) {
      return Promise.reject(error); // used before the application has started, and not configured well
    }
    const call = new CommandCall(begun.run, this.functions, args);
    return begun.pipeline.run(call) as Promise<Result>;
  }

  /** Runs it, at once, and hands out what can cancel it. */
  queue(...args: Args): CommandHandle<Result> {
    const { run, pipeline } = this.state.ready;
    const call = new QueuedCall(run, this.functions, args);
    return new CommandHandle<Result>(call, pipeline.run(call) as Promise<Result>, this.name);
  }

  /** Runs it for each that subscribes; unsubscribing cancels. */
  observe(...args: Args): Observable<Result> {
    return asStream(
      () => new CommandCall(this.state.ready.run, this.functions, args),
      (call) => this.state.ready.pipeline.run(call),
    ) as Observable<Result>;
  }

  /** How it is, and how the calls of the last while went. */
  snapshot(): CommandSnapshot {
    return this.state.snapshot();
  }

  /** Its policies as they are in force. */
  describe(): PipelineDescription {
    return this.state.describe();
  }
}
