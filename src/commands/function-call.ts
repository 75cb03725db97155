import type { Clock } from '../common/clock.js';
import { isSignal } from '../pipeline/abort-signals.js';
import type { CallScope } from '../pipeline/call-scope.js';
import { isObservableResult, isStream } from '../execution/streams/streams.js';
import { isPromiseLike } from '../common/outcomes/look.js';
import { Call, type Substitute, adopt } from '../pipeline/call.js';
import { AttemptContext, type CallContext } from './call-context.js';

/** A protected function that is not a method: gets the context and the caller's arguments. */
export type Work = (context: CallContext, ...args: never[]) => unknown;

/** A call of a function, by a command or a pipeline. */
export class FunctionCall extends Call {
  /** Whether the function has been called. */
  protected begun = false;
  private context: AttemptContext | undefined = undefined;

  constructor(
    private readonly name: string,
    /** The function's `this`. */
    self: unknown,
    private readonly work: Work,
    args: readonly unknown[],
    clock: Clock,
    scope: CallScope | undefined,
  ) {
    super(args, clock, self);
    if (scope !== undefined) this.reports = scope.reports;
    if (args.length > 0) this.obeyAll(args);
  }

  private obeyAll(args: readonly unknown[]): void {
    for (const arg of args) if (isSignal(arg)) this.obey(arg);
  }

  protected override perform(): unknown {
    const { self, args } = this;
    const work = this.work as (context: CallContext, ...args: unknown[]) => unknown;
    const context = new AttemptContext(this.name, this);
    this.context = context;
    this.begun = true;
    const result = args.length === 0 ? work.call(self, context) : work.call(self, context, ...args);
    if (isPromiseLike(result)) return adopt(result); // before isStream(): an unsent query may be iterable too
    if (isStream(result)) throw this.returnsStream();
    return result;
  }

  /**
   * Checks the result of an `async` function, which is known only now. An async iterable is accepted: a file or a response,
   * for example.
   */
  override succeed(value: unknown): void {
    if (isObservableResult(value)) this.fail(this.returnsStream());
    else super.succeed(value);
  }

  private returnsStream(): TypeError {
    return new TypeError(
      `${this.name} returned a stream; make a promise of it, such as with firstValueFrom(), or decorate a method that returns it`,
    );
  }

  override interrupt(level: number, error: unknown): void {
    if (!this.finished) this.context?.giveUp(error);
    super.interrupt(level, error);
  }

  protected override performInstead(run: Substitute): unknown {
    return adopt(run(this.self, this.args));
  }
}
