import { firstValueFrom } from 'rxjs';
import { isSignal } from '../pipeline/abort-signals.js';
import type { CallScope } from '../pipeline/call-scope.js';
import { isPromiseLike } from '../common/outcomes/look.js';
import { Call, type Substitute, adopt } from '../pipeline/call.js';
import type { MethodPlan } from './plan.js';
import { firstItemOf } from './streams/iterators.js';
import type { DecoratedMethod, Method } from './methods/decorated-method.js';
import { isTyped } from './methods/return-type.js';
import { firstOf, isObservableResult, isStream } from './streams/streams.js';

/** A call of a decorated method. */
export class MethodCall extends Call {
  /** Set when the method has returned a stream but is not known to return one: policies cannot judge it. */
  misuse: TypeError | undefined = undefined;

  constructor(
    private readonly plan: MethodPlan,
    self: unknown,
    args: readonly unknown[],
    scope: CallScope | undefined,
  ) {
    super(args, plan.clock, self);
    if (plan.signalIndex !== undefined) this.giveSignal(plan.signalIndex);
    if (scope !== undefined) this.reports = scope.reports;
  }

  /** The method gets a signal of this call, which also ends by that of the caller. */
  private giveSignal(index: number): void {
    this.interruptible = true;
    const given = this.args[index];
    if (isSignal(given)) this.obey(given);
  }

  protected override get mayStream(): boolean {
    return this.plan.returns !== 'promise';
  }

  protected override perform(): unknown {
    const { plan, self } = this;
    const result = applied(plan.decorated.original, self, this.ownArgs());
    if (isNativePromise(result)) return result;
    if (plan.returns !== 'promise') {
      if (plan.returns === 'iterable') return firstItemOf(result as AsyncIterable<unknown>, this);
      if (isObservableResult(result)) return firstOf(result, this);
    }
    if (isPromiseLike(result)) return adopt(result); // before isStream(): an unsent query may be iterable too
    if (!isStream(result)) return result;
    this.misuse = new TypeError(
      `${plan.pipeline.name} returned a stream, but is not known to: ${howToDeclare(plan.decorated)}`,
    );
    throw this.misuse;
  }

  /** An Observable without a subscriber inside the policies is not a success. */
  override succeed(value: unknown): void {
    if (!isObservableResult(value) || this.plan.mayResolveToStream) return super.succeed(value);
    const { name } = this.plan.pipeline;
    this.fail(
      new TypeError(
        `${name} resolved to an Observable, so its policies cannot see when it ends. Await firstValueFrom(…) inside it, or drop \`async\` and ${DECLARE}`,
      ),
    );
  }

  protected override performInstead(run: Substitute): unknown {
    const result = run(this.self, this.args);
    if (!isObservableResult(result)) return result;
    return this.plan.returns === 'promise' ? firstValueFrom(result) : firstOf(result, this);
  }

  /** The caller's arguments, with the signal of this call as the `@Signal()` parameter. */
  private ownArgs(): readonly unknown[] {
    const { signalIndex } = this.plan;
    if (signalIndex === undefined) return this.args;
    const args = Array.from(this.args);
    args[signalIndex] = this.signal;
    return args;
  }
}

/** Whether `adopt()` returns the promise unchanged. A promise of a subclass may be a query that `then()` sends. */
function isNativePromise(value: unknown): value is Promise<unknown> {
  try {
    return value instanceof Promise && value.constructor === Promise;
  } catch {
    return false; // a proxy that throws
  }
}

/** The same as `apply()`, but faster for the few arguments that most methods have. */
function applied(method: Method, self: unknown, args: readonly unknown[]): unknown {
  switch (args.length) {
    case 0:
      return method.call(self);
    case 1:
      return method.call(self, args[0]);
    case 2:
      return method.call(self, args[0], args[1]);
    default:
      return method.apply(self, args as unknown[]);
  }
}

/** The mend for a method that is not known to return a stream. */
function howToDeclare(decorated: DecoratedMethod): string {
  return isTyped(decorated) ? DECLARE : `${RECORD_TYPES}, and ${DECLARE}`;
}

const RECORD_TYPES =
  'set "emitDecoratorMetadata": true in tsconfig.json, or the equivalent setting of your compiler';

const DECLARE =
  'declare its return type as Observable<…> (imported as a value, not by "import type"), or write it as an async ' +
  'generator (a decorator that replaces such a method must be above the policies), so that its policies can apply to ' +
  'each subscription';
