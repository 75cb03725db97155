import { FRAGILE, Harness } from '../../test/support/breaker.js';
import type { Pulse } from '../common/pulse.js';
import { PartCounters } from './part-counters.js';

/** A pulse for an event loop that is blocked when the test says so. */
function stalling() {
  let missed = Infinity;
  const pulse: Pick<Pulse, 'missed' | 'lost' | 'watch'> = {
    missed: () => missed,
    lost: () => 0,
    watch: () => {},
  };
  const stall = (from: number): void => void (missed = from);
  return { pulse: pulse as Pulse, stall, recover: () => stall(Infinity) };
}

describe('the time in a state', () => {
  it('never falls, even when a probe is judged late, as of the end of its time', () => {
    const { pulse, stall, recover } = stalling();
    const harness = new Harness({ ...FRAGILE, halfOpen: { maxDuration: '10s' } }, pulse);
    const counters = new PartCounters();
    const seconds = (): number => {
      counters.addBreaker('storage', harness.breaker, harness.breaker.reading());
      return counters.series.breakerTime.at('storage', 'half-open').value;
    };
    harness.fail();
    harness.wait(1_000);
    harness.admit();
    harness.wait(9_900);
    expect(seconds()).toBeCloseTo(9.9);
    stall(harness.time);
    harness.wait(600);
    expect(seconds()).toBeCloseTo(10.5);
    recover();
    harness.wait(100);
    expect(seconds()).toBeCloseTo(10.5);
    // It goes on from the highest that was told, not from where it fell to.
    harness.wait(600);
    harness.admit();
    harness.wait(2_000);
    expect(harness.breaker.reading().timeInStateMs['half-open']).toBeGreaterThan(10_500);
    expect(seconds()).toBeCloseTo(harness.breaker.reading().timeInStateMs['half-open'] / 1_000);
  });
});
