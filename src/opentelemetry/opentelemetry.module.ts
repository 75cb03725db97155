import { type DynamicModule, Inject, Module, Optional } from '@nestjs/common';
import { exporterProviders, misused } from '../instruments/exporter-provider.js';
import { OpenTelemetryExporter, type TracedSources } from './exporter.js';
import { type ResilienceOpenTelemetryOptions, readOpenTelemetryOptions } from './options.js';
import { SCOPE } from './scope.js';

const NAME = 'ResilienceOpenTelemetryModule';

/**
 * Metrics and spans of the application for OpenTelemetry. Without an SDK, and without a `ResilienceMetricProducer`, it does
 * nothing, at no cost.
 */
@Module({})
export class ResilienceOpenTelemetryModule {
  constructor(@Optional() @Inject(OpenTelemetryExporter) exporter?: unknown) {
    if (exporter !== undefined) return;
    throw misused(NAME, 'imported without forRoot(), so it does nothing; use forRoot()');
  }

  /**
   * Import it beside `ResilienceModule.forRoot()`. The SDK has to be started before the application, as usual.
   *
   * @throws {ResilienceConfigurationError} when an option is wrong; when the application starts, if it is used twice
   *
   * @example
   * \@Module({
   *   imports: [
   *     ResilienceModule.forRoot(),
   *     ResilienceOpenTelemetryModule.forRoot({ metricProducer: resilienceMetrics }),
   *   ],
   * })
   * export class AppModule {}
   */
  static forRoot(options: ResilienceOpenTelemetryOptions = {}): DynamicModule {
    const settings = readOpenTelemetryOptions(options);
    return {
      module: ResilienceOpenTelemetryModule,
      providers: exporterProviders({
        provide: OpenTelemetryExporter,
        module: NAME,
        destination: SCOPE,
        make: (sources: TracedSources) => new OpenTelemetryExporter(sources, settings),
      }),
    };
  }
}
