import { type DynamicModule, Inject, Module, Optional } from '@nestjs/common';
import { RESILIENCE_SERVICE } from '../commands/resilience.service.js';
import { ResilienceConfigurationError } from '../common/errors.js';
import type { Sources } from '../instruments/sources.js';
import { BULKHEAD_REGISTRY } from '../registry/bulkhead.registry.js';
import { RATE_LIMIT_REGISTRY } from '../registry/rate-limit.registry.js';
import { CIRCUIT_BREAKER_REGISTRY } from '../registry/circuit-breaker.registry.js';
import { RESILIENCE_EVENTS } from '../telemetry/resilience-events.js';
import { PrometheusExporter } from './exporter.js';
import { type ResiliencePrometheusOptions, readPrometheusOptions } from './options.js';

/** Registers the metrics of the application with `prom-client`. */
@Module({})
export class ResiliencePrometheusModule {
  constructor(@Optional() @Inject(PrometheusExporter) exporter?: unknown) {
    if (exporter !== undefined) return;
    throw misused('imported without forRoot(), so it measures nothing; use forRoot()');
  }

  /**
   * Import it beside `ResilienceModule.forRoot()`. The metrics are in the registry as long as the application runs.
   *
   * @throws {ResilienceConfigurationError} when an option is wrong
   *
   * @example
   * \@Module({ imports: [ResilienceModule.forRoot(), ResiliencePrometheusModule.forRoot()] })
   * export class AppModule {}
   */
  static forRoot(options: ResiliencePrometheusOptions = {}): DynamicModule {
    const settings = readPrometheusOptions(options);
    const tokens = [
      RESILIENCE_EVENTS,
      RESILIENCE_SERVICE,
      CIRCUIT_BREAKER_REGISTRY,
      BULKHEAD_REGISTRY,
      RATE_LIMIT_REGISTRY,
    ];
    return {
      module: ResiliencePrometheusModule,
      providers: [
        {
          provide: PrometheusExporter,
          // Optional, so that our own error can name what is missing.
          inject: tokens.map((token) => ({ token, optional: true })),
          useFactory: (
            events?: Sources['events'],
            service?: Sources['service'],
            breakers?: Sources['breakers'],
            bulkheads?: Sources['bulkheads'],
            rateLimits?: Sources['rateLimits'],
          ) => {
            if (!events || !service || !breakers || !bulkheads || !rateLimits) {
              throw misused(
                'measures what ResilienceModule does; import ResilienceModule.forRoot() too',
              );
            }
            return new PrometheusExporter(
              { events, service, breakers, bulkheads, rateLimits },
              settings,
            );
          },
        },
      ],
    };
  }
}

function misused(problem: string): Error {
  return new ResilienceConfigurationError([`ResiliencePrometheusModule: ${problem}`]);
}
