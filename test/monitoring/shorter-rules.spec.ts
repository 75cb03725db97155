import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { shorterRules } from '../processes/sample/alerts/shorter-rules.js';
import { describeWithPromtool, promtool } from '../support/promtool.js';

const RULES = readFileSync(join(__dirname, '../../monitoring/alerts.yaml'), 'utf8');

describe('rules for an experiment', () => {
  it('have shorter times, and are otherwise the same', () => {
    const rules = `
      groups:
        - name: g
          rules:
            - { record: a, expr: 'rate(x{y="z"}[5m]) + max_over_time(x[1h30m])' }
            - { alert: B, expr: a > 0, for: 10m, labels: { severity: warning } }
            - { alert: C, expr: a > 1 }
    `;
    expect(parse(shorterRules(rules, 20))).toEqual({
      groups: [
        {
          name: 'g',
          rules: [
            { record: 'a', expr: 'rate(x{y="z"}[15000ms]) + max_over_time(x[270000ms])' },
            { alert: 'B', expr: 'a > 0', for: '30000ms', labels: { severity: 'warning' } },
            { alert: 'C', expr: 'a > 1' },
          ],
        },
      ],
    });
  });

  it('are not made of unknown times', () => {
    const rules = 'groups: [{ name: g, rules: [{ record: a, expr: "rate(x[1.5m])" }] }]';
    expect(() => shorterRules(rules, 20)).toThrow('1.5m is not a duration');
  });
});

describeWithPromtool('promtool', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'nest-resilience-rules-'));
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  it('accepts the shorter rules', () => {
    const file = join(folder, 'alerts.yaml');
    writeFileSync(file, shorterRules(RULES, 20));
    const { status, output } = promtool('check', 'rules', file);
    expect([status, output]).toEqual([0, expect.stringContaining('SUCCESS')]);
  });
});
