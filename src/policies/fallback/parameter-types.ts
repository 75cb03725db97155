import type { ProtectedMethod } from '../policy.js';
import { TYPED_ARRAYS } from './platform-objects.js';

/** Types that a key can be made of, or that reveal nothing (`Object`: interfaces, unions, type parameters). */
const keyed = new Set<unknown>([
  Object,
  Array,
  String,
  Number,
  Boolean,
  BigInt,
  Date,
  Map,
  Set,
  URL,
  AbortSignal,
  ...TYPED_ARRAYS,
]);

/** The parameters that no key can be made of, by their declared types, as far as TypeScript records them. */
export function unkeyedParameters({
  target,
  key,
}: ProtectedMethod): { readonly index: number; readonly type: string }[] {
  const types: unknown = Reflect.getMetadata('design:paramtypes', target, key);
  if (!Array.isArray(types)) return [];
  return types.flatMap((type: unknown, index) =>
    typeof type !== 'function' || keyed.has(type) ? [] : [{ index, type: type.name }],
  );
}
