import { policies } from '../policies/canonical-order.js';
import type { PartStore } from '../registry/named-parts.js';
import { FOR_ALL } from './effective-options.js';
import type { Plan } from './plan.js';

/** One option in force. */
export interface ExplainedOption {
  readonly name: string;
  readonly value: unknown;
  /** The layer that it comes from, such as `defaults`; `library` where it is not configured. */
  readonly origin: string;
}

/** One policy in force. */
export interface ExplainedPolicy {
  readonly kind: string;
  /** The name of its stateful part. */
  readonly part: string | undefined;
  readonly options: readonly ExplainedOption[];
}

/** The pipeline of a method, command or name, each option with the layer that it comes from. */
export interface PipelineExplanation {
  readonly name: string;
  /** The stages, outermost first. */
  readonly stages: readonly string[];
  readonly policies: readonly ExplainedPolicy[];
}

type Options = Readonly<Record<string, unknown>>;

export function explained(plan: Plan, parts: PartStore): PipelineExplanation {
  const { name, stages, policies: described } = plan.description;
  return {
    name,
    stages,
    policies: described.map(({ kind, options }) => explainedPolicy(kind, options, plan, parts)),
  };
}

function explainedPolicy(
  kind: string,
  given: Options,
  { settings, context }: Plan,
  parts: PartStore,
): ExplainedPolicy {
  const policy = policies.get(kind)!;
  const set = settings.get(kind);
  const part =
    policy.part === undefined
      ? undefined
      : ((given.name as string | undefined) ?? context.partNameOf(kind));
  const shared =
    part === undefined
      ? undefined
      : (parts.declarationOf(kind, part)?.options as Options | undefined);
  const own = context.method === undefined ? 'definition' : 'decorator';
  const effective = context.effectiveOptions(kind);
  const originOf = (option: string): string => {
    const origin = effective.originOf(option);
    if (origin?.startsWith('configure(')) return origin.endsWith(`${FOR_ALL})`) ? 'fleet' : 'live';
    if (shared !== undefined && option in shared && !(option in given)) {
      return parts.declarationOf(kind, part!)!.where;
    }
    return origin ?? own;
  };
  const options: ExplainedOption[] = Object.entries({ ...given, ...shared })
    .filter(([, value]) => value !== undefined)
    .map(([option, value]) => ({ name: option, value, origin: originOf(option) }));
  // The definition of a part that others refer to has settings of its own: theirs would be wrong here.
  const known = new Set(options.map((option) => option.name));
  const refers =
    shared !== undefined &&
    Object.keys(given).every((option) => option === 'name' || policy.ofSubject?.includes(option));
  const rest = refers && !sameSettings(given, shared) ? {} : (policy.inForce?.(set) ?? {});
  for (const [option, value] of Object.entries(rest)) {
    if (value === undefined || known.has(option)) continue;
    options.push({ name: option, value, origin: 'library' });
  }
  return { kind, part, options };
}

/** Whether a reference by name alone is also the definition of the part: no options are given anywhere. */
function sameSettings(given: Options, shared: Options): boolean {
  return Object.keys(shared).every((option) => option in given);
}
