import { block, table } from './report.mjs';

/** How much more a shared breaker may add to a call, as a share of the cost that a local one adds. */
const DEARER = 0.05;

const TRIP_MS = 20;

/** The claims about fleets, as far as they were measured. */
export function judgeFleet({ closedCalls, commands, trips, limits }) {
  const checks = closedCalls
    .filter(({ name }) => name.startsWith('shared'))
    .map(({ name, toLocal }) => ({
      claim: `a closed breaker, ${name}: adds at most ${DEARER * 100} % more than a local one`,
      holds: toLocal <= 1 + DEARER,
      value: round(toLocal),
    }));
  if (commands === undefined) return checks;
  const ours = (load) => limits.find((each) => each.load === load && each.name === OURS).sent;
  return [
    ...checks,
    {
      claim: 'a trip reaches another process in less than 20 ms (median)',
      holds: trips.medianMs < TRIP_MS,
      value: round(trips.medianMs),
    },
    {
      claim: `Redis commands of ${commands.calls} calls through a closed breaker: none`,
      value: commands.commands,
      counted: true,
      holds: commands.commands === 0,
    },
    {
      claim: 'a decision of a shared rate limit: one Redis command',
      value: ours('one at a time'),
      counted: true,
      holds: ours('one at a time') === 1,
    },
    {
      claim: 'a call that is known to be refused: no Redis command',
      value: ours('refused'),
      counted: true,
      holds: ours('refused') === 0,
    },
  ];
}

const OURS = 'nest-resilience';

/** The results as text. */
export function fleetReport({ closedCalls, commands, trips, limits, checks }) {
  const rows = closedCalls.map(({ name, ns, toBare, toLocal }) => [
    name,
    ns.toFixed(0),
    toBare.toFixed(1),
    toLocal.toFixed(2),
  ]);
  const lines = [...table([CLOSED, 'ns per call', '× bare', TO_LOCAL], rows), ''];
  if (commands !== undefined) {
    lines.push(
      ...table(
        [LIMITS, 'decisions a second', ...LIMIT_HEAD],
        limits.map((each) => [titleOf(each), each.perSecond.toFixed(0), ...cellsOf(each)]),
      ),
      '',
      `Redis commands of ${commands.calls} calls through a closed breaker: ${commands.commands}`,
      `a trip in another process, of ${trips.trips}: median ${trips.medianMs.toFixed(2)} ms, longest ${trips.longestMs.toFixed(2)} ms`,
      '',
    );
  }
  for (const { claim, holds, value } of checks) {
    lines.push(`- ${holds ? 'holds' : 'FAILS'}: ${claim} (${value})`);
  }
  return lines.join('\n');
}

const CLOSED = 'a call through a closed breaker';
const TO_LOCAL = 'added, × a local one’s';
const LIMITS = 'decisions of a rate limit in Redis';
const LIMIT_HEAD = ['× the other’s rate', 'commands sent', 'run in Redis'];

/** bench/README.md with these results; without Redis it stays as it is. */
export function withFleet(readme, { node, rounds, closedCalls, commands, limits }) {
  if (commands === undefined) return readme;
  const closed = closedCalls.map(({ name, toBare, toLocal }) => [
    name,
    toBare.toFixed(1),
    toLocal.toFixed(2),
  ]);
  const decisions = limits.map((each) => [titleOf(each), ...cellsOf(each)]);
  return block('fleet', readme, [
    `Node ${node}, 2-core VM, median of ${rounds} rounds.`,
    '',
    ...table([CLOSED, '× bare', TO_LOCAL], closed),
    '',
    ...table([LIMITS, ...LIMIT_HEAD], decisions),
  ]);
}

function titleOf({ load, name }) {
  return `${load}: ${name}`;
}

function cellsOf({ toOther, sent, run }) {
  return [toOther.toFixed(2), String(sent), String(run)];
}

function round(value) {
  return Math.round(value * 1_000) / 1_000;
}
