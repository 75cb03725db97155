import { USED_PIPELINE } from '../execution/subject.js';
import { type PolicyDecorator, definePolicy } from './define.js';

/**
 * Gives a method the policies of a pipeline of `forRoot({ pipelines })`. All who use it share its breaker and its
 * bulkhead. Other decorators of the method change single options of it, or add policies.
 *
 * @example
 * \@UsePipeline('storagesvc')
 */
export function UsePipeline(name: string): PolicyDecorator {
  return definePolicy({ kind: USED_PIPELINE, label: '@UsePipeline' }, { name });
}
