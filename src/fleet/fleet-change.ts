import { isPlainObject } from '../common/objects.js';
import { define } from '../common/own.js';

/** Options by policy, as plain data; `null` reverts earlier changes of the policy at the same target. */
export type SharedPatch = Readonly<Record<string, Readonly<Record<string, unknown>> | null>>;

/** A change of options for the whole fleet. */
export interface FleetChange {
  /** Unique to this change. */
  readonly id: string;
  readonly target: string;
  /** `null` reverts all earlier changes of the target. */
  readonly patch: SharedPatch | null;
  /** Who has made it. */
  readonly by?: string;
  /** Why. */
  readonly reason?: string;
  /** When it ends, on the clock of this instance; `Infinity` if it stays. */
  readonly endsAt: number;
}

/** The changes in force after another one: what it reverts or covers of them is gone. */
export function withChange(
  changes: readonly FleetChange[],
  change: FleetChange,
): readonly FleetChange[] {
  const rest = changes
    .filter(({ id }) => id !== change.id)
    .flatMap((former) => (former.target === change.target ? remainder(former, change) : [former]));
  return [...rest, change];
}

/** Whether a change only reverts others: it stays for a while, so that all hear who has made it. */
export function isRevocation({ patch }: FleetChange): boolean {
  return patch === null || Object.values(patch).every((options) => options === null);
}

/** The changes whose time is not over. */
export function standing(changes: readonly FleetChange[], now: number): readonly FleetChange[] {
  return changes.every(({ endsAt }) => endsAt > now)
    ? changes
    : changes.filter(({ endsAt }) => endsAt > now);
}

/** Distinguishes changes: the rest of one has its id, but a different patch. */
export function identityOf({ id, patch }: FleetChange): string {
  return `${id} ${JSON.stringify(patch)}`;
}

/** Whether they are the same changes in the same order; each round reads new objects. */
export function areSame(some: readonly FleetChange[], others: readonly FleetChange[]): boolean {
  if (some.length !== others.length) return false;
  return some.every((change, i) => identityOf(change) === identityOf(others[i]!));
}

/** Whether a change is among others. */
export function isIn({ id }: FleetChange, changes: readonly FleetChange[]): boolean {
  return changes.some((each) => each.id === id);
}

/** Whether they are the same changes; their order is that of the store. */
export function areSameInAnyOrder(
  some: readonly FleetChange[],
  others: readonly FleetChange[],
): boolean {
  const identities = new Set(others.map(identityOf));
  return some.length === others.length && some.every((each) => identities.has(identityOf(each)));
}

/** The rest of a change after a later one of the same target. */
function remainder(former: FleetChange, { patch, endsAt }: FleetChange): FleetChange[] {
  if (patch === null) return [];
  if (former.patch === null) return [former];
  const left: Record<string, SharedPatch[string]> = {};
  for (const [kind, options] of Object.entries(former.patch)) {
    const later = Object.hasOwn(patch, kind) ? patch[kind] : undefined;
    const rest = later === null ? undefined : uncovered(options, later, endsAt >= former.endsAt);
    if (rest !== undefined) define(left, kind, rest);
  }
  return Object.keys(left).length === 0 ? [] : [{ ...former, patch: left }];
}

/** @param lasting whether the later options last as long as the former ones @returns `undefined` when nothing is left */
function uncovered(
  former: SharedPatch[string],
  later: Readonly<Record<string, unknown>> | undefined,
  lasting: boolean,
): SharedPatch[string] | undefined {
  if (former === null || later === undefined || !lasting) return former;
  const rest = Object.entries(former).filter(([option, value]) => {
    return !Object.hasOwn(later, option) || !covers(later[option], value);
  });
  if (rest.length === 0) return undefined;
  const options = {};
  for (const [option, value] of rest) define(options, option, value);
  return options;
}

/** Options that are objects are merged, so that only one that has all members of the former one hides it. */
function covers(later: unknown, former: unknown): boolean {
  if (!isPlainObject(later) || !isPlainObject(former)) return true;
  return Object.keys(former).every((member) => Object.hasOwn(later, member));
}
