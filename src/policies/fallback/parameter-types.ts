import type { ProtectedMethod } from '../policy.js';

/** Types that a key can be made of, or of which nothing is known (`Object`: interfaces, unions, type parameters). */
const keyed = new Set(
  [
    'Object',
    'Array',
    'String',
    'Number',
    'Boolean',
    'BigInt',
    'Date',
    'Map',
    'Set',
    'URL',
    'AbortSignal',
    'Buffer',
    'Int8Array',
    'Uint8Array',
    'Uint8ClampedArray',
    'Int16Array',
    'Uint16Array',
    'Int32Array',
    'Uint32Array',
    'Float16Array',
    'Float32Array',
    'Float64Array',
    'BigInt64Array',
    'BigUint64Array',
  ].map((name) => (globalThis as unknown as Record<string, unknown>)[name]),
);

/** The parameters that no key can be made of, according to their declared types, as far as TypeScript records these. */
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
