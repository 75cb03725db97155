import { areAlike, nearest } from '../../common/nearest.js';
import { printable, show } from '../../common/printable.js';
import { policies } from '../../policies/canonical-order.js';
import type { Policy } from '../../policies/policy.js';
import { plain, segmentsOf, variableForm } from './variable-names.js';
import { type VariableOption, scalarOf, variableOptions } from './variable-options.js';
import { objections, valueOf } from './variable-value.js';

type AnyPolicy = Policy<string, object, unknown, unknown>;

/** One option of a policy for a target, as a variable gives it. */
export interface Setting {
  /** The name of the variable. */
  readonly variable: string;
  /** Its value, as it was written. */
  readonly text: string;
  /** The segments that name the target. */
  readonly target: readonly string[];
  readonly kind: string;
  /** The place in the options of the policy; empty when the variable is wrong. */
  readonly place: readonly string[];
  readonly value: unknown;
  readonly tag: VariableOption['tag'];
  /** The same variable for another target. @param target its form in variables */
  forTarget(target: string): string;
}

/** Reads a variable as far as possible without knowing the targets. */
export class VariableReader {
  /** Its segments behind the prefix. */
  private readonly segments: readonly string[];
  /** Where the policy stands. */
  private readonly at: number;

  /** @param report receives a problem, which comes after the variable's name and value */
  constructor(
    private readonly name: string,
    private readonly text: string,
    private readonly prefix: string,
    private readonly report: (problem: string) => void,
  ) {
    this.segments = segmentsOf(name.slice(prefix.length));
    // The last one, as a class or a method may have the name of a policy, but no option has it.
    this.at = this.segments
      .map((segment, index) => index > 0 && policyOf(segment) !== undefined)
      .lastIndexOf(true);
  }

  /** Reports what is wrong. */
  read(): Setting[] {
    const { segments, at } = this;
    if (at === -1) return this.reportNoPolicy();
    const policy = policyOf(segments[at]!)!;
    const path = segments.slice(at + 1);
    if (policy.shape === undefined) {
      return this.wrong(`no variable can give options of ${policy.kind}; give them in code`);
    }
    const read = path.length === 0 ? this.readShort(policy) : this.readOption(policy, path);
    // The target of one that is wrong may be wrong too.
    return read.length > 0 ? read : [this.setting(policy, [], undefined)];
  }

  private readShort(policy: AnyPolicy): Setting[] {
    const { short } = policy.shape!;
    const scalar = short && scalarOf(short);
    if (scalar === undefined) {
      const example = this.withOption(['enabled']);
      return this.wrong(`it names no option of ${policy.kind}; use one, such as ${example}`);
    }
    const value = this.valueFor(scalar);
    if (value === undefined) return [];
    const options = Object.entries(policy.normalize(value));
    return options.map(([option, own]) => this.setting(policy, [option], own));
  }

  private readOption(policy: AnyPolicy, path: readonly string[]): Setting[] {
    const options = variableOptions(policy.shape!.options);
    const wanted = path.map(plain).join('.');
    const option = options.find(({ words }) => words.map(plain).join('.') === wanted);
    if (option === undefined) return this.reportNoOption(policy, path, options);
    const { shape, place, tag } = option;
    if (shape === undefined) {
      const what = option.words.join('.');
      return this.wrong(
        `${what} of ${policy.kind} takes a function or a value of the program; give it in code`,
      );
    }
    const value = this.valueFor(shape);
    return value === undefined ? [] : [this.setting(policy, place, value, tag)];
  }

  private valueFor(shape: NonNullable<VariableOption['shape']>): unknown {
    const value = valueOf(this.text, shape);
    const rights = objections(value, shape);
    if (rights.length === 0) return value;
    this.report(`; use ${rights.join(', or ')}`);
    return undefined;
  }

  private setting(
    { kind }: AnyPolicy,
    place: readonly string[],
    value: unknown,
    tag?: VariableOption['tag'],
  ): Setting {
    const { name: variable, text, segments, at } = this;
    const target = segments.slice(0, at);
    const forTarget = (other: string): string =>
      [this.prefix, other, ...segments.slice(at)].join('__');
    return { variable, text, target, kind, place, value, tag, forTarget };
  }

  private reportNoPolicy(): [] {
    const { prefix, segments } = this;
    const kinds = Array.from(policies.keys(), variableForm);
    const known = kinds.join(', ');
    if (segments.length > 0 && policyOf(segments[0]!) !== undefined) {
      const all = [prefix, 'ALL', ...segments].join('__');
      return this.wrong(
        `it names no target before the policy; use ${all}, or the name of a class, a command or a pipeline in the place of ALL`,
      );
    }
    if (segments.length < 2) {
      return this.wrong(
        `it names no target and no policy; use ${prefix}__TARGET__POLICY__OPTION, with a policy of ${known}`,
      );
    }
    const others = segments.slice(1).flatMap((wrong) =>
      kinds
        .filter((kind) => areAlike(kind, wrong))
        .map((kind) => {
          const right = segments.map((segment) => (segment === wrong ? kind : segment));
          return [prefix, ...right].join('__');
        }),
    );
    const right = nearest(this.name, others) ?? `${prefix}__TARGET__POLICY__OPTION`;
    return this.wrong(`it names no policy; the policies are ${known}; use ${right}`);
  }

  private reportNoOption(
    { kind }: AnyPolicy,
    path: readonly string[],
    options: readonly VariableOption[],
  ): [] {
    const given = path.join('__');
    const around = options.filter(({ shape, words }) => {
      const beginning = words.slice(0, path.length).map(plain).join('.');
      return shape !== undefined && beginning === path.map(plain).join('.');
    });
    if (around.length > 0) {
      const several = around.map(({ words }) => this.withOption(words)).join(', ');
      return this.wrong(`${given} of ${kind} has options of its own; use one of ${several}`);
    }
    const names = options
      .filter(({ shape }) => shape !== undefined)
      .map(({ words }) => words.map(variableForm).join('__'));
    const right = nearest(given, names)!;
    return this.wrong(
      `${kind} has no option ${printable(given)} that a variable could give; use ${this.withOption(right)}`,
    );
  }

  /** The same variable with another option. */
  private withOption(option: string | readonly string[]): string {
    const end = typeof option === 'string' ? option : option.map(variableForm).join('__');
    return [this.prefix, ...this.segments.slice(0, this.at + 1), end].join('__');
  }

  private wrong(problem: string): [] {
    this.report(`, but ${problem}`);
    return [];
  }
}

/** The beginning of a problem with a variable. */
export function told({ variable, text }: Pick<Setting, 'variable' | 'text'>): string {
  return `${printable(variable)} is ${show(text)}`;
}

function policyOf(segment: string): AnyPolicy | undefined {
  const wanted = plain(segment);
  for (const policy of policies.values()) if (plain(policy.kind) === wanted) return policy;
  return undefined;
}
