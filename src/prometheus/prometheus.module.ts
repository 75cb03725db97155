import { type DynamicModule, Inject, Module, Optional } from '@nestjs/common';
import { exporterProviders, misused } from '../instruments/exporter-provider.js';
import type { Sources } from '../instruments/sources.js';
import { PrometheusExporter } from './exporter.js';
import { type ResiliencePrometheusOptions, readPrometheusOptions } from './options.js';

const NAME = 'ResiliencePrometheusModule';

/** Registers the metrics of the application with `prom-client`. */
@Module({})
export class ResiliencePrometheusModule {
  constructor(@Optional() @Inject(PrometheusExporter) exporter?: unknown) {
    if (exporter !== undefined) return;
    throw misused(NAME, 'imported without forRoot(), so it measures nothing; use forRoot()');
  }

  /**
   * Import it beside `ResilienceModule.forRoot()`. The metrics are in the registry as long as the application runs.
   *
   * @throws {ResilienceConfigurationError} when an option is wrong; when the application starts, if it is used twice
   *
   * @example
   * \@Module({ imports: [ResilienceModule.forRoot(), ResiliencePrometheusModule.forRoot()] })
   * export class AppModule {}
   */
  static forRoot(options: ResiliencePrometheusOptions = {}): DynamicModule {
    const settings = readPrometheusOptions(options);
    return {
      module: ResiliencePrometheusModule,
      providers: exporterProviders({
        provide: PrometheusExporter,
        module: NAME,
        destination: settings.registry,
        make: (sources: Sources) => new PrometheusExporter(sources, settings),
      }),
    };
  }
}
