import { table } from '../report.mjs';
import { BARE, IDLE } from './claims.mjs';

/** The results as text. */
export function httpReport({ machine, nodes, checks }) {
  const lines = [machine];
  for (const { node, platforms } of nodes) {
    lines.push('', `Node ${node}`);
    for (const [platform, rows] of Object.entries(platforms)) {
      lines.push('', `  ${platform}`);
      for (const { variant, toBare, cpuMicros, addedMicros } of rows) {
        lines.push(
          `  ${toBare.toFixed(2)} of the requests  ${cpuMicros.toFixed(1).padStart(6)} µs of CPU (${signed(addedMicros)} µs)  ${variant}`,
        );
      }
    }
  }
  const told = checks.map(
    ({ claim, holds, value }) => `${holds ? 'ok  ' : 'FAIL'} ${value.toFixed(3)}  ${claim}`,
  );
  return [...lines, '', ...told].join('\n');
}

const BEGIN = '<!-- http: begin -->';
const END = '<!-- http: end -->';

/** The text of bench/README.md with these results. */
export function withHttp(readme, results) {
  const [before, rest] = readme.split(BEGIN);
  const block = [`On a machine of ${results.machine}:`, '', ...tableOf(results)].join('\n');
  return `${before}${BEGIN}\n\n${block}\n\n${END}${rest.split(END)[1]}`;
}

const HEAD = ['Node', 'platform', 'variant', 'requests a second', 'CPU time', '× an idle one’s'];

function tableOf({ nodes }) {
  const rows = nodes.flatMap(({ node, platforms }) =>
    Object.entries(platforms).flatMap(([platform, all]) => {
      const idle = all.find(({ variant }) => variant === IDLE);
      return all
        .filter(({ variant }) => variant !== BARE)
        .map(({ variant, toBare, addedMicros }) => [
          node.slice(1),
          platform,
          variant,
          `${(toBare * 100).toFixed(0)} %`,
          `${signed(addedMicros)} µs`,
          (addedMicros / idle.addedMicros).toFixed(2),
        ]);
    }),
  );
  return table(HEAD, rows);
}

const signed = (micros) => `${micros >= 0 ? '+' : ''}${micros.toFixed(1)}`;
