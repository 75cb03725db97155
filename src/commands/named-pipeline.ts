import type { LazyPlan } from '../execution/lazy-plan.js';
import type { Plan } from '../execution/plan.js';
import type { Runtime } from '../execution/runtime.js';
import { callScope } from '../pipeline/call-scope.js';
import type { PipelineDescription } from '../pipeline/description.js';
import type { CallContext } from './call-context.js';
import { FunctionCall, type Work } from './function-call.js';

/** Options of `NamedPipeline.execute()`. */
export interface ExecuteOptions {
  /** Stops the call when aborted; its reason becomes the call's error. */
  readonly signal?: AbortSignal | undefined;
}

/** Named policies for any code. Made by `ResilienceService.pipeline()`. */
export class NamedPipeline {
  /** @internal */
  constructor(
    /** The name of the pipeline. */
    readonly name: string,
    private readonly lazyPlan: LazyPlan,
    private readonly runtime: Runtime,
  ) {}

  /**
   * Runs `work` under the policies.
   *
   * @throws what `work` or the fallback throws, the rejection of a policy, or a {@link ResilienceConfigurationError} when
   * the configuration is wrong
   *
   * @example
   * await pipeline.execute(({ signal }) => fetch(url, { signal }));
   */
  execute<Result>(
    work: (context: CallContext) => Result | Promise<Result>,
    { signal }: ExecuteOptions = {},
  ): Promise<Result> {
    return this.run(undefined, work, [], signal) as Promise<Result>;
  }

  /**
   * A function that runs `work` under the policies, with the same `this` and arguments. It has the name and the length of
   * `work`.
   *
   * @example
   * const getBooks = pipeline.wrap((shelf: string) => client.getBooks(shelf));
   */
  wrap<This, Args extends readonly unknown[], Result>(
    work: (this: This, ...args: Args) => Result | Promise<Result>,
  ): (this: This, ...args: Args) => Promise<Result> {
    const withoutContext: Work = function (this: This, _context: CallContext, ...args: never[]) {
      return work.apply(this, args as never);
    };
    const run = (self: This, args: Args): Promise<Result> =>
      this.run(self, withoutContext, args) as Promise<Result>;
    const wrapped = function (this: This, ...args: Args): Promise<Result> {
      return run(this, args);
    };
    const { name, length } = work;
    return Object.defineProperties(wrapped, { name: { value: name }, length: { value: length } });
  }

  /** Its policies and their options in force. */
  describe(): PipelineDescription {
    return this.runtime.describePlan(this.lazyPlan.plan);
  }

  private run(
    self: unknown,
    work: Work,
    args: readonly unknown[],
    signal?: AbortSignal,
  ): Promise<unknown> {
    const { name, runtime, lazyPlan } = this;
    let plan: Plan;
    try {
      plan = lazyPlan.plan;
    } catch (error) {
      return Promise.reject(error); // used before the application has started, and wrongly configured
    }
    const call = new FunctionCall(name, self, work, args, runtime.clock, callScope.getStore());
    if (signal !== undefined) call.obey(signal);
    return plan.pipeline.run(call);
  }
}
