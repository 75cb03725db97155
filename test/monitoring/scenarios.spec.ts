import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { describeWithPromtool, promtool } from '../support/promtool.js';

interface Rule {
  readonly alert?: string;
  readonly expr: string;
  readonly for?: string;
}

interface Rules {
  readonly groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[];
}

interface Scenarios {
  readonly tests: readonly {
    readonly alert_rule_test?: readonly { readonly alertname: string }[];
  }[];
}

const read = <T>(path: string): T =>
  parse(readFileSync(join(__dirname, '../..', path), 'utf8')) as T;

const rules = read<Rules>('monitoring/alerts.yaml');
const scenarios = read<Scenarios>('test/monitoring/alerts.test.yaml');

/** The same alert with another threshold, or another time for which its condition has to hold. */
function* changesOf(rule: Rule): Generator<readonly [what: string, changed: Rule]> {
  const { expr, for: time } = rule;
  for (const { 0: text, 1: threshold, index } of expr.matchAll(/> ([\d.]+)/g)) {
    // A share or a rate three times as high or as low; of what is above 0 or not, anything and nothing.
    const others = threshold === '0' ? [-1, 1e9] : [Number(threshold) * 3, Number(threshold) / 3];
    for (const other of others) {
      const changed = `${expr.slice(0, index)}> ${other}${expr.slice(index + text.length)}`;
      yield [`${text} at ${index}: ${other}`, { ...rule, expr: changed }];
    }
  }
  if (time === undefined) return;
  const [, count, unit] = /^(\d+)([mh])$/.exec(time)!;
  const minutes = Number(count) * (unit === 'h' ? 60 : 1);
  for (const other of [2 * minutes, Math.floor(minutes / 2)]) {
    yield [`for ${time}: ${other}m`, { ...rule, for: `${other}m` }];
  }
}

describeWithPromtool('scenarios', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'nest-resilience-scenarios-'));
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  /** The scenarios of an alert, for rules in which it is another one. @returns the file */
  function write(id: number, rule: Rule, changed: Rule): string {
    const groups = rules.groups.map((group) => ({
      ...group,
      rules: group.rules.map((each) => (each === rule ? changed : each)),
    }));
    const tests = scenarios.tests.filter(({ alert_rule_test = [] }) =>
      alert_rule_test.some(({ alertname }) => alertname === rule.alert),
    );
    const [ruleFile, file] = [`${id}.rules.yaml`, join(folder, `${id}.test.yaml`)];
    writeFileSync(join(folder, ruleFile), stringify({ groups }));
    const head = { rule_files: [ruleFile], evaluation_interval: '1m' };
    writeFileSync(file, stringify({ ...head, tests }));
    return file;
  }

  it('fail when a threshold or a time of an alert changes', () => {
    const alerts = rules.groups
      .flatMap((group) => group.rules)
      .filter(({ alert }) => alert !== undefined);
    const files = new Map<string, string>();
    for (const rule of alerts) {
      const changes = [['unchanged', rule] as const, ...changesOf(rule)];
      for (const [what, changed] of changes) {
        files.set(write(files.size, rule, changed), `${rule.alert}, ${what}`);
      }
    }
    const { output } = promtool('test', 'rules', ...files.keys());
    const passed = [...output.matchAll(/^Unit Testing: {2}(.+)\n {2}SUCCESS$/gm)];
    expect(passed.map(([, file]) => files.get(file!))).toEqual(
      alerts.map(({ alert }) => `${alert}, unchanged`),
    );
  });
});
