import type { Observable } from 'rxjs';
import type { LazyPlan } from '../execution/lazy-plan.js';
import type { Runtime } from '../execution/runtime.js';
import { asStream } from '../execution/streams/streams.js';
import type { PipelineDescription } from '../pipeline/description.js';
import type { Pipeline } from '../pipeline/pipeline.js';
import { policies } from '../policies/canonical-order.js';
import type { CommandPolicies, Spareable } from '../policies/command-policies.js';
import { noSnapshots } from '../policies/snapshots.js';
import { RollingMetrics } from '../telemetry/metrics/metrics.js';
import type { CallContext } from './call-context.js';
import { CommandCall, type CommandFunctions, type CommandRun } from './command-call.js';
import { CommandHandle, QueuedCall } from './command-handle.js';
import type { Definitions } from './definitions.js';
import type { CommandSnapshot } from './snapshot.js';

/**
 * The work of a command, and its policies.
 *
 * @typeParam Args the arguments of the work
 * @typeParam Result the result of the work
 * @typeParam Spare the result of the fallback: the same, or `null` or `undefined`
 */
export interface CommandDefinition<
  Args extends readonly unknown[],
  Result,
  Spare extends Spareable<Result> = Result,
> extends CommandPolicies<Args, Spare> {
  /** The work: calls the dependency that may fail. */
  run(this: void, context: CallContext, ...args: Args): Result | Promise<Result>;
  /** A pipeline of `forRoot({ pipelines })` to take policies from; the command's own options change them or add to them. */
  readonly pipeline?: string;
}

/** A read-only view of a command. */
export interface CommandView {
  /** The name of the command. */
  readonly name: string;
  /** The state of its policies, and metrics of its recent calls. */
  snapshot(): CommandSnapshot;
  /** Its policies and their options in force. */
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
    lazyPlan.onReplaced = () => {
      this.made = undefined;
    };
  }

  /**
   * Registers a further definition of the command, unless it causes a problem.
   *
   * @returns the problem, if any. Always `undefined` before planning, which reports all problems together.
   */
  defineAgain(): string | undefined {
    const problem = this.lazyPlan.planned ? this.problemOfAnother() : undefined;
    if (problem === undefined) this.definitions.add();
    return problem;
  }

  private problemOfAnother(): string | undefined {
    for (const [kind, settings] of this.lazyPlan.plan.settings) {
      const problem = policies.get(kind)!.checkDefinedAgain?.(settings, this.definitions.reason);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }

  /** Everything that a call needs. @throws {ResilienceConfigurationError} when the configuration is wrong */
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
 * A protected function: the work, its fallback, and the policies around both. Made by
 * `ResilienceService.command()`.
 */
export class Command<Args extends readonly unknown[] = readonly unknown[], Result = unknown> {
  /** @internal */
  constructor(
    private readonly state: CommandState,
    private readonly functions: CommandFunctions,
  ) {}

  /** The name of the command. */
  get name(): string {
    return this.state.name;
  }

  /**
   * Runs the command.
   *
   * @throws what `run` or the fallback throws, the rejection of a policy (`CircuitOpenError`, `BulkheadFullError`,
   * `TimeoutError`), or a {@link ResilienceConfigurationError} when the configuration is wrong
   */
  execute(...args: Args): Promise<Result> {
    let begun: { readonly run: CommandRun; readonly pipeline: Pipeline };
    try {
      begun = this.state.ready;
    } catch (error) {
      return Promise.reject(error); // used before the application has started, and wrongly configured
    }
    const call = new CommandCall(begun.run, this.functions, args);
    return begun.pipeline.run(call) as Promise<Result>;
  }

  /**
   * Runs the command at once, and returns a handle that can cancel the call.
   *
   * @throws {ResilienceConfigurationError} when the configuration is wrong
   */
  queue(...args: Args): CommandHandle<Result> {
    const { run, pipeline } = this.state.ready;
    const call = new QueuedCall(run, this.functions, args);
    return new CommandHandle<Result>(call, pipeline.run(call) as Promise<Result>, this.name);
  }

  /** A cold Observable: each subscription runs the command; unsubscribing cancels the call. */
  observe(...args: Args): Observable<Result> {
    return asStream(
      () => new CommandCall(this.state.ready.run, this.functions, args),
      (call, waiter) => this.state.ready.pipeline.runFor(call, waiter),
    ) as Observable<Result>;
  }

  /** The state of its policies, and metrics of its recent calls. */
  snapshot(): CommandSnapshot {
    return this.state.snapshot();
  }

  /** Its policies and their options in force. */
  describe(): PipelineDescription {
    return this.state.describe();
  }
}
