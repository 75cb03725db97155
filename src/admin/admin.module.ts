import {
  type DynamicModule,
  Inject,
  Module,
  type ModuleMetadata,
  Optional,
  type Provider,
} from '@nestjs/common';
import { RESILIENCE_SERVICE } from '../commands/resilience.service.js';
import { checkAsyncOptions } from '../common/async-options.js';
import { brand } from '../common/brand.js';
import { type Clock, systemClock } from '../common/clock.js';
import { legible } from '../common/legible.js';
import { ResilienceConfigurationError } from '../common/errors.js';
import { CONFIGURATION } from '../execution/configuration/configuration.js';
import { FLEET } from '../fleet/fleet.js';
import { BULKHEAD_REGISTRY } from '../registry/bulkhead.registry.js';
import { CIRCUIT_BREAKER_REGISTRY } from '../registry/circuit-breaker.registry.js';
import { RATE_LIMIT_REGISTRY } from '../registry/rate-limit.registry.js';
import { RESILIENCE_EVENTS } from '../telemetry/resilience-events.js';
import { Admin } from './admin.js';
import { adminLogger } from './admin-logger.js';
import { controllerFor } from './admin.controller.js';
import {
  type AdminRoutes,
  type AdminSettings,
  type ResilienceAdminAsyncOptions,
  type ResilienceAdminOptions,
  readRoutes,
  readSettings,
} from './options.js';
import { AdminExceptionFilter } from './admin-exception.filter.js';
import { pageControllerFor } from './page/page.controller.js';
import { AdminGate } from './security/admin.gate.js';
import { ADMIN_SETTINGS } from './tokens.js';
import type { Events, Parts } from './views/parts.js';

const ROOT = 'ResilienceAdminModule.forRoot()';
const ASYNC = 'ResilienceAdminModule.forRootAsync()';

/** Shows what the library does in an application, and lets operators change it: `GET /resilience`. */
@Module({})
export class ResilienceAdminModule {
  constructor(@Optional() @Inject(Admin) admin?: unknown) {
    if (admin !== undefined) return;
    throw misused(
      'imported without forRoot(), so it shows nothing; use ResilienceAdminModule.forRoot()',
    );
  }

  /**
   * Adds the routes. Import it beside `ResilienceModule.forRoot()`. Without `guards` everyone can read, and no one can change
   * anything.
   *
   * @throws {ResilienceConfigurationError} when an option is wrong
   *
   * @example
   * ResilienceAdminModule.forRoot({ guards: [OperatorsOnly], allowedHosts: ['books.internal'] })
   */
  static forRoot(options: ResilienceAdminOptions = {}): DynamicModule {
    const routes = readRoutes(options, ROOT);
    const { path: _path, guards: _guards, ...rest } = legible(options);
    const settings = readSettings(rest, routes.guards.length > 0, ROOT);
    return define(routes, { provide: ADMIN_SETTINGS, useValue: settings });
  }

  /**
   * For options that depend on other providers. Routes and guards must be known when the module is declared.
   *
   * @throws {ResilienceConfigurationError} when an option is wrong; for those of the factory, when the application starts
   *
   * @example
   * ResilienceAdminModule.forRootAsync({
   *   guards: [OperatorsOnly],
   *   inject: [ConfigService],
   *   useFactory: (config: ConfigService) => ({ allowedHosts: config.get('hosts') }),
   * })
   */
  static forRootAsync(options: ResilienceAdminAsyncOptions): DynamicModule {
    checkAsyncOptions(options, ASYNC, { others: ['path', 'guards'], sources: ['useFactory'] });
    const routes = readRoutes(options, ASYNC);
    const { inject = [], useFactory, imports } = options;
    const create = useFactory as (...dependencies: unknown[]) => unknown;
    return define(
      routes,
      {
        provide: ADMIN_SETTINGS,
        inject,
        useFactory: async (...dependencies: unknown[]) =>
          readSettings(await create(...dependencies), routes.guards.length > 0, ASYNC),
      },
      imports,
    );
  }
}

function define(
  routes: AdminRoutes,
  settings: Provider,
  imports: ModuleMetadata['imports'] = [],
): DynamicModule {
  modules += 1;
  return {
    module: ResilienceAdminModule,
    imports,
    // The page first: the other controller answers everything else below its path.
    controllers: [pageControllerFor(routes), controllerFor(routes)],
    providers: [
      settings,
      AdminGate,
      AdminExceptionFilter,
      // Nest 10 takes modules with equal providers for the same module.
      { provide: brand(`admin ${modules}`), useValue: modules },
      {
        provide: Admin,
        // Optional, so that our own error can name what is missing.
        inject: [
          ADMIN_SETTINGS,
          ...[
            CONFIGURATION,
            RESILIENCE_SERVICE,
            CIRCUIT_BREAKER_REGISTRY,
            BULKHEAD_REGISTRY,
            RATE_LIMIT_REGISTRY,
            RESILIENCE_EVENTS,
            FLEET,
          ].map((token) => ({ token, optional: true })),
        ],
        useFactory: create,
      },
    ],
  };
}

/** How many times the module has been declared in this process. */
let modules = 0;

function create(
  settings: AdminSettings,
  configuration?: { readonly options: { readonly clock?: Clock } },
  service?: Parts['service'],
  breakers?: Parts['breakers'],
  bulkheads?: Parts['bulkheads'],
  rateLimits?: Parts['rateLimits'],
  events?: Events,
  fleet?: Parts['fleet'] | null,
): Admin {
  if (!configuration || !service || !breakers || !bulkheads || !rateLimits || !events) {
    throw misused('shows what ResilienceModule does; import ResilienceModule.forRoot() too');
  }
  if (settings.readOnly) {
    adminLogger().log('read-only: changes are refused; they need guards');
  }
  const clock = configuration.options.clock ?? systemClock;
  return new Admin(
    settings,
    { breakers, bulkheads, rateLimits, service, fleet: fleet ?? undefined },
    events,
    clock,
  );
}

function misused(problem: string): Error {
  return new ResilienceConfigurationError([`ResilienceAdminModule: ${problem}`]);
}
