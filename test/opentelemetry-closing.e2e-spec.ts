import { CircuitBreaker } from '../src/index.js';
import {
  ResilienceMetricProducer,
  ResilienceOpenTelemetryModule,
} from '../src/opentelemetry/index.js';
import { boot, closeAll } from './support/boot.js';

afterEach(closeAll);

const KEYS = 5_000;

class Shelves {
  @CircuitBreaker({ key: (shelf: string) => shelf, maxKeys: KEYS })
  async ask(_shelf: string): Promise<void> {}
}

describe('an application that closes while its metrics are being collected', () => {
  it('leaves all its counts to the next collection', async () => {
    const metricProducer = new ResilienceMetricProducer();
    const { app } = await boot({
      providers: [Shelves],
      imports: [ResilienceOpenTelemetryModule.forRoot({ metricProducer, spans: false })],
    });
    const shelves = app.get(Shelves);
    for (let key = 0; key < KEYS; key++) await shelves.ask(String(key));
    const collecting = metricProducer.collect();
    await new Promise((resolve) => setImmediate(resolve));
    for (let i = 0; i < 100; i++) await shelves.ask('0'); // has been read already
    await app.close();
    await collecting;
    const { resourceMetrics } = await metricProducer.collect();
    const sumOf = (name: string): number => {
      const [{ metrics } = { metrics: [] }] = resourceMetrics.scopeMetrics;
      const metric = metrics.find(({ descriptor }) => descriptor.name === name);
      return (metric?.dataPoints ?? []).reduce((sum, { value }) => sum + Number(value), 0);
    };
    expect(sumOf('resilience.calls')).toBe(KEYS + 100);
    expect(sumOf('resilience.circuit_breaker.calls')).toBe(KEYS + 100);
  });
});
