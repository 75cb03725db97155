import type { Job } from 'bullmq';
import { isWithoutParentheses } from '../decorators/without-parentheses.js';
import { prepareSlot } from '../execution/slot.js';
import { refuseStandardDecorators } from '../execution/methods/standard-decorators.js';
import { wrapMethod } from '../execution/method-wrapper.js';
import { type DelayOptions, minDelayOf, delayWhenRejected } from './delay-when-rejected.js';

/** Decorates `process()` of a `WorkerHost` of @nestjs/bullmq. */
export type ProcessDecorator = <T extends (job: never, token?: string) => Promise<unknown>>(
  target: object,
  key: string | symbol,
  descriptor: TypedPropertyDescriptor<T>,
) => void;

/**
 * Decorates `process()` of a processor: a job that is rejected (an open circuit, a full bulkhead), by the policies of
 * the method or of services that it calls, is delayed until it may be accepted, without using up an attempt. The
 * position among other decorators does not matter.
 *
 * @example
 * \@DelayWhenRejected()
 * \@CircuitBreaker('mail')
 * async process(job: Job): Promise<void>
 *
 * @throws {TypeError} when the options are wrong
 */
export function DelayWhenRejected(options?: DelayOptions): ProcessDecorator;
export function DelayWhenRejected(...given: unknown[]): unknown {
  if (isWithoutParentheses('@DelayWhenRejected', given)) return undefined;
  const [options = {}] = given as [DelayOptions?];
  minDelayOf(options);
  return (target: object, key: string | symbol, descriptor: PropertyDescriptor): void => {
    refuseStandardDecorators('@DelayWhenRejected', key);
    const decorated = wrapMethod(target, key, descriptor);
    prepareSlot(target);
    decorated.around = (result, [job, token]) =>
      Promise.resolve(result).catch((error: unknown) =>
        delayWhenRejected(job as Job, token as string | undefined, error, options),
      );
  };
}
