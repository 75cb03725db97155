import type { CallScope } from '../pipeline/call-scope.js';
import { iterate } from './streams/iterators.js';
import { MethodCall } from './method-call.js';
import type { MethodPlan } from './plan.js';
import { asStream } from './streams/streams.js';

/** Runs a call of a decorated method by its plan. */
export function invoke(
  plan: MethodPlan,
  self: unknown,
  args: readonly unknown[],
  scope: CallScope | undefined,
): unknown {
  if (plan.returns !== 'promise') return stream(plan, self, args, scope);
  const call = new MethodCall(plan, self, args, scope);
  const result = plan.pipeline.run(call);
  if (call.misuse !== undefined) return refuse(result, call.misuse);
  return plan.nestCaller === undefined ? result : plan.nestCaller(result);
}

/** The caller expects a stream, and would not handle a rejected promise. */
function refuse(result: Promise<unknown>, misuse: TypeError): never {
  result.catch(() => {});
  throw misuse;
}

/** Each subscription to the stream begins a separate call. */
function stream(
  plan: MethodPlan,
  self: unknown,
  args: readonly unknown[],
  scope: CallScope | undefined,
): unknown {
  const begin = (): MethodCall => new MethodCall(plan, self, args, scope);
  return plan.returns === 'iterable'
    ? iterate(() => plan.pipeline.run(begin()))
    : asStream(begin, (call, waiter) => plan.pipeline.runFor(call, waiter));
}
