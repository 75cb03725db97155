import * as fc from 'fast-check';
import { type Scenario, Simulation } from './support/fleet-simulation.js';

/** Two polls of instances whose circuit is not closed, and of those whose circuit is, seconds. */
const TWO_ACTIVE_POLLS = 3;
const TWO_POLLS = 36;

/** An outage from its beginning to its end, and what the store had to do. */
async function outage(scenario: Scenario, died = 0): Promise<Simulation> {
  const simulation = new Simulation(scenario);
  await simulation.start();
  simulation.down = true;
  await simulation.run(12);
  for (let i = 0; i < died; i++) simulation.instances[i]!.dead = true;
  await simulation.run(TWO_POLLS);
  const { closed = 0 } = simulation.states;
  expect(closed).toBe(0);
  simulation.down = false;
  // At most the lease of a prober that has died, and then the open time and a call.
  await simulation.run(died > 0 ? 45 : 15);
  await simulation.run(TWO_ACTIVE_POLLS);
  expect(Object.keys(simulation.states)).toEqual(['closed']);
  expect(await simulation.shared()).toMatchObject({ state: 'closed' });
  simulation.close();
  return simulation;
}

describe('a simulated fleet', () => {
  it('never has more probes than allowed, nor goes back to an older epoch, and agrees after each outage', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          instances: fc.integer({ min: 2, max: 40 }),
          seed: fc.integer(),
          lost: fc.double({ min: 0, max: 0.5, noNaN: true }),
          latency: fc.integer({ min: 0, max: 40 }),
          maxCalls: fc.integer({ min: 1, max: 3 }),
          died: fc.integer({ min: 0, max: 1 }),
        }),
        async ({ maxCalls, died, ...scenario }) => {
          const halfOpen = { maxCalls, successThreshold: 3, maxDuration: '20s' } as const;
          const simulation = await outage({ ...scenario, options: { halfOpen } }, died);
          expect(simulation.mostProbes).toBeLessThanOrEqual(maxCalls);
        },
      ),
      { numRuns: 8 },
    );
  }, 60_000);

  it('of 1,000 instances makes no more probes than one of three', async () => {
    const seed = Number(process.env.FLEET_SEED ?? 17);
    const halfOpen = { maxCalls: 2, successThreshold: 2 };
    const scenario = { instances: 1_000, seed, lost: 0.1, latency: 20, options: { halfOpen } };
    const simulation = await outage(scenario);
    expect(simulation.mostProbes).toBeLessThanOrEqual(2);
  }, 300_000);
});

/** The figures of docs/scaling.md: `FLEET_TABLE=1 npx jest fleet-simulation -t table`. */
const table = process.env.FLEET_TABLE === undefined ? it.skip : it;

table.each([10, 100, 1_000, 10_000])(
  'the table of steps per second: %i instances',
  async (instances) => {
    const simulation = new Simulation({ instances, seed: 17, latency: 20 });
    await simulation.start();
    const closed = await simulation.run(60);
    simulation.down = true;
    const opening = await simulation.run(5);
    const open = await simulation.run(30);
    simulation.down = false;
    const closing = await simulation.run(15);
    process.stdout.write(
      `${instances} | ${JSON.stringify({ closed, opening, open, closing, states: simulation.states })}\n`,
    );
    simulation.close();
  },
  600_000,
);
