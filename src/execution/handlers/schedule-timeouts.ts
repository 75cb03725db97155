import { look } from '../../common/outcomes/look.js';
import { lineOf } from '../methods/class-line.js';

/** Metadata in which `@Timeout()` of @nestjs/schedule records its time. */
const SCHEDULED = 'SCHEDULE_TIMEOUT_OPTIONS';

/**
 * The methods of a class with a `@Timeout()` of @nestjs/schedule that was meant to be ours: it has no number of milliseconds, as
 * `@Timeout('2s')`, which would run the method once, at the start.
 */
export function mistakenTimeoutsOn({ prototype }: Function): string[] {
  if (typeof prototype !== 'object' || prototype === null) return [];
  const names = lineOf(prototype as object, Object.prototype).flatMap((holder) =>
    Object.entries(Object.getOwnPropertyDescriptors(holder))
      .filter(([, { value }]) => typeof value === 'function' && isMistaken(value as Function))
      .map(([name]) => name),
  );
  return [...new Set(names)];
}

function isMistaken(method: Function): boolean {
  const scheduled: unknown = Reflect.getMetadata(SCHEDULED, method);
  return scheduled !== undefined && typeof look(scheduled, 'timeout') !== 'number';
}
