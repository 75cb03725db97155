import { types } from 'node:util';
import { isObservable, Observable } from 'rxjs';

/** The kind of result that a method returns, as far as policies need to know it. */
export type Returns = 'promise' | 'observable' | 'iterable';

/** A method, and the place of the types that TypeScript records for it, if it has a decorator. */
interface TypedMethod {
  readonly target: object;
  readonly key: string | symbol;
  readonly original: Function;
}

export function returnsOf(method: TypedMethod): Returns {
  const { original } = method;
  if (types.isAsyncFunction(original) && types.isGeneratorFunction(original)) return 'iterable';
  const type = declaredType(method);
  return type === Observable || isObservable((type as Function | undefined)?.prototype)
    ? 'observable'
    : 'promise';
}

/** Whether a method is known to be asynchronous, without calling it. */
export function isKnownAsynchronous(method: TypedMethod): boolean {
  if (types.isAsyncFunction(method.original) || returnsOf(method) !== 'promise') return true;
  return declaredType(method) === Promise;
}

/** The declared return type, also that of a decorated method which it overrides: an override returns the same type. */
function declaredType({ target, key }: TypedMethod): unknown {
  return Reflect.getMetadata('design:returntype', target, key);
}

/** Whether the compiler has recorded the types of a method: it does so for all decorated ones, or for none. */
export function isTyped({ target, key }: Pick<TypedMethod, 'target' | 'key'>): boolean {
  return Reflect.hasMetadata('design:type', target, key);
}

/** Members of objects that are or may be asynchronous results. */
const ONGOING = ['then', 'subscribe', Symbol.asyncIterator];

/**
 * The name of a method's declared return type, for messages, if it is certainly not asynchronous: `number`. `undefined`
 * otherwise: `Object` stands for interfaces and unions too, `Function` for callable interfaces.
 */
export function synchronousTypeOf(method: TypedMethod): string | undefined {
  if (types.isAsyncFunction(method.original)) return undefined;
  const type: unknown = Reflect.getOwnMetadata('design:returntype', method.target, method.key);
  if (typeof type !== 'function' || type === Object || type === Function) return undefined;
  const primitive = [Number, String, Boolean, Symbol, BigInt].some((each) => each === type);
  if (primitive) return type.name.toLowerCase();
  const prototype: unknown = type.prototype;
  if (typeof prototype !== 'object' || prototype === null) return undefined;
  return ONGOING.some((key) => key in prototype) ? undefined : type.name;
}

/** Whether a method certainly returns nothing, judging by its source. */
export function returnsNothing(method: Function): boolean {
  const source = Function.prototype.toString.call(method);
  return !/\breturn\b|\[native code\]/.test(source);
}
