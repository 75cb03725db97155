import { jobs } from './jobs.mjs';
import { median } from './measure.mjs';

const ours = 'nest-resilience';
const BARE = 'bare';

/** Upper limits of our added cost, as a share of cockatiel's. */
const limits = { breaker: 1.25, retry: 0.6, timeout: 1, bulkhead: 0.125, rejected: 1 };

/** Upper limit of a command's added cost, as a multiple of a decorated method's. */
const COMMAND_LIMIT = 1.25;

/** The suffix of the variants of cockatiel to compare with, unless it is all of them. */
const yardsticks = { breaker: ', counting', retry: ', counting' };

/** All calls to measure, of all contestants and the bare method, by `job/contestant`. */
export function callsOf(contestants, bare) {
  const calls = { [BARE]: { call: bare, rejects: false } };
  for (const contestant of contestants) {
    for (const [job, variants] of Object.entries(contestant.calls)) {
      for (const [label, call] of Object.entries(variants)) {
        calls[`${job}/${label}`] = { call, rejects: job === 'rejected' };
      }
    }
  }
  return calls;
}

/**
 * Medians over the rounds. Ratios are computed within each round, of batches that ran one after the other, before their
 * median is taken: a disturbance affects both parts of a ratio.
 *
 * The yardstick is the cheapest of cockatiel's ways to do a job; where it has no timers, of those that also keep counts
 * and latencies, as ours do: bench/README.md explains why.
 */
export function summarize(times) {
  const bare = times[BARE];
  const rounds = bare.map((_, round) => round);
  const overRounds = (of) => median(rounds.map(of));
  const addedIn = (id) => (round) => times[id][round] - bare[round];
  const addedByOurs = addedIn(`bulkhead/${ours}`);
  return {
    bareNs: median(bare),
    commandToMethod: overRounds(
      (round) => addedIn(`bulkhead/${ours}, command`)(round) / addedByOurs(round),
    ),
    jobs: Object.entries(jobs).map(([job, title]) => {
      const ids = Object.keys(times).filter((id) => id.startsWith(`${job}/`));
      const yardstick = ids
        .filter((id) => id.startsWith(`${job}/cockatiel`) && id.endsWith(yardsticks[job] ?? ''))
        .reduce((a, b) => (median(times[b]) < median(times[a]) ? b : a));
      const contestants = ids.map((id) => ({
        name: id.slice(job.length + 1),
        ns: median(times[id]),
        addedNs: overRounds(addedIn(id)),
        toBare: overRounds((round) => times[id][round] / bare[round]),
        addedToCockatiel: overRounds((round) => addedIn(id)(round) / addedIn(yardstick)(round)),
      }));
      return { job, title, contestants };
    }),
  };
}

/** The claims about times. */
export function judgeTimes(summary) {
  return [...summary.jobs.map(judgeJob), judgeCommand(summary)];
}

function judgeJob({ job, title, contestants }) {
  const { addedToCockatiel: value } = contestants.find(({ name }) => name === ours);
  const limit = limits[job];
  const holds = limit === 1 ? value < limit : value <= limit;
  const claim = `${title}: ${limit === 1 ? 'less than' : `at most ${limit} of`} what cockatiel adds`;
  return { claim, holds, value: round(value) };
}

function judgeCommand({ commandToMethod: value }) {
  const claim = `a command: at most ${COMMAND_LIMIT} of what a decorated method adds`;
  return { claim, holds: value <= COMMAND_LIMIT, value: round(value) };
}

/** The claims about objects that our calls make. `signal`: counts of the method that has a `@Signal()`. */
export function judgeCounts(counts, signal) {
  const of = (job) => counts[`${job}/${ours}`];
  const withoutTimeout = ['breaker', 'retry', 'rejected'].map(of);
  const timed = of('timeout');
  return [
    {
      claim: 'without a timeout: no timer',
      value: sum(withoutTimeout.map(({ timers }) => timers)),
      most: 0,
    },
    {
      claim: 'without a timeout: no AbortController',
      value: sum(withoutTimeout.map(({ controllers }) => controllers)),
      most: 0,
    },
    { claim: 'with a timeout: one timer for all calls', value: timed.timers, most: 1 },
    {
      claim: 'with a timeout: no AbortController unless a signal is used',
      value: timed.controllers,
      most: 0,
    },
    {
      claim: 'with a signal: one AbortController per call',
      value: signal.controllers,
      most: signal.calls,
    },
  ].map(({ most, ...check }) => ({ ...check, counted: true, holds: check.value <= most }));
}

function sum(numbers) {
  return numbers.reduce((a, b) => a + b, 0);
}

function round(value) {
  return Math.round(value * 1_000) / 1_000;
}
