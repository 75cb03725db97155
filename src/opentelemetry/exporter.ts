import type { OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';
import type { Sources } from '../instruments/sources.js';
import type { CallTracer } from '../telemetry/call-tracer.js';
import { MeterExport } from './meter-export.js';
import type { OpenTelemetrySettings } from './options.js';
import { SCOPE } from './scope.js';
import { SpanTracer } from './span-tracer.js';

/** The measured and traced parts. */
export interface TracedSources extends Sources {
  readonly events: Sources['events'] & { tracer: CallTracer | undefined };
}

/** Metrics and spans of one application, until it closes. */
export class OpenTelemetryExporter implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly meters: MeterExport | undefined;
  private readonly endTracing: () => void;

  constructor(sources: TracedSources, settings: OpenTelemetrySettings) {
    const { maxNames, attemptSpans } = settings;
    const meterProvider = settings.meterProvider();
    if (meterProvider !== undefined) {
      this.meters = new MeterExport(sources, meterProvider, maxNames);
    }
    const tracer = settings.tracerProvider()?.getTracer(SCOPE);
    this.endTracing =
      tracer === undefined
        ? () => {}
        : traceCalls(sources.events, new SpanTracer(tracer, attemptSpans));
  }

  /** Late, so that an application whose start fails leaves nothing behind. */
  onApplicationBootstrap(): void {
    this.meters?.start();
  }

  /** Late, since calls go on until the server has answered its last request. */
  async onApplicationShutdown(): Promise<void> {
    this.endTracing();
    await this.meters?.stop();
  }
}

function traceCalls(events: TracedSources['events'], tracer: SpanTracer): () => void {
  const unsubscribe = tracer.listen(events);
  events.tracer = tracer;
  return () => {
    events.tracer = undefined;
    unsubscribe();
  };
}
