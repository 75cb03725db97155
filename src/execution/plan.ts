import { OptionsReader, type Problems } from '../common/options-reader.js';
import type { PipelineDescription } from '../pipeline/description.js';
import { Pipeline } from '../pipeline/pipeline.js';
import type { Stage } from '../pipeline/stage.js';
import { policies, stageOrder } from '../policies/canonical-order.js';
import type { Policy, PolicySite } from '../policies/policy.js';
import type { PartStore } from '../registry/named-parts.js';
import { type EffectiveOptions, effectiveOptions } from './effective-options.js';
import type { ResilienceModuleOptions } from './module-options.js';
import { type Returns, type Site, policiesOf } from './site.js';

/** How one method of one class is run. */
export interface Plan {
  readonly site: Site;
  readonly pipeline: Pipeline;
  readonly returns: Returns;
  readonly signalIndex: number | undefined;
  readonly description: PipelineDescription;
}

type AnyPolicy = Policy<string, object, unknown>;

/** A plan whose options have been checked and whose named parts are known, but not made. */
export interface Draft {
  readonly site: Site;
  readonly policySite: PolicySite;
  readonly settled: readonly {
    policy: AnyPolicy;
    effective: EffectiveOptions;
    settings: unknown;
  }[];
}

/** First half: merges, checks and declares. Problems are collected; with any, the draft must not be finished. */
export function draftPlan(
  site: Site,
  policySite: PolicySite,
  options: ResilienceModuleOptions,
  parts: PartStore,
  problems: Problems,
): Draft {
  const { name, owner } = policySite;
  const settled: { policy: AnyPolicy; effective: EffectiveOptions; settings: unknown }[] = [];
  for (const [kind, decorated] of policiesOf(site, owner)) {
    const policy = policies.get(kind) as AnyPolicy;
    const where = `${name} ${policy.label}`;
    const effective = effectiveOptions(kind, decorated, { name, owner, where }, options, problems);
    if (effective === undefined) continue;
    const { options: merged, originOf } = effective;
    const read = new OptionsReader<object>(merged, where, problems, '', originOf);
    const settings = policy.settle(read, policySite);
    read.done();
    settled.push({ policy, effective, settings });
    const part = policy.part?.(settings);
    if (part === undefined) continue;
    const { reference } = effective;
    const declared = { kind, name: part.name, site: name, owner, where, reference };
    parts.declare({ ...declared, options: effective.options, settings: part.settings }, problems);
  }
  return { site, policySite, settled };
}

/** Second half: makes the stages and puts them into their order. */
export function finishPlan({ site, policySite, settled }: Draft): Plan {
  const byName: Partial<Record<string, Stage>> = {};
  for (const { policy, settings } of settled) {
    Object.assign(byName, policy.stages(settings, policySite));
  }
  const { name, events } = policySite;
  const names = stageOrder.filter((stage) => byName[stage] !== undefined);
  return {
    site,
    pipeline: new Pipeline(
      name,
      names.map((stage) => byName[stage]!),
      events,
    ),
    returns: site.returns,
    signalIndex: site.signalIndex,
    description: {
      name,
      stages: names,
      policies: settled.map(({ effective: { kind, options } }) => ({ kind, options })),
    },
  };
}
