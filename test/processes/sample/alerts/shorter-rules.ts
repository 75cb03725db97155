import { parse, stringify } from 'yaml';

interface Rule {
  readonly expr: string;
  readonly for?: string;
}

interface Rules {
  readonly groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[];
}

const MILLISECONDS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A file of rules with all times divided by a factor: ranges, and how long a condition has to hold. */
export function shorterRules(text: string, factor: number): string {
  const shorter = (duration: string): string => `${Math.round(toMs(duration) / factor)}ms`;
  const { groups } = parse(text) as Rules;
  return stringify({
    groups: groups.map(({ name, rules }) => ({
      name,
      rules: rules.map((rule) => ({
        ...rule,
        expr: rule.expr.replace(/(?<=\[)[^\]]+(?=\])/g, shorter),
        ...(rule.for !== undefined && { for: shorter(rule.for) }),
      })),
    })),
  });
}

/** The milliseconds of a duration in Prometheus' notation, such as `1h30m`. */
function toMs(duration: string): number {
  const parts = [...duration.matchAll(/(\d+)(ms|s|m|h|d)/g)];
  if (parts.map(([part]) => part).join('') !== duration) {
    throw new Error(`${duration} is not a duration of Prometheus`);
  }
  return parts.reduce(
    (sum, [, count, unit]) => sum + Number(count) * MILLISECONDS[unit as keyof typeof MILLISECONDS],
    0,
  );
}
