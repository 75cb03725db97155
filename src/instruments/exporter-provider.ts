import type { Provider, Type } from '@nestjs/common';
import { RESILIENCE_SERVICE } from '../commands/resilience.service.js';
import { brand, shared } from '../common/brand.js';
import { ResilienceConfigurationError } from '../common/errors.js';
import { FLEET } from '../fleet/fleet.js';
import { BULKHEAD_REGISTRY } from '../registry/bulkhead.registry.js';
import { CIRCUIT_BREAKER_REGISTRY } from '../registry/circuit-breaker.registry.js';
import { RATE_LIMIT_REGISTRY } from '../registry/rate-limit.registry.js';
import { RESILIENCE_EVENTS } from '../telemetry/resilience-events.js';
import type { Sources } from './sources.js';

const TOKENS = [
  RESILIENCE_EVENTS,
  RESILIENCE_SERVICE,
  CIRCUIT_BREAKER_REGISTRY,
  BULKHEAD_REGISTRY,
  RATE_LIMIT_REGISTRY,
  FLEET,
];

/** Where the events of each application are exported to. */
const destinations = shared('exports', () => new WeakMap<object, Set<unknown>>());

/** An exporter as the provider of its module. */
export interface ExporterDefinition<From extends Sources, Exporter> {
  readonly provide: Type<Exporter>;
  /** The name of the module, for messages. */
  readonly module: string;
  /** Where it exports to: a second exporter to the same place would count everything twice. */
  readonly destination: unknown;
  readonly make: (sources: From) => Exporter;
}

/** How many exporters have been defined in this process. */
let defined = 0;

/** Makes an exporter from the providers of `ResilienceModule.forRoot()`, once for each application and destination. */
export function exporterProviders<From extends Sources, Exporter>({
  provide,
  module,
  destination,
  make,
}: ExporterDefinition<From, Exporter>): Provider[] {
  defined += 1;
  const exporter: Provider = {
    provide,
    // Optional, so that our own error can name what is missing.
    inject: TOKENS.map((token) => ({ token, optional: true })),
    useFactory: (
      events?: From['events'],
      service?: From['service'],
      breakers?: From['breakers'],
      bulkheads?: From['bulkheads'],
      rateLimits?: From['rateLimits'],
      fleet: From['fleet'] = null,
    ) => {
      if (!events || !service || !breakers || !bulkheads || !rateLimits) {
        throw misused(
          module,
          'measures what ResilienceModule does; import ResilienceModule.forRoot() too',
        );
      }
      const known = destinations.get(events) ?? new Set();
      if (known.has(destination)) {
        throw misused(
          module,
          'forRoot() is used twice, which would count everything twice; use it once',
        );
      }
      destinations.set(events, known.add(destination));
      return make({ events, service, breakers, bulkheads, rateLimits, fleet } as From);
    },
  };
  // Nest 10 takes modules with equal providers for the same module, whatever their factories refer to.
  return [exporter, { provide: brand(`exporter ${defined}`), useValue: defined }];
}

/** The error of an exporter's module that is imported in a wrong way. */
export function misused(module: string, problem: string): Error {
  return new ResilienceConfigurationError([`${module}: ${problem}`]);
}
