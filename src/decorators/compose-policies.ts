import { show } from '../common/printable.js';
import { recordMisplaced } from '../execution/methods/records.js';
import { refuseStandardDecorators } from '../execution/methods/standard-decorators.js';
import type { PolicyDecorator } from './define.js';
import type { Arguments, Demanding, MethodPolicyDecorator } from './method-policy-decorator.js';

/** A decorator of this library or another one that may stand on a method. */
type MethodPart =
  | PolicyDecorator
  | MethodDecorator
  | (((target: never, key: string | symbol, descriptor: never) => void) &
      Demanding<string, unknown, Arguments>);

/** The demands of the parts on the class and the method. */
type NameIn<Part> = Part extends Demanding<infer Name, unknown, Arguments> ? Name : never;
type ResultIn<Part> = Part extends Demanding<string, infer Result, Arguments> ? [Result] : never;
type ArgumentsIn<Part> = Part extends Demanding<string, unknown, infer Args> ? Args : never;

/** The type of the answer; `unknown` without one. */
type AnswerIn<Part> = [ResultIn<Part>] extends [never] ? unknown : ResultIn<Part>[0];

type AtLeastOne<T> = readonly [T, ...T[]];
type AnyDecorator = (...target: never[]) => unknown;

/**
 * Combines several decorators into one that keeps the compiler's checks: methods without a promise or a stream, and
 * fallbacks that do not fit, are errors where the composition is applied. Decorators of Nest may be among the parts.
 * The composition works on classes if all of its parts do, and may be a part of another one.
 *
 * The order of policies does not matter. Other decorators are applied in the given order, as by Nest's
 * `applyDecorators()`. A policy that is applied twice, or to the method as well, is a problem at bootstrap; so is an empty composition.
 *
 * @param decorators the parts
 *
 * @example
 * export const Resilient = () => composePolicies(Retry(), CircuitBreaker('storagesvc'), Timeout('2s'));
 */
export function composePolicies(...decorators: AtLeastOne<PolicyDecorator>): PolicyDecorator;
/** A composition for classes alone: a part of it, such as `Injectable()`, is for classes. */
export function composePolicies(
  ...decorators: AtLeastOne<PolicyDecorator | ClassDecorator>
): ClassDecorator;
/** A composition for methods alone: a part of it, such as `Fallback()` or `Get()`, is for methods. */
export function composePolicies<Parts extends AtLeastOne<MethodPart>>(
  ...decorators: Parts
): MethodPolicyDecorator<
  NameIn<Parts[number]>,
  AnswerIn<Parts[number]>,
  ArgumentsIn<Parts[number]>
>;
export function composePolicies(...decorators: readonly AnyDecorator[]): unknown {
  return (target: object, key?: string | symbol, descriptor?: PropertyDescriptor): unknown => {
    refuseStandardDecorators('composePolicies()', key);
    const report = (problem: string): void => {
      const owner = typeof target === 'function' ? target : target.constructor;
      recordMisplaced(owner, { key, label: 'composePolicies()', problem });
    };
    if (decorators.length === 0) report('is given no decorators; give it at least one');
    return key === undefined
      ? decorators.reduce<object>((type, part) => applied(part, [type], report) ?? type, target)
      : decorators.reduce<PropertyDescriptor | undefined>(
          (current, part) => applied(part, [target, key, current], report) ?? current,
          descriptor,
        );
  };
}

/** The class or descriptor that a part returns as a replacement. */
function applied(
  part: AnyDecorator,
  subject: unknown[],
  report: (problem: string) => void,
): PropertyDescriptor | undefined {
  if (typeof part !== 'function') {
    report(`is given ${show(part)}; give it decorators such as Retry()`);
    return undefined;
  }
  const result: unknown = part(...(subject as never[]));
  if (!isDecorator(result)) return result as PropertyDescriptor | undefined;
  report(`is given ${part.name} without parentheses; write ${part.name}()`);
  return undefined;
}

/** The result of a decorator factory that was used as a decorator: a function that is not a class. */
function isDecorator(result: unknown): boolean {
  return typeof result === 'function' && result.prototype === undefined;
}
