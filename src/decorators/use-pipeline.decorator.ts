import { show } from '../common/printable.js';
import { USED_PIPELINE } from '../execution/subject.js';
import { type PolicyDecorator, definePolicy } from './define.js';

/**
 * Gives a method, or all methods of a class, the policies of a pipeline of `forRoot({ pipelines })`. All users of the
 * pipeline share its breaker and its bulkhead. Other decorators on the method change single options, or add policies.
 *
 * @example
 * \@UsePipeline('storagesvc')
 */
export function UsePipeline(name: string): PolicyDecorator;
export function UsePipeline(...given: unknown[]): PolicyDecorator {
  return definePolicy(PIPELINE, given);
}

const PIPELINE = {
  kind: USED_PIPELINE,
  label: '@UsePipeline',
  normalize: (name: string) => ({ name }),
  wrong: (name: unknown) =>
    typeof name === 'string' ? undefined : `the name is ${show(name)}; use the name of a pipeline`,
};
