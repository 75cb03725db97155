import { look } from '../common/outcomes/look.js';
import { isClass } from '../common/outcomes/error-matcher.js';
import { recordMisplaced } from '../execution/methods/records.js';
import { refuseStandardDecorators } from '../execution/methods/standard-decorators.js';

/** The place of a decorator: a class, or a member or a parameter of one. */
interface Place {
  readonly owner: Function;
  readonly key: string | symbol | undefined;
}

/**
 * Whether a decorator was used without parentheses, which untyped code can do: then it gets its place as arguments, not
 * options. That is a problem at bootstrap.
 *
 * @param given the arguments of the decorator
 */
export function isWithoutParentheses(label: string, given: readonly unknown[]): boolean {
  const [, context] = given;
  if (isStandardContext(context)) refuseStandardDecorators(label, context);
  const place = placeIn(given);
  if (place === undefined) return false;
  const problem = `is used without parentheses; write ${label}()`;
  recordMisplaced(place.owner, { key: place.key, label, problem });
  return true;
}

function placeIn(given: readonly unknown[]): Place | undefined {
  const [target, key] = given;
  if (given.length === 1 && typeof target === 'function' && isClass(target)) {
    return { owner: target, key: undefined };
  }
  if (given.length !== 3 || !isKey(key)) return undefined;
  const owner = typeof target === 'function' ? target : look(target, 'constructor');
  return typeof owner === 'function' ? { owner, key } : undefined;
}

/** `undefined`: of a parameter of the constructor. */
function isKey(key: unknown): key is string | symbol | undefined {
  return key === undefined || typeof key === 'string' || typeof key === 'symbol';
}

/** The second argument of a standard decorator. */
function isStandardContext(value: unknown): value is object {
  return typeof look(value, 'addInitializer') === 'function';
}
