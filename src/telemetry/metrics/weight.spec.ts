import { weigh } from '../../../test/support/weight.js';
import { MetricEvent, RollingMetrics } from './metrics.js';

/** Calls that each take something else, from 1 to 200 ms. */
function used(calls: number, seconds: number, event: MetricEvent = MetricEvent.success) {
  const metrics = new RollingMetrics(0.25);
  for (let call = 0; call < calls; call++) {
    const now = (call * seconds * 1_000) / calls + 0.5;
    metrics.begin(now);
    metrics.latency(1.5 + ((call * 37.7) % 200), now);
    metrics.end(event, now);
  }
  return metrics;
}

describe('RollingMetrics weighs', () => {
  it('next to nothing before the first call', () => {
    expect(weigh(5_000, () => new RollingMetrics(0.25))).toBeLessThan(150);
  });

  it('half a kilobyte when it was used once, well or not', () => {
    expect(weigh(5_000, () => used(1, 1))).toBeLessThan(700);
    expect(weigh(5_000, () => used(1, 1, MetricEvent.failure))).toBeLessThan(800);
  });

  it('little more after ten calls in five seconds', () => {
    expect(weigh(5_000, () => used(10, 5))).toBeLessThan(1_000);
  });

  it('at most 10 kB when it is busy', () => {
    expect(weigh(100, () => used(10_000, 60))).toBeLessThan(10_000);
  });

  it('what it weighs at first when it is used again after a silence', () => {
    const recovered = weigh(500, () => {
      const metrics = used(1_000, 60);
      metrics.begin(600_000);
      metrics.latency(3.5, 600_000);
      metrics.end(MetricEvent.success, 600_000);
      return metrics;
    });
    expect(recovered).toBeLessThan(1_000);
  });
});
