import { CompiledLibrary, outputOf } from '../../../test/support/child-process.js';

/** Weighs in a process of its own, where there is nothing else to be collected. */
const script = `
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { MetricEvent, RollingMetrics } from './telemetry/metrics/metrics.js';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

/** How many bytes each of count things takes that make() makes: the median of five, as V8 also gives up code meanwhile. */
function weigh(count: number, make: () => unknown): number {
  return Array.from({ length: 5 }, () => weighOnce(count, make)).sort((a, b) => a - b)[2]!;
}

function weighOnce(count: number, make: () => unknown): number {
  const kept = new Array<unknown>(count).fill(undefined);
  make(); // what all share is there
  const before = bytes();
  for (let index = 0; index < count; index++) kept[index] = make();
  return (bytes() - before) / kept.length;
}

function bytes(): number {
  gc();
  gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Calls that each take something else, from 1 to 200 ms. */
function used(calls: number, seconds: number, event: MetricEvent = MetricEvent.success) {
  const metrics = new RollingMetrics(0.25);
  for (let call = 0; call < calls; call++) {
    const now = (call * seconds * 1_000) / calls + 0.5;
    metrics.begin(now);
    metrics.complete(event, 1.5 + ((call * 37.7) % 200), now);
  }
  return metrics;
}

function usedAgain(): RollingMetrics {
  const metrics = used(1_000, 60);
  metrics.begin(600_000);
  metrics.complete(MetricEvent.success, 3.5, 600_000);
  return metrics;
}

console.log(
  JSON.stringify({
    unused: weigh(5_000, () => new RollingMetrics(0.25)),
    succeeded: weigh(5_000, () => used(1, 1)),
    failed: weigh(5_000, () => used(1, 1, MetricEvent.failure)),
    ten: weigh(5_000, () => used(10, 5)),
    busy: weigh(100, () => used(10_000, 60)),
    usedAgain: weigh(500, usedAgain),
  }),
);
`;

describe('RollingMetrics weighs', () => {
  let weights: Record<'unused' | 'succeeded' | 'failed' | 'ten' | 'busy' | 'usedAgain', number>;

  beforeAll(async () => {
    const library = new CompiledLibrary();
    try {
      weights = JSON.parse(await outputOf(library.run('weight', script)));
    } finally {
      library.remove();
    }
  }, 60_000);

  it('next to nothing before the first call', () => {
    expect(weights.unused).toBeGreaterThan(0);
    expect(weights.unused).toBeLessThan(150);
  });

  it('half a kilobyte after one call, successful or not', () => {
    expect(weights.succeeded).toBeLessThan(700);
    expect(weights.failed).toBeLessThan(800);
  });

  it('little more after ten calls in five seconds', () => {
    expect(weights.ten).toBeLessThan(1_000);
  });

  it('at most 10 kB when it is busy', () => {
    expect(weights.busy).toBeLessThan(10_000);
  });

  it('as much as at first when it is used again after a silence', () => {
    expect(weights.usedAgain).toBeLessThan(1_000);
  });
});
