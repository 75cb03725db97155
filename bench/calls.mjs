// A part of npm run bench: what the library adds to a call, compared with cockatiel, opossum, mollitia and nestjs-resilience;
// and a decision of its rate limit, compared with limiter, bottleneck, rate-limiter-flexible and @nestjs/throttler.
//
//   node bench/calls.mjs [rounds]
//
// Prints one measurement as JSON.
import { count } from './count.mjs';
import { names } from './jobs.mjs';
import { measure } from './measure.mjs';
import { callsOf, judgeCounts, judgeTimes, summarize } from './results.mjs';

/** How many calls the counting pass makes of each kind. */
const COUNTED_CALLS = 1_000;

const rounds = Number(process.argv[2] ?? 200);
console.log(JSON.stringify(await results()));

async function results() {
  const { BookClient } = await import('./contestants/client.mjs');
  const contestants = [];
  for (const name of names) {
    const { start } = await import(`./contestants/${name}.mjs`);
    contestants.push(await start());
  }
  const { startLimiters, summarizeLimiters, judgeLimiters } = await import('./limiters.mjs');
  const limiting = await startLimiters();
  try {
    const client = new BookClient();
    const calls = callsOf(contestants, () => client.getBooks());
    const { counts, signal } = await countAll(calls, contestants);
    const times = await measure({ ...calls, ...limiting.calls }, rounds);
    const summary = { ...summarize(times), limiters: summarizeLimiters(times) };
    const checks = [
      ...judgeTimes(summary),
      judgeLimiters(summary.limiters),
      ...judgeCounts(counts, signal),
    ];
    return { ...summary, counts, checks };
  } finally {
    await limiting.stop();
    for (const { stop } of contestants) await stop();
  }
}

async function countAll(calls, contestants) {
  const counts = {};
  for (const [id, { call }] of Object.entries(calls)) {
    counts[id] = { calls: COUNTED_CALLS, ...(await count(call, COUNTED_CALLS)) };
  }
  const [{ withSignal }] = contestants;
  const signal = { calls: COUNTED_CALLS, ...(await count(withSignal, COUNTED_CALLS)) };
  return { counts, signal };
}
