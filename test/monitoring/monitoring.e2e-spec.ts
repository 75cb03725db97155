import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { type Instrument, prometheusName } from '../../src/instruments/instrument.js';
import { instruments } from '../../src/instruments/instruments.js';
import { describeWithPromtool, promtool } from '../support/promtool.js';

const root = join(__dirname, '../..');
const RULES = join(root, 'monitoring/alerts.yaml');
const SCENARIOS = join(__dirname, 'alerts.test.yaml');

const readText = (path: string): string => readFileSync(join(root, path), 'utf8');

interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface Scenarios {
  readonly tests: readonly {
    readonly input_series: readonly { readonly series: string }[];
    readonly alert_rule_test?: readonly {
      readonly alertname: string;
      readonly exp_alerts: readonly unknown[];
    }[];
  }[];
}

const rules = (
  parse(readText('monitoring/alerts.yaml')) as { groups: { rules: Rule[] }[] }
).groups.flatMap((group) => group.rules);
const alerts = rules.filter(({ alert }) => alert !== undefined);
const recorded = rules.flatMap(({ record }) => record ?? []);
const scenarios = parse(readFileSync(SCENARIOS, 'utf8')) as Scenarios;

/** By name in Prometheus, with the names of its series; a histogram has three. */
const known = new Map<string, Instrument>(
  Object.values<Instrument>(instruments).flatMap((instrument) => {
    const name = prometheusName(instrument);
    const suffixes = instrument.kind === 'histogram' ? ['', '_bucket', '_sum', '_count'] : [''];
    return suffixes.map((suffix): [string, Instrument] => [name + suffix, instrument]);
  }),
);

/** Labels and suffixes that Prometheus adds. */
const ADDED = ['job', 'instance', 'le', '__name__'];

/** The metrics in a text that are not ours, and labels that our metrics do not have. */
function mistakesIn(text: string): string[] {
  const mistakes: string[] = [];
  for (const [, name, labels = ''] of text.matchAll(
    /(?<![:\w])(resilience_\w+)(?:\{([^}]*)\})?/g,
  )) {
    const instrument = known.get(name!);
    if (instrument === undefined) {
      mistakes.push(name!);
      continue;
    }
    for (const [, label] of labels.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)) {
      if (!instrument.labels.includes(label!) && !ADDED.includes(label!)) {
        mistakes.push(`${name}{${label}}`);
      }
    }
  }
  return mistakes;
}

describe('every metric and label of the library is listed', () => {
  it('in rules and scenarios', () => {
    expect(rules.length).toBeGreaterThan(8);
    expect(rules.flatMap(({ expr }) => mistakesIn(expr))).toEqual([]);
    const series = scenarios.tests.flatMap(({ input_series }) => input_series);
    expect(series.flatMap((each) => mistakesIn(each.series))).toEqual([]);
  });

  it('in the dashboard', () => {
    const { panels } = JSON.parse(readText('monitoring/dashboard.json')) as {
      panels: { targets: { expr: string }[] }[];
    };
    const expressions = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
    expect(expressions.length).toBeGreaterThan(10);
    for (const expression of expressions) expect(expression).toMatch(/resilience_/);
    expect(expressions.flatMap(mistakesIn)).toEqual([]);
  });

  it('in the docs', () => {
    const pages = ['docs/observability.md', 'docs/alerts.md', ...alerts.map(runbookOf)];
    for (const page of pages) {
      const names = [...readText(page).matchAll(/`(resilience_\w+)`/g)].map(([, name]) => name!);
      // The label that OpenTelemetry's collector makes.
      const unknown = names.filter((name) => !known.has(name) && name !== 'resilience_name');
      expect([page, unknown]).toEqual([page, []]);
    }
  });

  it('and an unlisted one would be found', () => {
    expect(mistakesIn('rate(resilience_calls_total{nmae="x"}[5m])')).toEqual([
      'resilience_calls_total{nmae}',
    ]);
    expect(mistakesIn('resilience_call_total')).toEqual(['resilience_call_total']);
  });
});

it.each(recorded)('%s, which is recorded, has the scenarios of an alert', (name) => {
  expect(alerts.filter(({ expr }) => expr.includes(name))).not.toEqual([]);
});

describe.each(alerts.map((rule) => [rule.alert!, rule] as const))('%s', (name, rule) => {
  it('has a runbook with its meaning, the diagnosis and the remedies', () => {
    const page = readText(runbookOf(rule));
    for (const heading of [`# ${name}`, '## Meaning', '## Diagnosis', '## Remedies']) {
      expect(page).toContain(`${heading}\n`);
    }
    expect(readText('docs/alerts.md')).toContain(`(runbooks/${name}.md)`);
  });

  it('has a runbook in the package, with links to other runbooks only', () => {
    const { files } = JSON.parse(readText('package.json')) as { files: readonly string[] };
    expect(files).toContain('docs/runbooks');
    const links = [...readText(runbookOf(rule)).matchAll(/\]\(([^)]+)\)/g)].map(([, to]) => to!);
    const missing = links.filter((to) => !alerts.some(({ alert }) => to === `${alert}.md`));
    expect(missing).toEqual([]);
  });

  it('has a scenario in which it fires, and one in which it does not', () => {
    const looked = scenarios.tests
      .map(({ alert_rule_test = [] }) => alert_rule_test.filter((at) => at.alertname === name))
      .filter((times) => times.length > 0);
    const fires = looked.map((times) => times.some(({ exp_alerts }) => exp_alerts.length > 0));
    expect(new Set(fires)).toEqual(new Set([true, false]));
  });
});

function runbookOf({ alert, annotations }: Rule): string {
  expect(annotations?.runbook).toBe(`docs/runbooks/${alert}.md`);
  return annotations!.runbook!;
}

describeWithPromtool('promtool', () => {
  it.each([
    ['accepts the rules', ['check', 'rules', RULES]],
    ['sees each alert fire and not fire', ['test', 'rules', SCENARIOS]],
  ])('%s', (_title, args) => {
    const { status, output } = promtool(...args);
    expect([status, output]).toEqual([0, expect.stringContaining('SUCCESS')]);
  });
});
