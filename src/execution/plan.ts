import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../common/clock.js';
import { OptionsReader, Problems } from '../common/options-reader.js';
import { Classifier } from '../common/outcomes/classifier.js';
import type { OutcomeRule } from '../common/outcomes/outcome.js';
import { ownValue } from '../common/own.js';
import type { PipelineDescription } from '../pipeline/description.js';
import { Pipeline } from '../pipeline/pipeline.js';
import { policies, stageOrder } from '../policies/canonical-order.js';
import type { Policy, PolicySite, StageMakers, Surroundings } from '../policies/policy.js';
import type { Declaration, PartStore } from '../registry/named-parts.js';
import {
  type EffectiveOptions,
  effectiveOptions,
  isShared,
  kindsOf,
  optionsOfAll,
} from './effective-options.js';
import type { Layers } from './configuration/layers.js';
import type { Returns } from './methods/return-type.js';
import type { DecoratedMethod } from './methods/decorated-method.js';
import type { NestCaller } from './handlers/nest-caller.js';
import type { Subject } from './subject.js';
import type { SubjectSite } from './subject-site.js';

/** Determines how the calls of one subject run. */
export interface Plan {
  readonly pipeline: Pipeline;
  readonly description: PipelineDescription;
  /** Gives the names of parts that have no name of their own. */
  readonly context: SubjectSite;
  /** The outcome rule for a command's metrics. */
  readonly outcomes: OutcomeRule;
  /** Settings by kind of policy. */
  readonly settings: ReadonlyMap<string, unknown>;
  /** The named parts that its policies use. */
  readonly declarations: readonly Declaration[];
}

/**
 * The plan of a decorated method. A class, because each call reads it: objects that are built by spreading do not share a
 * shape.
 */
export class MethodPlan implements Plan {
  pipeline: Pipeline;
  description: PipelineDescription;
  readonly context: Plan['context'];
  outcomes: OutcomeRule;
  settings: Plan['settings'];
  declarations: Plan['declarations'];
  readonly returns: Returns;
  readonly signalIndex: number | undefined;

  /**
   * @param mayResolveToStream whether the method may resolve to an Observable: Nest subscribes to that of a handler
   * @param nestCaller for methods that Nest calls without an interceptor
   */
  constructor(
    { pipeline, description, context, outcomes, settings, declarations }: Plan,
    readonly decorated: DecoratedMethod,
    readonly clock: Clock,
    readonly mayResolveToStream: boolean,
    readonly nestCaller: NestCaller | undefined,
  ) {
    this.pipeline = pipeline;
    this.description = description;
    this.context = context;
    this.outcomes = outcomes;
    this.settings = settings;
    this.declarations = declarations;
    this.returns = decorated.returns;
    this.signalIndex = decorated.signalIndex;
  }

  /** Runs further calls by another plan; in place, since bindings keep this one. */
  accept({ pipeline, description, outcomes, settings, declarations }: Plan): this {
    this.pipeline = pipeline;
    this.description = description;
    this.outcomes = outcomes;
    this.settings = settings;
    this.declarations = declarations;
    return this;
  }
}

/** The plans of the methods of one class, by the index of the decorated method; `null` where no policy applies. */
export type PlansOfClass = (MethodPlan | null | undefined)[];

interface ConfiguredPolicy {
  /** For messages. */
  readonly where: string;
  readonly policy: Policy<string, object, unknown, unknown>;
  readonly effective: EffectiveOptions;
  readonly settings: unknown;
}

/** A plan whose options have been checked and whose named parts have been declared, but not made. */
export interface Draft {
  readonly site: SubjectSite;
  readonly configured: readonly ConfiguredPolicy[];
  readonly stages: StageMakers;
  /** The order of the stages, outermost first. */
  readonly order: readonly string[];
  readonly declarations: readonly Declaration[];
  /** Settings by kind of policy. */
  readonly settings: ReadonlyMap<string, unknown>;
}

const standard = new Classifier({});

/** First half: merges and checks options and declares parts. If it adds problems, the draft must not be finished. */
export function draftPlan(
  subject: Subject,
  site: SubjectSite,
  layers: Layers,
  parts: PartStore,
  problems: Problems,
  former?: Plan,
): Draft {
  const { name, title, owner, pipeline } = subject;
  const shared = ownValue(layers.pipelines, pipeline);
  if (pipeline !== undefined && shared === undefined) {
    const known = Object.keys(layers.pipelines).join(', ') || 'none';
    problems.add(title, `uses pipeline '${pipeline}'; forRoot({ pipelines }) has ${known}`);
  }
  const configured: ConfiguredPolicy[] = [];
  const declarations: Declaration[] = [];
  for (const kind of kindsOf(subject, layers)) {
    const one = configurePolicy(kind, subject, site, layers, problems, former);
    if (one === undefined) continue;
    if (one.effective.enabled) configured.push(one);
    const { policy, where, settings, effective } = one;
    const { options: merged, reference } = effective;
    const part = policy.part?.(settings);
    if (part === undefined) continue;
    const implied = part.name === undefined && !part.private && isShared(kind, subject, layers);
    const declaration: Declaration = {
      kind,
      name: implied ? pipeline : part.name,
      implied,
      declaredBy: name,
      owner,
      method: subject.method,
      where,
      reference,
      off: !one.effective.enabled,
      options: part.shape ?? withoutOptions(merged, policy.ofSubject),
      overridden: overriddenIn(effective),
      settings: part.settings,
    };
    declarations.push(declaration);
    parts.declare(declaration, problems);
  }
  const stages: StageMakers = Object.fromEntries(
    configured.flatMap(({ policy, settings }) => Object.entries(policy.stages(settings, site))),
  );
  const given: unknown = subject.order ?? shared?.order;
  const order = reportLeftOut(title, Object.keys(stages), given, problems);
  checkTogether(configured, order, problems);
  const settings = new Map(configured.map((one) => [one.policy.kind, one.settings]));
  return { site, configured, stages, order, declarations, settings };
}

/** Reports stages that an order leaves out. @returns the order, which is the canonical one by default */
export function reportLeftOut(
  title: string,
  stages: readonly string[],
  given: unknown,
  problems: Problems,
): readonly string[] {
  if (!Array.isArray(given)) return stageOrder; // else reported
  const order = given as readonly string[];
  for (const stage of stages) {
    if (order.includes(stage)) continue;
    problems.add(title, `has the stage '${stage}', which the order of its pipeline leaves out`);
  }
  return order;
}

/** Lets each policy compare its options with the part that it uses. Call it when all parts have been declared. */
export function checkParts(
  { declarations, settings }: Pick<Plan, 'declarations' | 'settings'>,
  parts: PartStore,
  problems: Problems,
): void {
  for (const declaration of declarations) {
    const { kind, where, off } = declaration;
    if (off) continue;
    const report = (problem: string): void => problems.add(where, problem);
    policies.get(kind)!.checkPart?.(settings.get(kind), parts.settingsOf(declaration), report);
  }
}

/** The options on which all users of a part have to agree. */
function withoutOptions(
  merged: EffectiveOptions['options'],
  ofSubject: readonly string[] = [],
): EffectiveOptions['options'] {
  if (ofSubject.length === 0) return merged;
  return Object.fromEntries(Object.entries(merged).filter(([name]) => !ofSubject.includes(name)));
}

/** The origins of options that operators have given: by overrides, variables or changes while the application runs. */
function overriddenIn({ options, originOf }: EffectiveOptions): Declaration['overridden'] {
  const all = Object.keys(options).flatMap((option): [string, string][] => {
    const origin = originOf(option);
    return origin === undefined || IN_CODE.test(origin) ? [] : [[option, origin]];
  });
  return all.length === 0 ? undefined : new Map(all);
}

/** Origins that are next to the definitions of parts. */
const IN_CODE = /^(?:defaults$|configs\[|pipelines\[)/;

/** Lets each policy check the others in the pipeline. */
function checkTogether(
  configured: readonly ConfiguredPolicy[],
  order: readonly string[],
  problems: Problems,
): void {
  const around: Surroundings = {
    settingsOf: <Settings>(kind: string) =>
      configured.find(({ policy }) => policy.kind === kind)?.settings as Settings | undefined,
    isInside: (inner, outer) => order.indexOf(inner) > order.indexOf(outer),
  };
  for (const { policy, settings, where } of configured) {
    policy.check?.(settings, around, (problem) => problems.add(where, problem));
  }
}

/**
 * One policy of a subject, merged and checked. `undefined` for one that is switched off and whose options are wrong, or
 * only make sense in force. With the same options as in a former plan, the settings are those of that plan.
 */
export function configurePolicy(
  kind: string,
  subject: Subject,
  site: PolicySite,
  layers: Layers,
  problems: Problems,
  former?: Plan,
): ConfiguredPolicy | undefined {
  const policy = policies.get(kind)!;
  const where = `${subject.title} ${subject.method === undefined ? kind : policy.label}`;
  const effective = effectiveOptions(kind, subject, where, layers, problems);
  const before = former?.description.policies.find((each) => each.kind === kind);
  if (effective.enabled && isDeepStrictEqual(before?.options, effective.options)) {
    return { policy, where, effective, settings: former!.settings.get(kind) };
  }
  if (!effective.enabled && policy.boundToSubject) return undefined;
  const found = effective.enabled ? problems : new Problems();
  const read = new OptionsReader<object>(effective.options, where, found, '', effective.originOf);
  const settings = policy.read(read, site);
  read.done(optionsOfAll);
  if (found !== problems && found.all.length > 0) return undefined;
  return { policy, where, effective, settings };
}

/** Whether a draft differs from the plan that it may replace. */
export function differs({ configured }: Draft, { settings }: Plan): boolean {
  return (
    configured.length !== settings.size ||
    configured.some(({ policy, settings: own }) => settings.get(policy.kind) !== own)
  );
}

/** Second half: makes the stages and puts them into their order. */
export function finishPlan(draft: Draft): Plan {
  const { site, configured, stages, order, declarations, settings } = draft;
  const { name, events } = site;
  const names = order.filter((stage) => stage in stages);
  const [outcomes = standard] = configured.flatMap(
    ({ policy, settings }) => policy.outcomes?.(settings) ?? [],
  );
  return {
    pipeline: new Pipeline(
      name,
      names.map((stage) => stages[stage]!()),
      events,
    ),
    description: {
      name,
      stages: names,
      policies: configured.map(({ effective: { kind, options } }) => ({ kind, options })),
    },
    context: site,
    outcomes,
    settings,
    declarations,
  };
}
