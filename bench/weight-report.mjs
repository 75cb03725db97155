import { block, table } from './report.mjs';

/** The measurements: title, unit, format and upper limit. */
const measures = {
  unusedBreaker: ['breaker by key, never used', 'B'],
  usedBreaker: ['breaker by key, used once', 'B', 2_000],
  lightlyUsedBreaker: ['breaker by key, 10 calls in 5 s', 'B'],
  busyBreaker: ['breaker by key, 100 000 calls in 60 s', 'B'],
  usedCommand: ['command with a breaker, used once', 'B', 6_000],
  manyKeysMB: ['100 000 breakers by key, used once', 'MB', 300],
  cappedBreakersMB: ['1 000 000 keys of a breaker with room for 10 000', 'MB', 30],
  cappedBulkheadsMB: ['1 000 000 keys of a bulkhead with room for 10 000', 'MB', 15],
  lookupNs: ['`registry.get()` among 100 000', 'ns', 5_000],
  blockMs: ['`/hystrix.stream` of 20 000 keys: longest block of the loop', 'ms', 10],
  blockWallMs: ['the same, with what the machine did meanwhile', 'ms'],
};

/** The claims about weights. */
export function judgeWeight(results) {
  return Object.entries(measures).flatMap(([name, [title, unit, most]]) => {
    if (most === undefined) return [];
    const value = results[name];
    return [{ claim: `${title}: at most ${most} ${unit}`, holds: value <= most, value }];
  });
}

/** The results as text. */
export function weightReport(results) {
  const { node, machine, checks } = results;
  const lines = checks.map(
    ({ claim, holds, value }) => `- ${holds ? 'holds' : 'FAILS'}: ${claim} (${shown(value)})`,
  );
  return [`Node ${node}, ${machine} machine`, '', ...tableOf(results), '', ...lines].join('\n');
}

/** bench/README.md with these results, without the rows that depend more on the machine than on the library. */
export function withWeight(readme, results) {
  const { blockWallMs: _, ...shownOnes } = results;
  const machine = `Node ${results.node}, ${results.machine} VM.`;
  return block('weight', readme, [machine, '', ...tableOf(shownOnes)]);
}

function tableOf(results) {
  const rows = Object.entries(measures)
    .filter(([name]) => results[name] !== undefined)
    .map(([name, [title, unit, most]]) => {
      return [
        title,
        `${shown(results[name])} ${unit}`,
        most === undefined ? '' : `${most} ${unit}`,
      ];
    });
  return table(['what', 'measured', 'at most'], rows);
}

function shown(value) {
  return value < 100 ? value.toFixed(1) : value.toFixed(0);
}
