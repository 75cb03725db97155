import type { CommandSnapshot } from '../../commands/snapshot.js';
import { takeTurns } from '../../common/turns.js';
import type { Layers } from '../../execution/configuration/layers.js';
import type { PipelineExplanation } from '../../execution/explanation.js';
import type { Patch, PatchNote } from '../../execution/module-options.js';
import type { FleetSnapshot } from '../../fleet/snapshot.js';
import type { BulkheadSnapshot } from '../../policies/bulkhead/snapshot.js';
import type { OverrideOptions } from '../../policies/circuit-breaker/override.js';
import type { BreakerSnapshot } from '../../policies/circuit-breaker/snapshot.js';
import type { RateLimitSnapshot } from '../../policies/rate-limit/snapshot.js';
import type { PartsOfName } from '../../registry/named-registry.js';
import type { CallMeter } from '../../telemetry/call-meter.js';
import type {
  BreakerCounts,
  BreakerOverride,
  BreakerState,
  ResilienceEventKind,
} from '../../telemetry/events.js';
import type { ResilienceEventListener } from '../../telemetry/resilience-events.js';

// The parts of the library's services that are used here: the objects may come from another copy of the package.

export interface BreakerPart {
  readonly name: string;
  readonly state: BreakerState;
  readonly override: BreakerOverride | undefined;
  readonly counts: BreakerCounts;
  snapshot(): BreakerSnapshot;
  forceOpen(options: OverrideOptions): void;
  disable(options: OverrideOptions): void;
  observeOnly(options: OverrideOptions): void;
  clearOverride(): void;
  reset(): void;
}

export interface BulkheadPart {
  readonly name: string;
  snapshot(): BulkheadSnapshot;
}

export interface RateLimitPart {
  readonly name: string;
  snapshot(): RateLimitSnapshot;
}

interface Registry<Part> {
  readonly size: number;
  list(which: { readonly keys: boolean }): Iterable<Part>;
  byName(): Iterable<PartsOfName<Part>>;
  has(name: string): boolean;
  get(name: string): Part;
}

export interface BreakerRegistry extends Registry<BreakerPart> {
  /** Whether the breaker of that name, or its breakers by key, are shared by the fleet. */
  isShared(name: string): boolean;
}

export type BulkheadRegistry = Registry<BulkheadPart>;

export type RateLimitRegistry = Registry<RateLimitPart>;

export interface Service {
  commands(): Iterable<{ readonly name: string; snapshot(): CommandSnapshot }>;
  explain(): Iterable<PipelineExplanation>;
  configure(target: string, patch: Patch, note: PatchNote): void;
  readonly layers: Layers;
}

export interface FleetPart {
  readonly kind: string;
  snapshot(): Promise<FleetSnapshot>;
}

/** The parts of the application that can be seen. */
export interface Parts {
  readonly breakers: BreakerRegistry;
  readonly bulkheads: BulkheadRegistry;
  readonly rateLimits: RateLimitRegistry;
  readonly service: Service;
  /** `undefined` without a store. */
  readonly fleet: FleetPart | undefined;
}

export interface Events {
  on(kind: ResilienceEventKind, listener: ResilienceEventListener): () => void;
  readonly meters: { add(meter: CallMeter): () => void };
}

/** A part, and for one by key the name that all keys share. */
export interface Member<Part> {
  readonly part: Part;
  readonly group: string | undefined;
}

/** All parts of a registry, in turns: those that are not by key first. */
export function membersOf<Part>(
  registry: Registry<Part>,
  { keys = true, group: only }: { readonly keys?: boolean; readonly group?: string } = {},
): AsyncIterable<Member<Part>> {
  function* members(): Generator<Member<Part>> {
    if (only === undefined) {
      for (const part of registry.list({ keys: false })) yield { part, group: undefined };
    }
    if (!keys) return;
    for (const group of groupsOf(registry)) {
      if (only !== undefined && group.name !== only) continue;
      for (const part of group.parts()) yield { part, group: group.name };
    }
  }
  return takeTurns(members());
}

/** The names that stand for parts by key. */
function* groupsOf<Part>(registry: Registry<Part>): Generator<PartsOfName<Part>> {
  for (const each of registry.byName()) if (each.keyed) yield each;
}

/** How many parts by key there are. */
export function keyedIn(registry: Registry<unknown>): number {
  let size = 0;
  for (const group of groupsOf(registry)) size += group.size;
  return size;
}

/** For one by key: the name that all keys share. */
export function groupOf(registry: Registry<unknown>, name: string): string | undefined {
  for (const group of groupsOf(registry)) {
    if (name.startsWith(`${group.name}[`) && name.endsWith(']')) return group.name;
  }
  return undefined;
}
