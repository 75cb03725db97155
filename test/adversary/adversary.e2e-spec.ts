import { writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { runWorld } from './run.js';
import { Survey } from './survey.js';
import type { WorldSeed } from './world.js';

const { env } = process;

/** The number of calls, and the seed of the random numbers, which a failure reports. */
const CALLS = Number(env.ADVERSARY_CALLS ?? 20_000);
const SEED = Number(env.ADVERSARY_SEED ?? Date.now() % 1_000_000_000);

/** Worlds of one seed. */
const WORLDS = 20;

const number = fc.noShrink(fc.integer({ min: 0, max: 0x7fffffff }));

const worlds: fc.Arbitrary<WorldSeed> = fc.record({
  seed: number,
  subjects: fc.integer({ min: 1, max: 7 }),
  steps: fc.array(number, { minLength: 1, maxLength: 160, size: 'max' }),
});

describe('whatever happens to calls', () => {
  it(`is over at its end: nothing lost, left behind or mixed up (${CALLS} calls, seed ${SEED})`, async () => {
    if (env.ADVERSARY_WORLD !== undefined) {
      const { violations } = await runWorld(JSON.parse(env.ADVERSARY_WORLD) as WorldSeed);
      return expect(violations).toEqual([]);
    }
    const survey = env.ADVERSARY_SURVEY === undefined ? undefined : new Survey();
    let calls = 0;
    const property = fc.asyncProperty(worlds, async (seed) => {
      const report = await runWorld(seed);
      calls += report.calls;
      if (survey === undefined) expect(report.violations).toEqual([]);
      else survey.add(report, seed);
    });
    for (let seed = SEED; calls < CALLS; seed++) {
      await fc.assert(property, { seed, numRuns: WORLDS });
    }
    if (survey !== undefined)
      writeFileSync(env.ADVERSARY_SURVEY!, `${calls} calls\n\n${survey.toString()}\n`);
  });
});

jest.setTimeout(3_600_000);
