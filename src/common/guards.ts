import type { CanActivate, Type } from '@nestjs/common';
import type { OptionsReader } from './options-reader.js';

/** A guard of a route: its class, or an object. */
export type Guard = CanActivate | Type<CanActivate>;

/** The option `guards`; `undefined` when it is not given or wrong. */
export function readGuards<Options extends { readonly guards?: readonly Guard[] }>(
  read: OptionsReader<Options>,
): readonly Guard[] | undefined {
  const guards: unknown = read.raw('guards');
  if (guards === undefined) return undefined;
  if (Array.isArray(guards) && guards.every(isGuard)) return guards;
  return read.wrong('guards', guards, 'a list of guards: classes, or objects with canActivate()');
}

function isGuard(value: unknown): value is Guard {
  if (typeof value === 'function') return true;
  return typeof (value as CanActivate | null)?.canActivate === 'function';
}
