import type { Outcome, OutcomeRule } from '../common/outcomes/outcome.js';
import { holdsReadStream } from '../common/bodies.js';
import { isPlainObject } from '../common/objects.js';
import { firstItemOf } from '../execution/streams/iterators.js';
import { firstOf, isObservableResult } from '../execution/streams/streams.js';
import type { Clock } from '../common/clock.js';
import { isSignal } from '../pipeline/abort-signals.js';
import { callScope } from '../pipeline/call-scope.js';
import { Call, type Substitute, adopt } from '../pipeline/call.js';
import { type Given, type Gives, asynchronousKindOf } from './asynchronous.js';

/** The details of a call before it is made. */
export interface Expectation {
  readonly clock: Clock;
  /** The kind of the method's result. */
  readonly kind: Gives;
  /** Whether an error that the method throws synchronously is thrown synchronously to the caller too. */
  readonly throws: boolean;
  /** A result that the method has returned already, used as the first attempt. */
  readonly begun: Given | undefined;
  /** Makes another attempt, if that is different from another call of the method. */
  readonly another: (() => unknown) | undefined;
  /** Returns the proxy for the original object, and any other value unchanged. */
  readonly proxyOf: (value: unknown) => unknown;
}

/** A call of a protected object's method. */
export class ProtectedCall extends Call {
  /** A synchronous result or error, while the caller still waits for `run()` to return. */
  unexpected: { readonly result: unknown } | { readonly error: unknown } | undefined = undefined;
  /** Whether the caller can still get something other than a promise. */
  entering: boolean;

  /** Whether the method has been called. */
  reached = false;
  private begun: Given | undefined;

  constructor(
    private readonly method: Function,
    self: unknown,
    args: readonly unknown[],
    private readonly expected: Expectation,
  ) {
    super(args, expected.clock, self);
    this.begun = expected.begun;
    this.entering = expected.begun === undefined;
    const scope = callScope.getStore();
    if (scope !== undefined) this.reports = scope.reports;
    for (const arg of args) this.obeySignalsOf(arg);
  }

  private obeySignalsOf(arg: unknown): void {
    if (isSignal(arg)) return this.obey(arg);
    if (!isPlainObject(arg)) return;
    // The names that `fetch` and the AWS SDK use.
    for (const key of ['signal', 'abortSignal']) {
      const given = Object.getOwnPropertyDescriptor(arg, key)?.value as unknown;
      if (isSignal(given)) this.obey(given);
    }
  }

  /** If the first attempt has read the body, another one would send it empty or incomplete. */
  override wantsAnotherAttempt(): boolean {
    return !this.args.some((arg) => holdsReadStream(arg));
  }

  protected override get mayStream(): boolean {
    return this.expected.kind !== 'promise';
  }

  protected override perform(): unknown {
    const { kind } = this.expected;
    const given = this.give();
    if (kind === 'iterable') return firstItemOf(given as AsyncIterable<unknown>, this);
    if (kind === 'observable' && isObservableResult(given)) return firstOf(given, this);
    return this.unexpected === undefined ? adopt(given) : undefined; // the caller has it already
  }

  private give(): unknown {
    const { begun, method, self, args, expected } = this;
    this.begun = undefined;
    if (begun !== undefined) return begun.given;
    this.reached = true;
    if (expected.kind !== 'promise' || !this.entering) {
      if (expected.another !== undefined) return expected.another();
      return this.complete(Reflect.apply(method, self, args));
    }
    try {
      const result: unknown = Reflect.apply(method, self, args);
      if (asynchronousKindOf(result) !== 'promise') this.unexpected = { result };
      return result;
    } catch (error) {
      if (expected.throws) this.unexpected = { error };
      throw error;
    }
  }

  /** A caller who has a promise already cannot add to a query: a `delete()` would be sent without its `where()`. */
  private complete(result: unknown): unknown {
    const { expected, method } = this;
    if (expected.kind !== 'promise' || asynchronousKindOf(result) !== 'query') return result;
    throw new TypeError(
      `${method.name}() returned a query after its call had waited: the caller already has a promise, so the query cannot be completed; give its first call policies that do not wait`,
    );
  }

  /** A result that the caller gets unchanged says nothing about the dependency. */
  override outcomeBy(rule: OutcomeRule): Outcome {
    return this.unexpected === undefined ? super.outcomeBy(rule) : 'ignored';
  }

  override succeed(value: unknown): void {
    super.succeed(this.expected.proxyOf(value));
    if (this.unexpected !== undefined) this.resultRejected = true; // not to be kept
  }

  protected override performInstead(run: Substitute): unknown {
    const result = run(this.self, this.args);
    if (this.expected.kind === 'observable' && isObservableResult(result))
      return firstOf(result, this);
    return adopt(result);
  }
}
