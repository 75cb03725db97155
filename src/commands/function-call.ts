import { isObservable } from 'rxjs';
import type { Clock } from '../common/clock.js';
import { type CallScope, joinScope } from '../pipeline/call-scope.js';
import { Call, type Substitute } from '../pipeline/call.js';
import { CallContext } from './call-context.js';

/** Protected code that is no method: gets the context and the caller's arguments. */
export type Work = (context: CallContext, ...args: never[]) => unknown;

/** A call of a function, by a command or a pipeline. */
export class FunctionCall extends Call {
  constructor(
    private readonly name: string,
    /** What `this` is for the function and its fallback. */
    private readonly self: unknown,
    private readonly work: Work,
    args: readonly unknown[],
    clock: Clock,
    scope: CallScope | undefined,
  ) {
    super(args, clock);
    if (scope !== undefined) joinScope(this, scope);
  }

  override start(): unknown {
    const { self, args } = this;
    const work = this.work as (context: CallContext, ...args: unknown[]) => unknown;
    const context = new CallContext(this.name, this);
    const result = args.length === 0 ? work.call(self, context) : work.call(self, context, ...args);
    if (result instanceof Promise) return result;
    if (isObservable(result)) {
      throw new TypeError(
        `${this.name} returned an Observable; make a promise of it with firstValueFrom(), or decorate a method that returns it`,
      );
    }
    return result;
  }

  override substitute(run: Substitute): unknown {
    return run(this.self, this.args);
  }
}
