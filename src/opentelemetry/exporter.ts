import type { OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';
import type { Sources } from '../instruments/sources.js';
import type { CallTracer } from '../telemetry/call-tracer.js';
import type { ApplicationMetrics } from './application-metrics.js';
import { metricsForProducer } from './metric-producer.js';
import type { OpenTelemetrySettings } from './options.js';
import { metricsForProvider } from './provider-metrics.js';
import { SCOPE } from './scope.js';
import { SpanTracer } from './span-tracer.js';

/** The measured and traced parts. */
export interface TracedSources extends Sources {
  readonly events: Sources['events'] & { tracer: CallTracer | undefined };
}

/** Metrics and spans of one application, until it closes. */
export class OpenTelemetryExporter implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly metrics: ApplicationMetrics | undefined;
  private readonly endTracing: () => void;

  constructor(sources: TracedSources, settings: OpenTelemetrySettings) {
    this.metrics = metricsOf(sources, settings);
    const tracer = settings.tracerProvider()?.getTracer(SCOPE);
    this.endTracing =
      tracer === undefined
        ? () => {}
        : traceCalls(sources.events, new SpanTracer(tracer, settings.attemptSpans));
  }

  /** Late, so that an application whose start fails leaves nothing behind. */
  onApplicationBootstrap(): void {
    this.metrics?.start();
  }

  /** Late, since calls go on until the server has answered its last request. */
  async onApplicationShutdown(): Promise<void> {
    this.endTracing();
    await this.metrics?.stop();
  }
}

function metricsOf(
  sources: Sources,
  { metricProducer, meterProvider, maxNames }: OpenTelemetrySettings,
): ApplicationMetrics | undefined {
  if (metricProducer !== undefined) return metricsForProducer(sources, metricProducer, maxNames);
  const provider = meterProvider();
  return provider && metricsForProvider(sources, provider, maxNames);
}

function traceCalls(events: TracedSources['events'], tracer: SpanTracer): () => void {
  const unsubscribe = tracer.listen(events);
  events.tracer = tracer;
  return () => {
    events.tracer = undefined;
    unsubscribe();
  };
}
