import { readArgument, requireFunction } from '../common/given.js';
import { isPlainObject } from '../common/objects.js';
import { look } from '../common/outcomes/look.js';
import { notOptions } from '../common/printable.js';
import type { LazyPlan } from '../execution/lazy-plan.js';
import type { Plan } from '../execution/plan.js';
import type { Runtime } from '../execution/runtime.js';
import { callScope } from '../pipeline/call-scope.js';
import type { PipelineDescription } from '../pipeline/description.js';
import type { CallContext } from './call-context.js';
import { isSignal } from '../pipeline/abort-signals.js';
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
   * @throws {TypeError} when `work` is not a function, or an option is wrong
   *
   * @example
   * await pipeline.execute(({ signal }) => fetch(url, { signal }));
   */
  execute<Result>(
    work: (context: CallContext) => Result | Promise<Result>,
    options?: ExecuteOptions,
  ): Promise<Result> {
    try {
      requireFunction('execute()', 'the work', work);
      const signal = options === undefined ? undefined : signalOf(options);
      return this.run(undefined, work, [], signal) as Promise<Result>;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * A function that runs `work` under the policies, with the same `this` and arguments. It has the name and the length of
   * `work`.
   *
   * @throws {TypeError} when `work` is not a function
   *
   * @example
   * const getBooks = pipeline.wrap((shelf: string) => client.getBooks(shelf));
   */
  wrap<This, Args extends readonly unknown[], Result>(
    work: (this: This, ...args: Args) => Result | Promise<Result>,
  ): (this: This, ...args: Args) => Promise<Result> {
    requireFunction('wrap()', 'the work', work);
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

const RIGHT = '{ signal }';

/** @throws {TypeError} when an option is wrong */
function signalOf(options: ExecuteOptions): AbortSignal | undefined {
  const given = look(options, 'signal');
  if (isSignal(given) && hasNothingElse(options)) return given as AbortSignal;
  if (isSignal(options)) throw new TypeError(`execute(): ${notOptions(options, { right: RIGHT })}`);
  return readArgument('execute()', options, RIGHT, (read) => {
    const signal: unknown = read.raw('signal');
    if (signal === undefined || isSignal(signal)) return signal as AbortSignal | undefined;
    return read.wrong('signal', signal, 'an AbortSignal');
  });
}

/**
 * Also true of an object of a class, which has its signal for other purposes too: a `Request`, or the context of a call around this
 * one. Without a list of the names: this is asked for each call.
 */
function hasNothingElse(options: ExecuteOptions): boolean {
  for (const option in options) if (option !== 'signal') return !isPlainObject(options);
  return true;
}
