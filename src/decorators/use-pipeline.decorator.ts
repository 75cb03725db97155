import { USED_PIPELINE } from '../execution/subject.js';
import { type PolicyDecorator, definePolicy } from './define.js';

/**
 * Gives a method, or all methods of a class, the policies of a pipeline of `forRoot({ pipelines })`. All users of the
 * pipeline share its breaker and its bulkhead. Other decorators on the method change single options, or add policies.
 *
 * @example
 * \@UsePipeline('storagesvc')
 */
export function UsePipeline(name: string): PolicyDecorator {
  return definePolicy({ kind: USED_PIPELINE, label: '@UsePipeline' }, { name });
}
