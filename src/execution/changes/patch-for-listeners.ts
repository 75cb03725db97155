import { isPlainObject } from '../../common/objects.js';
import { policies } from '../../policies/canonical-order.js';
import type { ToldPatch } from '../../telemetry/events.js';

/**
 * A copy of a patch for listeners, which may write it to a log or send it anywhere: plain data unchanged, functions and
 * other objects only by name, and options that may hold user data not at all.
 */
export function patchForListeners(
  patch: ReadonlyMap<string, Readonly<Record<string, unknown>> | null>,
): ToldPatch {
  const shown: Record<string, Record<string, unknown> | null> = {};
  for (const [kind, options] of patch) {
    const { hiddenOptions = [] } = policies.get(kind)!;
    const entries = Object.entries(options ?? {})
      .filter(([, value]) => value !== undefined)
      .map(([option, value]) => [
        option,
        hiddenOptions.includes(option) ? `[${option}]` : plainData(value),
      ]);
    shown[kind] = options && (Object.fromEntries(entries) as Record<string, unknown>);
  }
  return shown;
}

function plainData(value: unknown): unknown {
  if (typeof value === 'function') return `[${value.name || 'function'}]`;
  if (Array.isArray(value)) return value.map(plainData);
  if (isPlainObject(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plainData(each)]));
  }
  return typeof value === 'object' && value !== null ? '[object]' : value;
}
