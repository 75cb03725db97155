import { shortened } from '../../common/printable.js';
import { settledWithin } from '../../common/settled-within.js';
import type { FleetChangeView, FleetInstance, FleetSnapshot } from '../../fleet/snapshot.js';
import type {
  AdminFleet,
  AdminFleetBreaker,
  AdminFleetChange,
  AdminInstance,
  AdminVersion,
} from '../contract.js';
import { plain } from '../plain.js';
import type { FleetPart } from './parts.js';
import { steady } from './steady.js';

/** How many instances, versions, breakers and changes are shown. */
const MOST = 100;

/** How many of the instances on which a circuit is open are named. */
const NAMED = 5;

/** The longest text from another instance, which may send anything. */
const LONGEST = 200;

/** How long a view of the fleet counts as fresh, milliseconds. */
const FRESH = 5_000;

/** How long the first client waits for the store, milliseconds. */
const PATIENCE = 250;

/** Two readings of an instant reported by another instance differ by less, due to the transport. Milliseconds. */
const UNDER_WAY = 2_000;

/** Makes views of the fleet that only differ when something has happened. */
export class FleetViews {
  /** The latest view; `undefined` until it is known. */
  latest: AdminFleet | undefined = undefined;
  private degradedSince: number | undefined = undefined;
  private starts: ReadonlyMap<string, number> = new Map();
  private ends: ReadonlyMap<string, number> = new Map();
  private readAt = -Infinity;
  private reading: Promise<void> | undefined = undefined;

  constructor(
    private readonly fleet: FleetPart,
    private readonly now: () => number,
    private readonly complain: (error: unknown) => void,
  ) {}

  /** Reads the fleet. */
  async read(): Promise<AdminFleet> {
    this.latest = this.view(await this.fleet.snapshot());
    return this.latest;
  }

  /** Reads it again if that was long ago, in the background: the store may be slow. */
  look(): void {
    if (this.reading || performance.now() - this.readAt < FRESH) return;
    this.readAt = performance.now();
    this.reading = this.read()
      .then(() => {}, this.complain)
      .finally(() => (this.reading = undefined));
  }

  /** The latest view may be hours old, since nothing was read: waits for a new one, but not for a store that hangs. */
  async lookAfresh(): Promise<void> {
    this.latest = undefined;
    this.expire();
    this.look();
    await settledWithin(Promise.resolve(this.reading), PATIENCE);
  }

  /** Something has changed: the next reader gets a fresh view. */
  expire(): void {
    this.readAt = -Infinity;
  }

  private view({ kind, degradedForMs, instances, sums, ...others }: FleetSnapshot): AdminFleet {
    const now = this.now();
    const { partial, windowMs } = others;
    const changes = others.changes.slice(-MOST).map((change) => this.changeView(change, now));
    this.ends = new Map(changes.map(({ id, until = NaN }) => [id, until]));
    const shown = [
      ...instances.filter(({ self }) => self),
      ...instances.filter(({ self }) => !self),
    ].slice(0, MOST);
    const degradedSince =
      degradedForMs === undefined ? undefined : steady(this.degradedSince, now - degradedForMs);
    this.degradedSince = degradedSince;
    const views = shown.map((instance) => this.instanceView(instance, now));
    this.starts = new Map(views.map(({ id, startedAt = NaN }) => [id, startedAt]));
    return {
      kind: cut(kind),
      ...(degradedSince !== undefined && { degradedSince }),
      instances: views,
      moreInstances: instances.length - shown.length,
      versions: versionsOf(instances),
      breakers: sums.slice(0, MOST).map((sum) => breakerView(sum, instances)),
      partial: partial || sums.length > MOST,
      windowMs,
      changes,
    };
  }

  private changeView(change: FleetChangeView, now: number): AdminFleetChange {
    const { target, patch, by, reason, remainingMs, inForce, pending } = change;
    const id = cut(change.id);
    return {
      id,
      target: cut(target),
      patch: plain(patch),
      ...(by !== undefined && { by: cut(by) }),
      ...(reason !== undefined && { reason: cut(reason) }),
      ...(remainingMs !== undefined && {
        until: steady(this.ends.get(id), now + remainingMs, UNDER_WAY),
      }),
      inForce,
      pending,
    };
  }

  private instanceView(instance: FleetInstance, now: number): AdminInstance {
    const { version, host, ageMs, self, open } = instance;
    const id = cut(instance.id);
    return {
      id,
      self,
      ...(version !== undefined && { version: cut(version) }),
      ...(host !== undefined && { host: cut(host) }),
      ...(ageMs !== undefined && {
        startedAt: steady(this.starts.get(id), now - ageMs, UNDER_WAY),
      }),
      open,
    };
  }
}

function versionsOf(instances: readonly FleetInstance[]): AdminVersion[] {
  const counts = new Map<string | undefined, number>();
  for (const { version } of instances) counts.set(version, (counts.get(version) ?? 0) + 1);
  return [...counts]
    .sort(([, one], [, other]) => other - one)
    .slice(0, MOST)
    .map(([version, count]) => ({
      ...(version !== undefined && { version: cut(version) }),
      instances: count,
    }));
}

function breakerView(
  { name, instances, open, calls, failures, rejections }: FleetSnapshot['sums'][number],
  all: readonly FleetInstance[],
): AdminFleetBreaker {
  const openOn: string[] = [];
  if (open > 0) {
    for (const { id, breakers } of all) {
      if (openOn.length === NAMED) break;
      const found = breakers.some((each) => each.name === name && each.state !== 'closed');
      if (found) openOn.push(cut(id));
    }
  }
  return { name: cut(name), instances, open, openOn, calls, failures, rejections };
}

function cut(text: string): string {
  return shortened(text, LONGEST);
}
