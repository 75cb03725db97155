import { ResilienceConfigurationError } from '../../common/errors.js';
import { isOptions, isPlainObject } from '../../common/objects.js';
import { Problems } from '../../common/options-reader.js';
import { ownValue } from '../../common/own.js';
import { policies } from '../../policies/canonical-order.js';
import { PartStore } from '../../registry/named-parts.js';
import { EVERYTHING } from '../configuration/everything.js';
import type { Layers, OverridesByTarget } from '../configuration/layers.js';
import { OverrideTargets, partNamesOf } from '../configuration/override-targets.js';
import { UnusedOptions } from '../configuration/unused.js';
import { merge } from '../configuration/merge.js';
import { LazyPlan } from '../lazy-plan.js';
import { type Patch, type PatchNote, checkPolicies } from '../module-options.js';
import {
  type Draft,
  type MethodPlan,
  type Plan,
  checkParts,
  differs,
  draftPlan,
  finishPlan,
} from '../plan.js';
import type { SiteServices } from '../subject-site.js';
import { patchForListeners } from './patch-for-listeners.js';

/** Something that holds a plan, which another one may replace. */
type Holder = MethodPlan | LazyPlan;

/** A change for the whole fleet. */
export interface SharedChange {
  readonly target: string;
  readonly patch: object | null;
}

/** Checks changes as far as possible without drafting plans; stays valid while the plans are the same. */
export interface ChangeChecker {
  /** Whether a target matches anything. */
  isTarget(target: string): boolean;
  problemsOf(change: SharedChange, where: string): readonly string[];
}

/** A plan that may be replaced. */
interface Replacement {
  readonly holder: Holder;
  readonly former: Plan;
  readonly draft: Draft;
}

/** The options of a patch without shorthands, by policy; `null` reverts earlier patches. */
export type Normalized = ReadonlyMap<string, Readonly<Record<string, unknown>> | null>;

/** Options that identify a part, or decide which calls belong together: changing them would lose state. */
const FIXED = ['name', 'key', 'scope'];

/**
 * Changes of options while the application runs: a layer above all others.
 *
 * The plans of all subjects that the target matches are drafted again, as at bootstrap. If there is no problem, named
 * parts get their new settings and keep their state, and each plan that has changed is replaced; running calls
 * end by the plan that they began with. So this costs calls nothing.
 */
export class LiveChanges {
  constructor(
    private readonly services: SiteServices,
    private readonly parts: PartStore,
    /** All plans that have been made. */
    private readonly held: () => Iterable<Holder>,
    /** How many plans have been made so far, including those that are gone. */
    private readonly made: () => number,
    /** Checks a pipeline that is not in use yet. */
    private readonly checkUnused: (
      pipeline: string,
      options: UnusedOptions,
      problems: Problems,
    ) => void,
  ) {}

  /**
   * @param patch `null` reverts all earlier patches of the target
   * @param where the place of the change in messages
   * @param problems problems that were found before
   * @throws {ResilienceConfigurationError} when the change is wrong; then nothing has changed
   */
  make(
    target: string,
    patch: Patch | null,
    { by, reason }: PatchNote,
    where: string,
    problems: Problems,
  ): void {
    const { configuration, events } = this.services;
    const holders = [...this.held()];
    checkChange(where, target, patch, this.targetsOf(holders), problems);
    if (typeof target !== 'string') throw new ResilienceConfigurationError(problems.all);
    const options = withoutFixed(normalizedPatch(patch));
    const live = patched(configuration.layers.live, target, options);
    this.change({ live }, new Set([target]), holders, problems);
    if (!events.active('configuration')) return;
    const shown = options && patchForListeners(options);
    events.emit({ type: 'configuration', name: target, target, patch: shown, by, reason });
  }

  /**
   * Replaces all changes for the fleet.
   *
   * @param targets the targets whose changes differ from before
   * @throws {ResilienceConfigurationError} when one of them is wrong; then nothing has changed
   */
  share(changes: readonly SharedChange[], targets: ReadonlySet<string>): void {
    this.change({ shared: layerOf(changes) }, targets, [...this.held()], new Problems());
  }

  /** The problems that {@link share} would find. */
  problemsWith(changes: readonly SharedChange[], targets: ReadonlySet<string>): readonly string[] {
    const { configuration } = this.services;
    const { shared } = configuration.layers;
    const problems = new Problems();
    configuration.change({ shared: layerOf(changes) });
    try {
      this.draftAll(targets, [...this.held()], new PartStore(), problems);
    } finally {
      configuration.change({ shared });
    }
    return problems.all;
  }

  /** Reads all plans once, however many changes are checked. */
  checker(): ChangeChecker {
    const targets = this.targetsOf([...this.held()]);
    return {
      isTarget: (target) => targets.has(target),
      problemsOf: ({ target, patch }, where) => {
        const problems = new Problems();
        checkChange(where, target, patch, targets, problems);
        return problems.all;
      },
    };
  }

  /** Grows with every plan that is made. */
  get plansMade(): number {
    return this.made();
  }

  private change(
    changes: Partial<Pick<Layers, 'live' | 'shared'>>,
    targets: ReadonlySet<string>,
    holders: readonly Holder[],
    problems: Problems,
  ): void {
    const { configuration } = this.services;
    const { live, shared } = configuration.layers;
    configuration.change(changes);
    try {
      const declared = new PartStore();
      const replacements = this.draftAll(targets, holders, declared, problems);
      if (problems.all.length > 0) throw new ResilienceConfigurationError(problems.all);
      this.carryOut(replacements, declared);
    } catch (error) {
      configuration.change({ live, shared });
      throw error;
    }
  }

  private targetsOf(holders: readonly Holder[]): OverrideTargets {
    const subjects = holders.map((holder) => planOf(holder).context.subject);
    return new OverrideTargets(subjects, this.services.configuration.layers);
  }

  /** Drafts the plans that the targets match; all others keep their declarations. */
  private draftAll(
    targets: ReadonlySet<string>,
    holders: readonly Holder[],
    declared: PartStore,
    problems: Problems,
  ): Replacement[] {
    const { layers } = this.services.configuration;
    const unused = new Set(Object.keys(layers.pipelines));
    const options = new UnusedOptions(this.services);
    const replacements: Replacement[] = [];
    const users: Pick<Plan, 'declarations' | 'settings'>[] = [];
    for (const holder of holders) {
      const former = planOf(holder);
      const { subject } = former.context;
      if (targets.has(EVERYTHING)) options.uses(subject, layers);
      unused.delete(subject.pipeline ?? '');
      const isMeant =
        targets.has(EVERYTHING) ||
        subject.overrideKeys.some((key) => targets.has(key)) ||
        partNamesOf(subject, layers).some(([, name]) => targets.has(name));
      if (isMeant) {
        const draft = draftPlan(subject, former.context, layers, declared, problems, former);
        replacements.push({ holder, former, draft });
        users.push(draft);
      } else {
        for (const declaration of former.declarations) declared.declare(declaration, problems);
        users.push(former);
      }
    }
    for (const user of users) checkParts(user, declared, problems);
    for (const pipeline of unused) {
      if (targets.has(EVERYTHING) || targets.has(pipeline))
        this.checkUnused(pipeline, options, problems);
    }
    if (targets.has(EVERYTHING)) options.checkLive(layers, problems);
    return replacements;
  }

  private carryOut(replacements: readonly Replacement[], declared: PartStore): void {
    const { isChanged, changeParts } = this.parts.adopt(declared, (part, { kind, settings }) =>
      policies.get(kind)!.reconfigure?.(part, settings),
    );
    for (const { holder, former, draft } of replacements) {
      if (!differs(draft, former) && !draft.declarations.some(isChanged)) continue;
      const { pipeline } = former; // the holder may be the former plan itself
      holder.accept(finishPlan(draft));
      pipeline.retire();
    }
    changeParts();
  }
}

function checkChange(
  where: string,
  target: string,
  patch: unknown,
  targets: OverrideTargets,
  problems: Problems,
): void {
  targets.check(where, 'the patch', target, isPlainObject(patch) ? patch : {}, problems);
  if (patch === null) return;
  const given = isPlainObject(patch) ? withoutNull(patch) : patch;
  checkPolicies(where, '', given, problems);
  for (const [kind, options] of normalizedPatch(given) ?? []) {
    for (const option of FIXED.filter((fixed) => options?.[fixed] !== undefined)) {
      problems.add(where, `${kind}.${option} cannot be changed while the application runs`);
    }
  }
}

function layerOf(changes: readonly SharedChange[]): OverridesByTarget {
  let layer: OverridesByTarget = {};
  for (const { target, patch } of changes) {
    layer = patched(layer, target, withoutFixed(normalizedPatch(patch)));
  }
  return layer;
}

function planOf(holder: Holder): Plan {
  return holder instanceof LazyPlan ? holder.plan : holder;
}

/** Replaces `null` by `undefined`, so that the kinds remain and can be checked. */
function withoutNull(patch: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(patch).map(([kind, options]) => [kind, options ?? undefined]),
  );
}

/** A patch that changes them is refused; without them, its other options can still be checked. */
function withoutFixed(patch: Normalized | null): Normalized | null {
  if (patch === null) return null;
  const allowed = [...patch].map(([kind, options]) => {
    const rest = Object.entries(options ?? {}).filter(([option]) => !FIXED.includes(option));
    return [kind, options && Object.fromEntries(rest)] as const;
  });
  return new Map(allowed);
}

/** The applicable part of a patch; the rest is reported. `null` for `null`. */
export function normalizedPatch(patch: unknown): Normalized | null {
  if (patch === null) return null;
  const normalized = new Map<string, Readonly<Record<string, unknown>> | null>();
  for (const [kind, given] of isPlainObject(patch) ? Object.entries(patch) : []) {
    const policy = policies.get(kind);
    if (policy === undefined || given === undefined || given === false) continue;
    const options: unknown = given === null ? null : policy.normalize(given);
    if (options === null || isOptions(options)) normalized.set(kind, options);
  }
  return normalized;
}

/** The earlier patches and this one, merged option by option. */
function patched(
  live: OverridesByTarget,
  target: string,
  patch: Normalized | null,
): Layers['live'] {
  const { [target]: _before, ...others } = live;
  if (patch === null) return others;
  const sets: Record<string, object> = { ...ownValue(live, target) } as Record<string, object>;
  for (const [kind, options] of patch) {
    if (options === null) delete sets[kind];
    else sets[kind] = merge({ ...sets[kind] }, options, policies.get(kind)!.nested);
  }
  // A computed key is an own property, also for a name such as `__proto__`.
  return { ...others, [target]: sets };
}
