// npm run adversary: fuzzes whole applications (test/adversary) for longer than the test suite does: as many calls as
// ADVERSARY_CALLS says (default 200,000), in as many processes as ADVERSARY_JOBS says (default 2), from
// ADVERSARY_SEED on. A finding names its seed and its world: ADVERSARY_WORLD='{…}' npx jest test/adversary runs
// that world again. ADVERSARY_SURVEY=file writes all findings to a file instead of stopping at the first.
import { capture, fromRoot } from './tools.mjs';

const {
  ADVERSARY_CALLS = '200000',
  ADVERSARY_JOBS = '2',
  ADVERSARY_SEED,
  ADVERSARY_SURVEY,
} = process.env;
const jobs = Number(ADVERSARY_JOBS);
const seed = Number(ADVERSARY_SEED ?? Date.now() % 1_000_000_000);

/** Far enough from each other that no world is run twice. */
const DISTANCE = 100_000_000;

console.log(`${ADVERSARY_CALLS} calls, seed ${seed}`);
const results = await Promise.all(
  Array.from({ length: jobs }, (_, job) =>
    capture(
      process.execPath,
      [fromRoot('node_modules', 'jest', 'bin', 'jest.js'), 'test/adversary', '--runInBand'],
      {
        env: {
          ...process.env,
          ADVERSARY_CALLS: String(Math.ceil(Number(ADVERSARY_CALLS) / jobs)),
          ADVERSARY_SEED: String(seed + job * DISTANCE),
          ...(ADVERSARY_SURVEY && { ADVERSARY_SURVEY: `${ADVERSARY_SURVEY}.${job}` }),
        },
      },
    ),
  ),
);
for (const { code, output } of results) {
  console.log(
    code === 0
      ? output
          .split('\n')
          .filter((line) => /✓|Time:/.test(line))
          .join('\n')
      : output,
  );
}
process.exitCode = Math.max(...results.map(({ code }) => code));
