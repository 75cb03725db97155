import { hostname } from 'node:os';
import type { Clock } from '../common/clock.js';
import { type MemberFigures, figuresOf, toldFigures } from './figures.js';
import {
  type FleetInstance,
  type FleetSnapshot,
  instanceOf,
  oldestFirst,
  sumsOf,
} from './snapshot.js';
import type { StoreGuard } from './store-guard.js';
import type { InstanceInfo, LivingInstance } from './store.js';

/** How long the instances are not read again, milliseconds: many readers may ask at the same time. */
const FRESH = 1_000;

/** How far the counts of instances look back, milliseconds. */
const WINDOW = 10_000;

/** The dependencies of a {@link Roster}. */
export interface RosterHost {
  readonly instanceId: string;
  readonly version: string | undefined;
  readonly clock: Clock;
  readonly guard: StoreGuard;
  readonly backgroundTimeout: number;
  /** The shared breakers of this instance. */
  readonly members: () => Iterable<MemberFigures>;
}

/** The members of the fleet: what this instance reports about itself, and what the others have reported. */
export class Roster {
  private startedAt: number | undefined = undefined;
  private degradedAt: number | undefined = undefined;
  private read: { readonly at: number; readonly instances: readonly LivingInstance[] } = {
    at: -Infinity,
    instances: [],
  };
  /** When that was tried last, successfully or not. */
  private triedAt = -Infinity;
  private reading: Promise<void> | undefined = undefined;

  constructor(private readonly host: RosterHost) {}

  start(): void {
    this.startedAt = this.host.clock.now();
  }

  degraded(): void {
    this.degradedAt = this.host.clock.now();
  }

  recovered(): void {
    this.degradedAt = undefined;
  }

  /** The part of the heartbeat for the others: less than 1,500 bytes, unless its own names are long. */
  info(): InstanceInfo {
    const { instanceId: id, version } = this.host;
    const facts = { ...toldFigures(figuresOf(this.host.members())) };
    return {
      id,
      host: hostname(),
      ...(version !== undefined && { version }),
      ageMs: this.ageMs,
      facts,
    };
  }

  /** The fleet now; without the store, as of the last reading. */
  async snapshot(kind: string): Promise<Omit<FleetSnapshot, 'changes'>> {
    await this.refresh();
    const { read, host, degradedAt } = this;
    const now = host.clock.now();
    const others = read.instances.filter(({ id }) => id !== host.instanceId);
    const instances = oldestFirst([
      this.self(),
      ...others.map((told) => instanceOf(told, now - read.at)),
    ]);
    return {
      kind,
      degraded: degradedAt !== undefined,
      degradedForMs: degradedAt && Math.round(now - degradedAt),
      instanceId: host.instanceId,
      instances,
      sums: sumsOf(instances),
      windowMs: WINDOW,
      partial: instances.some(({ more }) => more > 0),
    };
  }

  private get ageMs(): number {
    const { startedAt, host } = this;
    return startedAt === undefined ? 0 : Math.round(host.clock.now() - startedAt);
  }

  private self(): FleetInstance {
    return { ...instanceOf({ ...this.info(), silentMs: 0 }, 0), self: true };
  }

  /** Reads the instances unless that has just been tried. Callers that ask meanwhile wait for the same answer. */
  private refresh(): Promise<void> {
    if (this.startedAt === undefined) return Promise.resolve();
    if (this.host.clock.now() - this.triedAt < FRESH) return Promise.resolve();
    this.reading ??= this.readAll().finally(() => {
      this.reading = undefined;
    });
    return this.reading;
  }

  private async readAll(): Promise<void> {
    const { guard, clock, backgroundTimeout } = this.host;
    const instances = await guard.peek((store) => store.instances(), backgroundTimeout);
    const at = clock.now();
    this.triedAt = at;
    if (instances !== undefined) this.read = { at, instances };
  }
}
