import { types } from 'node:util';
import type { Clock } from '../../common/clock.js';
import { ResilienceConfigurationError } from '../../common/errors.js';
import { isPlainObject } from '../../common/objects.js';
import type { Problems } from '../../common/options-reader.js';
import { define } from '../../common/own.js';
import { printable, show } from '../../common/printable.js';
import { LIMITS } from '../../fleet/change-document.js';
import {
  type FleetChange,
  type SharedPatch,
  areSame,
  identityOf,
  isIn,
  isRevocation,
  withChange,
} from '../../fleet/fleet-change.js';
import type { ChangesAdopter } from '../../fleet/changes-host.js';
import type { FleetChanges } from '../../fleet/fleet-changes.js';
import type { ConfigurationEvent } from '../../telemetry/events.js';
import type { ResilienceEvents } from '../../telemetry/resilience-events.js';
import {
  type ChangeChecker,
  type LiveChanges,
  type Normalized,
  normalizedPatch,
} from './live-changes.js';
import type { Patch, PatchNote } from '../module-options.js';
import { patchForListeners } from './patch-for-listeners.js';

/** The dependencies of {@link SharedChanges}. */
export interface SharedChangesHost {
  readonly changes: FleetChanges;
  readonly live: LiveChanges;
  readonly clock: Clock;
  readonly events: ResilienceEvents;
  warn(message: string): void;
}

/**
 * Changes of options for the whole fleet, as this application carries them out: a layer below its own live changes.
 *
 * Instances may differ, as they do during a deployment: a change that is wrong here, or whose target does not exist here, is
 * reported once and left out.
 */
export class SharedChanges implements ChangesAdopter {
  private given: readonly FleetChange[] = [];
  private inForce: readonly FleetChange[] = [];
  /** The changes that have been reported. */
  private complained = new Set<string>();
  /** Changes that need no further check as long as no plan is made. */
  private right: ReadonlySet<string> = new Set();
  /** How many plans had been made when the changes were carried out: with another plan, a missing target may exist. */
  private plans = 0;

  constructor(private readonly host: SharedChangesHost) {
    host.changes.attach(this);
  }

  has({ id }: FleetChange): boolean {
    return this.inForce.some((change) => change.id === id);
  }

  told(patch: SharedPatch | null): SharedPatch | null {
    const normalized = normalizedPatch(patch);
    return normalized && patchForListeners(normalized);
  }

  /**
   * Makes a change here, and sends it to the fleet.
   *
   * @param problems problems that were found before
   * @throws {ResilienceConfigurationError} when it is wrong; then nothing has changed anywhere
   */
  make(
    target: string,
    patch: Patch | null,
    { by, reason, until }: PatchNote,
    problems: Problems,
  ): void {
    const { changes, live, clock } = this.host;
    const where = `configure(${show(target)})`;
    const forMs = until === undefined ? Infinity : leftUntil(until, clock.wall(), where, problems);
    const change = changes.draft(
      {
        target,
        patch: plainOf(normalizedPatch(patch), where, problems),
        ...(by !== undefined && { by }),
        ...(reason !== undefined && { reason }),
      },
      forMs,
    );
    if (until !== undefined && takesBack(patch)) {
      problems.add(where, 'until is only for options that are set; null reverts them for good');
    }
    // The target may exist on other instances.
    const isKnown = patch === null && changes.current.some((each) => each.target === target);
    if (!isKnown) problems.all.push(...live.checker().problemsOf({ target, patch }, where));
    if (problems.all.length === 0 && !changes.hasRoomFor(change)) {
      problems.add(where, `the fleet keeps at most ${LIMITS}; revert some with null`);
    }
    if (problems.all.length > 0) throw new ResilienceConfigurationError(problems.all);
    const next = withChange(this.inForce, change);
    // Listeners may make another change: this one has to be in force by then.
    changes.queue(change);
    try {
      live.share(next, new Set([target]));
    } catch (error) {
      changes.withdraw(change);
      throw error;
    }
    this.accept(next);
    changes.send();
  }

  adopt(changes: readonly FleetChange[]): void {
    const { live } = this.host;
    const isComplete = this.inForce.length === this.given.length;
    if (areSame(changes, this.given) && (isComplete || live.plansMade === this.plans)) return;
    this.given = changes;
    this.complained = new Set(changes.flatMap(({ id }) => (this.complained.has(id) ? [id] : [])));
    const right = this.rightOnes(changes);
    if (areSame(right, this.inForce)) return;
    const targets = changedTargets(this.inForce, right);
    if (live.problemsWith(right, targets).length === 0) return this.carryOut(right, targets);
    const all = new Set([...this.inForce, ...right].map(({ target }) => target));
    this.carryOut(this.possible(right, all), all);
  }

  private carryOut(changes: readonly FleetChange[], targets: ReadonlySet<string>): void {
    this.host.live.share(changes, targets);
    this.accept(changes);
  }

  /** As many of the changes as can be in force together, earlier ones first. */
  private possible(
    changes: readonly FleetChange[],
    targets: ReadonlySet<string>,
  ): readonly FleetChange[] {
    const { live } = this.host;
    const possible: FleetChange[] = [];
    for (const change of changes) {
      const problems = live.problemsWith([...possible, change], targets);
      if (problems.length === 0) possible.push(change);
      else this.complain(change, problems.join('; '));
    }
    return possible;
  }

  /** The changes that are valid by themselves. Each is checked once, and again when plans have been made. */
  private rightOnes(changes: readonly FleetChange[]): readonly FleetChange[] {
    const { live } = this.host;
    const known = live.plansMade === this.plans ? this.right : new Set<string>();
    const isKnown = (change: FleetChange): boolean =>
      isRevocation(change) || known.has(identityOf(change));
    const checker = changes.every(isKnown) ? undefined : live.checker();
    const right = changes.filter((change) => isKnown(change) || this.isRight(change, checker!));
    this.plans = live.plansMade;
    this.right = new Set(right.map(identityOf));
    return right;
  }

  private isRight(change: FleetChange, checker: ChangeChecker): boolean {
    if (!checker.isTarget(change.target)) {
      this.complain(change, 'nothing has that name');
      return false;
    }
    const problems = checker.problemsOf(change, whereOf(change));
    if (problems.length > 0) this.complain(change, problems.join('; '));
    return problems.length === 0;
  }

  private complain(change: FleetChange, problem: string): void {
    if (this.complained.has(change.id)) return;
    this.complained.add(change.id);
    const by = change.by === undefined ? '' : ` by ${printable(change.by)}`;
    this.host.warn(`${whereOf(change)}${by} for all instances is not in force here: ${problem}`);
  }

  private accept(changes: readonly FleetChange[]): void {
    const before = this.inForce;
    this.inForce = changes;
    const { events } = this.host;
    if (!events.active('configuration')) return;
    const added = changes.filter((change) => !isIn(change, before));
    for (const change of before) {
      const isReplaced = added.some(({ target }) => target === change.target);
      if (!isIn(change, changes) && !isReplaced && !isRevocation(change)) this.tell(change, true);
    }
    for (const change of added) {
      // An instance that has just started need not hear of changes that were reverted before.
      const takesBack = before.some(({ target }) => target === change.target);
      if (!isRevocation(change) || takesBack) this.tell(change, false);
    }
  }

  private tell(change: FleetChange, ended: boolean): void {
    const { target, patch, by, reason, endsAt } = change;
    const { events, changes, clock } = this.host;
    const options = ended ? takenBack(patch) : patch;
    const stays = endsAt === Infinity || ended || isRevocation(change);
    const event: ConfigurationEvent = {
      type: 'configuration',
      name: target,
      target,
      patch: this.told(options),
      by,
      reason,
      scope: 'shared',
      ...(!stays && { until: new Date(clock.wall() + endsAt - clock.now()) }),
      ...(ended && { ended }),
      ...(changes.isAway && !ended && { pending: true }),
    };
    events.emit(event);
  }
}

function whereOf({ target }: FleetChange): string {
  return `configure(${show(target)})`;
}

/** Whether a patch reverts anything. */
function takesBack(patch: unknown): boolean {
  return patch === null || (isPlainObject(patch) && Object.values(patch).includes(null));
}

function takenBack(patch: SharedPatch | null): SharedPatch | null {
  return patch && Object.fromEntries(Object.keys(patch).map((kind) => [kind, null]));
}

/** The targets that the lists do not change in the same way. */
function changedTargets(
  some: readonly FleetChange[],
  others: readonly FleetChange[],
): ReadonlySet<string> {
  const targets = new Set([...some, ...others].map(({ target }) => target));
  const of = (changes: readonly FleetChange[], target: string): readonly FleetChange[] =>
    changes.filter((change) => change.target === target);
  return new Set([...targets].filter((target) => !areSame(of(some, target), of(others, target))));
}

/** @returns milliseconds */
function leftUntil(until: unknown, now: number, where: string, problems: Problems): number {
  const left = types.isDate(until) ? until.getTime() - now : NaN;
  if (left > 0) return left;
  problems.add(where, `until is ${show(until)}; use a Date in the future`);
  return 0;
}

/** A copy of a patch as plain JSON data; reports everything that JSON does not have. */
function plainOf(patch: Normalized | null, where: string, problems: Problems): SharedPatch | null {
  if (patch === null) return null;
  const plain: Record<string, SharedPatch[string]> = {};
  for (const [kind, options] of patch) {
    const value = options && plainValue(options, kind, where, problems);
    define(plain, kind, value);
  }
  return plain;
}

function plainValue(value: unknown, path: string, where: string, problems: Problems): unknown {
  if (Array.isArray(value)) {
    return value.map((each, i) => plainValue(each, `${path}[${i}]`, where, problems));
  }
  if (isPlainObject(value)) {
    const plain = {};
    for (const [key, each] of Object.entries(value)) {
      if (each !== undefined)
        define(plain, key, plainValue(each, `${path}.${key}`, where, problems));
    }
    return plain;
  }
  if (value === null || ['string', 'boolean'].includes(typeof value)) return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  problems.add(
    where,
    `${path} is ${show(value)}; a change for all instances must be plain data, as in JSON`,
  );
  return undefined;
}
