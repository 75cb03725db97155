import { table } from './report.mjs';

/** How much slower a call may be when nothing is exported, as a share of its time. */
const NOTHING = 0.03;

/** How much metrics may add, as a share of the pipeline's own cost. */
const METRICS = 0.3;

/** The exporters of metrics that the library counts itself. */
const COUNTED = ['Prometheus', 'OpenTelemetry metrics, producer'];

/** The claims about exporters. */
export function judgeTelemetry({ jobs }) {
  return jobs.flatMap(({ title, exported }) =>
    exported.flatMap(({ exporter, ofOwn, ofCall }) => {
      const claim = (text, value, most) => {
        return [{ claim: `${title}, ${exporter}: ${text}`, holds: value <= most, value }];
      };
      if (exporter === 'no SDK') return claim('as without, within 3 %', ofCall, NOTHING);
      if (COUNTED.includes(exporter)) {
        return claim('at most 30 % of the policies\u2019 own cost', ofOwn, METRICS);
      }
      return [];
    }),
  );
}

/** The results as text. */
export function telemetryReport({ node, rounds, jobs, checks }) {
  const lines = checks.map(
    ({ claim, holds, value }) => `- ${holds ? 'holds' : 'FAILS'}: ${claim} (${percent(value)})`,
  );
  const tables = jobs.flatMap(({ title, ownNs, exported }) => {
    const rows = exported.map(({ exporter, ns, ofOwn }) => {
      return [exporter, ns.toFixed(0), percent(ofOwn)];
    });
    const head = [`${title}: ${ownNs.toFixed(0)} ns`, 'ns more', 'of its own cost'];
    return ['', ...table(head, rows)];
  });
  return [`Node ${node}, median of ${rounds} rounds`, ...tables, '', ...lines].join('\n');
}

const BEGIN = '<!-- telemetry: begin -->';
const END = '<!-- telemetry: end -->';

/** bench/README.md with these results, as ratios. */
export function withTelemetry(readme, { node, jobs }) {
  const [{ exported }] = jobs;
  const rows = exported.map(({ exporter }, at) => {
    return [exporter, ...jobs.map((job) => percent(job.exported[at].ofOwn))];
  });
  const block = [
    `Node ${node}, 2-core VM, medians of five processes.`,
    '',
    ...table(
      ['added, in % of the policies\u2019 own cost', ...jobs.map(({ title }) => title)],
      rows,
    ),
  ].join('\n');
  const [before, rest] = readme.split(BEGIN);
  return `${before}${BEGIN}\n\n${block}\n\n${END}${rest.split(END)[1]}`;
}

function percent(share) {
  return `${Math.round(share * 100)} %`;
}
