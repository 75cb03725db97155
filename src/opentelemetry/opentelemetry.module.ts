import { type DynamicModule, Inject, Module, Optional } from '@nestjs/common';
import { RESILIENCE_SERVICE } from '../commands/resilience.service.js';
import { ResilienceConfigurationError } from '../common/errors.js';
import type { Sources } from '../instruments/sources.js';
import { BULKHEAD_REGISTRY } from '../registry/bulkhead.registry.js';
import { RATE_LIMIT_REGISTRY } from '../registry/rate-limit.registry.js';
import { CIRCUIT_BREAKER_REGISTRY } from '../registry/circuit-breaker.registry.js';
import { RESILIENCE_EVENTS } from '../telemetry/resilience-events.js';
import { OpenTelemetryExporter, type TracedSources } from './exporter.js';
import { type ResilienceOpenTelemetryOptions, readOpenTelemetryOptions } from './options.js';

/** Metrics and spans of the application for OpenTelemetry. Without an SDK it does nothing, at no cost. */
@Module({})
export class ResilienceOpenTelemetryModule {
  constructor(@Optional() @Inject(OpenTelemetryExporter) exporter?: unknown) {
    if (exporter !== undefined) return;
    throw misused('imported without forRoot(), so it does nothing; use forRoot()');
  }

  /**
   * Import it beside `ResilienceModule.forRoot()`. The SDK has to be started before the application, as always.
   *
   * @throws {ResilienceConfigurationError} when an option is wrong
   *
   * @example
   * \@Module({ imports: [ResilienceModule.forRoot(), ResilienceOpenTelemetryModule.forRoot()] })
   * export class AppModule {}
   */
  static forRoot(options: ResilienceOpenTelemetryOptions = {}): DynamicModule {
    const settings = readOpenTelemetryOptions(options);
    const tokens = [
      RESILIENCE_EVENTS,
      RESILIENCE_SERVICE,
      CIRCUIT_BREAKER_REGISTRY,
      BULKHEAD_REGISTRY,
      RATE_LIMIT_REGISTRY,
    ];
    return {
      module: ResilienceOpenTelemetryModule,
      providers: [
        {
          provide: OpenTelemetryExporter,
          // Optional, so that our own error can name what is missing.
          inject: tokens.map((token) => ({ token, optional: true })),
          useFactory: (
            events?: TracedSources['events'],
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
            return new OpenTelemetryExporter(
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
  return new ResilienceConfigurationError([`ResilienceOpenTelemetryModule: ${problem}`]);
}
