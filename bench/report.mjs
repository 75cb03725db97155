/** The results as text. */
export function report({ node, machine, rounds, bareNs, jobs, limiters, counts, checks }) {
  const lines = [`Node ${node}, ${machine}, median of ${rounds} rounds`, ''];
  for (const { title, contestants } of jobs) {
    const rows = contestants.map(({ name, ns, addedNs, toBare, addedToCockatiel }) => [
      name,
      ns.toFixed(0),
      `+${addedNs.toFixed(0)}`,
      toBare.toFixed(1),
      addedToCockatiel.toFixed(2),
    ]);
    rows.unshift(['bare method', bareNs.toFixed(0), '', '1.0', '']);
    lines.push(
      ...table([title, 'ns per call', 'added ns', '× bare', 'added, × cockatiel’s'], rows),
      '',
    );
  }
  const decisions = limiters.map(({ name, ns, toBest }) => [
    name,
    ns.toFixed(0),
    toBest.toFixed(2),
  ]);
  lines.push(...table([LIMITERS, 'ns', OF_BEST], decisions), '');
  const made = Object.entries(counts).map(([id, { calls, timers, controllers }]) => [
    id,
    ...[timers, controllers].map((number) => perCall(number / calls)),
  ]);
  lines.push(...table(['made per call', 'timers', 'AbortControllers'], made), '');
  for (const { claim, holds, value } of checks) {
    lines.push(`- ${holds ? 'holds' : 'FAILS'}: ${claim} (${value})`);
  }
  return lines.join('\n');
}

const LIMITERS = 'a decision of a rate limit';
const OF_BEST = '× the best other one’s';

/** bench/README.md with these results as ratios, which carry over to other machines better than nanoseconds. */
export function withResults(readme, { node, rounds, jobs, limiters, counts }) {
  return block('results', readme, [
    `Node ${node}, 2-core VM, median of ${rounds} rounds.`,
    ...jobs.flatMap(({ job, title, contestants }) => {
      const rows = contestants.map(({ name, toBare, addedToCockatiel }) => {
        const { calls, timers, controllers } = counts[`${job}/${name}`];
        const made = [timers, controllers].map((number) => perCall(number / calls));
        return [name, toBare.toFixed(1), addedToCockatiel.toFixed(2), ...made];
      });
      const head = [title, '× bare', 'added, × cockatiel’s', 'timers', 'AbortControllers'];
      return ['', ...table(head, rows)];
    }),
    '',
    ...table(
      [LIMITERS, OF_BEST],
      limiters.map(({ name, toBest }) => [name, toBest.toFixed(2)]),
    ),
  ]);
}

/** The page with these lines between the marks of that name. */
export function block(name, page, lines) {
  const [begin, end] = [`<!-- ${name}: begin -->`, `<!-- ${name}: end -->`];
  const [before, rest] = page.split(begin);
  return `${before}${begin}\n\n${lines.join('\n')}\n\n${end}${rest.split(end)[1]}`;
}

function perCall(number) {
  return Number.isInteger(number) ? String(number) : number.toFixed(3);
}

/** The first column is text, the others are numbers. */
export function table(head, rows) {
  const widths = head.map((cell, column) =>
    Math.max(3, ...[head, ...rows].map((row) => row[column].length)),
  );
  const line = (cells) =>
    `| ${cells
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]),
      )
      .join(' | ')} |`;
  const rule = widths.map((width, column) =>
    column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  );
  return [line(head), line(rule), ...rows.map(line)];
}
