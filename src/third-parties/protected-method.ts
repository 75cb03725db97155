import type { LazyPlan } from '../execution/lazy-plan.js';
import type { Plan } from '../execution/plan.js';
import type { Runtime } from '../execution/runtime.js';
import type { Path } from './paths.js';
import { iterate } from '../execution/streams/iterators.js';
import { adopt } from '../pipeline/call.js';
import { asStream } from '../execution/streams/streams.js';
import { type Given, type Gives, asynchronousKindOf, knownKindOf } from './asynchronous.js';
import { Chain } from './chain.js';
import { withIterator } from './iterable-facade.js';
import { ProtectedCall } from './protected-call.js';
import { type Run, withPolicies } from './query-facade.js';

/** An object may have a method for every possible name. */
const MAX_PATHS = 1000;

/** The policies of a method, and the means to run its calls by them. */
export interface MethodProtection {
  readonly lazyPlan: LazyPlan;
  readonly runtime: Runtime;
  /** Whether the options name the method, which declares it asynchronous. */
  readonly named: boolean;
  readonly path: Path;
  /** The kinds of results by path: an object may return a new function at each access. */
  readonly kinds: Map<Path, Gives>;
  /** Returns the proxy for the original object, and any other value unchanged. */
  readonly proxyOf: (value: unknown) => unknown;
}

/**
 * A method of a third party under policies. Whether it is asynchronous is unknown until it has been called. If it is
 * known to return promises, its policies decide whether it is called. Otherwise it is called first: a synchronous result
 * goes to the caller, untouched by policies; an asynchronous one becomes the first attempt of a call.
 */
export class ProtectedMethod {
  private readonly known: Gives | undefined;
  private readonly form: Form;
  /** Calls whose last argument is a function: with a callback, a method may return no promise. */
  private readonly callbackForm: Form;
  /** The methods of its queries that have returned a promise: `exec()`. */
  private readonly senders = new Set<PropertyKey>();

  constructor(
    private readonly method: Function,
    private readonly protection: MethodProtection,
  ) {
    this.known = knownKindOf(method);
    const isAsync = this.known === 'promise';
    const { named, kinds, path } = protection;
    const saysSo = named && this.known === undefined && !mentionsObservable(method);
    const kind = kinds.get(path);
    this.form = new Form(isAsync || (kind === undefined ? saysSo : kind === 'promise'));
    this.callbackForm = isAsync ? this.form : new Form(false);
  }

  call(self: unknown, args: readonly unknown[]): unknown {
    if (this.known === 'iterable') return this.iterator(self, args);
    if (this.formOf(args).givesPromises) return this.policiesFirst(self, args);
    const result: unknown = Reflect.apply(this.method, self, args);
    return this.take(result, self, args);
  }

  private formOf(args: readonly unknown[]): Form {
    return typeof args[args.length - 1] === 'function' ? this.callbackForm : this.form;
  }

  /** Returns the method's result, protected if it is asynchronous. */
  private take(given: unknown, self: unknown, args: readonly unknown[]): unknown {
    const shown = this.protection.proxyOf(given);
    if (shown !== given) return shown; // `this`, even if it is iterable
    switch (asynchronousKindOf(given)) {
      case 'promise': {
        const form = this.formOf(args);
        form.givesPromises = form.hasGivenPromise = true;
        if (form === this.form) this.remember('promise');
        return this.promise(self, args, adopt(given) as Promise<unknown>);
      }
      case 'query':
        if (this.formOf(args) === this.form) this.remember('query');
        return this.query(given as object, self, args);
      case 'observable':
        return this.stream(self, args, { given });
      case 'iterable':
        return this.iterable(given as AsyncIterable<unknown>, self, args);
      default:
        return given;
    }
  }

  private remember(kind: Gives): void {
    const { kinds, path } = this.protection;
    if (kinds.size < MAX_PATHS) kinds.set(path, kind);
  }

  private policiesFirst(self: unknown, args: readonly unknown[]): unknown {
    let plan: Plan;
    try {
      plan = this.plan;
    } catch (error) {
      return Promise.reject(error); // used before the application has started, and wrongly configured
    }
    const form = this.formOf(args);
    const call = this.newCall('promise', self, args);
    const result = plan.pipeline.run(call);
    call.entering = false;
    const { unexpected } = call;
    if (unexpected === undefined) {
      form.hasGivenPromise ||= call.reached;
      return this.handed(result, form);
    }
    result.catch(() => {}); // the caller gets the method's own result or error
    if ('error' in unexpected) throw unexpected.error;
    if (!form.hasGivenPromise) form.givesPromises = false;
    return this.take(unexpected.result, self, args);
  }

  private promise(self: unknown, args: readonly unknown[], begun: Promise<unknown>): unknown {
    begun.catch(() => {}); // if a policy rejects the call, nothing else handles the failure of the work
    const call = this.newCall('promise', self, args, { given: begun });
    return this.handed(this.plan.pipeline.run(call), this.formOf(args));
  }

  /**
   * A caller with a callback may ignore the promise, and one that expects something else cannot handle it: its failure must
   * not end the process.
   */
  private handed(result: Promise<unknown>, form: Form): Promise<unknown> {
    if (form !== this.form || !form.hasGivenPromise) result.catch(() => {});
    return result;
  }

  /** Each subscription is a call; the first one uses the Observable that the method has already returned. */
  private stream(self: unknown, args: readonly unknown[], begun: Given): unknown {
    let first: Given | undefined = begun;
    const begin = (): ProtectedCall => {
      const call = this.newCall('observable', self, args, first);
      first = undefined;
      return call;
    };
    return asStream(begin, (call, waiter) => this.plan.pipeline.runFor(call, waiter));
  }

  /** Each time a query is awaited is a call, which sends it. */
  private query(given: object, self: unknown, args: readonly unknown[]): object {
    const run: Run = (begun, another) => {
      const call = this.newCall('promise', self, args, { given: begun }, another);
      return this.plan.pipeline.run(call);
    };
    return withPolicies(given, run, this.senders);
  }

  private iterable(given: AsyncIterable<unknown>, self: unknown, args: readonly unknown[]): object {
    const chain = new Chain();
    return withIterator(given, this.iterator(self, args, { given }, chain), chain);
  }

  private iterator(
    self: unknown,
    args: readonly unknown[],
    begun?: Given,
    chain?: Chain,
  ): AsyncIterable<unknown> {
    const another = chain && ((): unknown => chain.repeat(Reflect.apply(this.method, self, args)));
    return iterate(async () =>
      this.plan.pipeline.run(this.newCall('iterable', self, args, begun, another)),
    );
  }

  private newCall(
    kind: Gives,
    self: unknown,
    args: readonly unknown[],
    begun?: Given,
    another?: () => unknown,
  ): ProtectedCall {
    const { runtime, proxyOf } = this.protection;
    return new ProtectedCall(this.method, self, args, {
      clock: runtime.clock,
      kind,
      proxyOf,
      begun,
      another,
      throws: !this.formOf(args).hasGivenPromise && this.known === undefined,
    });
  }

  private get plan(): Plan {
    return this.protection.lazyPlan.plan;
  }
}

/** The knowledge about the calls of one form. */
class Form {
  /** Whether a call has returned a promise. */
  hasGivenPromise = false;

  /** @param givesPromises whether calls are expected to return promises */
  constructor(public givesPromises: boolean) {}
}

/**
 * Whether a method probably returns an Observable. A hint, so that its first call is made before policies decide: the
 * caller could not use a promise, and a cold Observable does nothing before a subscription.
 */
function mentionsObservable(method: Function): boolean {
  return /observable/i.test(Function.prototype.toString.call(method));
}
