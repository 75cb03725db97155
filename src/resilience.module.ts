import {
  type DynamicModule,
  Inject,
  type InjectionToken,
  Module,
  type ModuleMetadata,
  Optional,
  type OptionalFactoryDependency,
  type Provider,
  type Type,
} from '@nestjs/common';
import { DiscoveryModule, ModuleRef, ModulesContainer } from '@nestjs/core';
import { RESILIENCE_SERVICE, ResilienceService } from './commands/resilience.service.js';
import { checkAsyncOptions, madeBy } from './common/async-options.js';
import { brand } from './common/brand.js';
import { isOptions } from './common/objects.js';
import { ask, look } from './common/outcomes/look.js';
import { show } from './common/printable.js';
import { ResilienceConfigurationError } from './common/errors.js';
import { CONFIGURATION, type Configuration } from './execution/configuration/configuration.js';
import { FEATURE, Feature, isFeature } from './execution/configuration/features.js';
import {
  requireModuleOptions,
  type ResilienceFeatureOptions,
  type ResilienceModuleOptions,
  type ResilienceOptionsFactory,
} from './execution/module-options.js';
import { FLEET } from './fleet/fleet.js';
import { ResilienceExplorer } from './execution/resilience.explorer.js';
import { RUNTIME_REF, RuntimeRef } from './execution/runtime-ref.js';
import { configureBy, createEvents, createRuntime } from './execution/runtime-factories.js';
import { RUNTIME, type Runtime } from './execution/runtime.js';
import { BULKHEAD_REGISTRY, BulkheadRegistry } from './registry/bulkhead.registry.js';
import {
  CIRCUIT_BREAKER_REGISTRY,
  CircuitBreakerRegistry,
} from './registry/circuit-breaker.registry.js';
import { RATE_LIMIT_REGISTRY, RateLimitRegistry } from './registry/rate-limit.registry.js';
import { PartStore } from './registry/named-parts.js';
import { RESILIENCE_EVENTS, ResilienceEvents } from './telemetry/resilience-events.js';
import { PROTECTIONS } from './third-parties/protect-provider.js';
import { Protections } from './third-parties/protections.js';

/** Injection token of the {@link ResilienceModuleOptions}. */
export const RESILIENCE_MODULE_OPTIONS = brand('ResilienceModuleOptions');

const PARTS = brand('PartStore');

/** Options of `ResilienceModule.forRootAsync()`; one of `useFactory`, `useClass` and `useExisting` is required. */
export interface ResilienceModuleAsyncOptions extends Pick<ModuleMetadata, 'imports'> {
  /** Providers to inject as the arguments of `useFactory`. */
  readonly inject?: (InjectionToken | OptionalFactoryDependency)[];
  /** Makes the options from the injected providers. */
  readonly useFactory?: (
    ...dependencies: never[]
  ) => ResilienceModuleOptions | Promise<ResilienceModuleOptions>;
  /** A factory class that Nest instantiates. */
  readonly useClass?: Type<ResilienceOptionsFactory>;
  /** The token of a factory that is a provider already. */
  readonly useExisting?: InjectionToken;
}

/** The module of {@link ResilienceModule.forFeature} for providers. */
@Module({})
class ResilienceFeatureModule {}

/** Import it once, in the root module. It is global: decorators work in every module of the application. */
@Module({})
export class ResilienceModule {
  /** @internal */
  constructor(
    @Optional() @Inject(CONFIGURATION) configuration?: Configuration,
    @Optional() @Inject(FEATURE) feature?: Feature,
  ) {
    if (configuration === undefined) {
      throw new ResilienceConfigurationError([
        'ResilienceModule: imported without forRoot(), so it protects nothing; use ResilienceModule.forRoot()',
      ]);
    }
    if (isFeature(feature)) configuration.add(feature);
  }

  /**
   * For options that are known when the module is declared.
   *
   * @example
   * \@Module({ imports: [ResilienceModule.forRoot({ defaults: { retry: { maxRetries: 2 } } })] })
   * export class AppModule {}
   */
  static forRoot(options: ResilienceModuleOptions = {}): DynamicModule {
    return define([
      { provide: RESILIENCE_MODULE_OPTIONS, useFactory: () => requireModuleOptions(options) },
    ]);
  }

  /**
   * For options that depend on other providers, such as `ConfigService`.
   *
   * @example
   * ResilienceModule.forRootAsync({
   *   inject: [ConfigService],
   *   useFactory: (config: ConfigService) => ({ overrides: config.get('resilience') }),
   * })
   */
  static forRootAsync(options: ResilienceModuleAsyncOptions): DynamicModule {
    return define(optionsProviders(options), options.imports);
  }

  /**
   * The contribution of a feature module: either configurations, pipelines and overrides, which apply to the whole
   * application; or providers made by `protectProvider()`, for a module that gets their tokens from another one. The
   * root module imports `forRoot()` or `forRootAsync()`.
   *
   * @example
   * \@Module({ imports: [ResilienceModule.forFeature({ pipelines: { storagesvc: { timeout: '1s' } } })] })
   * export class BooksModule {}
   *
   * @example
   * imports: [HttpModule, ResilienceModule.forFeature([protectProvider(HttpService, { name: 'http', '*': 'outgoing' })])]
   */
  static forFeature(feature: ResilienceFeatureOptions | readonly Provider[]): DynamicModule {
    if (ask(() => Array.isArray(feature), false)) {
      return { module: ResilienceFeatureModule, providers: protectedOnes(feature as unknown[]) };
    }
    features += 1;
    return {
      module: ResilienceModule,
      providers: [
        { provide: FEATURE, useValue: new Feature(feature as ResilienceFeatureOptions) },
        // Nest 10 takes modules with equal providers for the same module, such as functions with equal
        // source text.
        { provide: brand(`feature ${features}`), useValue: features },
      ],
    };
  }
}

/** @throws {ResilienceConfigurationError} when one is not a provider, which Nest would take for a circular import */
function protectedOnes(given: readonly unknown[]): Provider[] {
  const wrong = given.filter((each) => typeof each !== 'function' && !isOptions(each));
  const others = given.filter((each) => isOptions(each) && look(each, 'provide') === undefined);
  const problems = [...wrong, ...others].map(
    (each) =>
      `ResilienceModule.forFeature(): the list has ${show(each)}; use what protectProvider() returns`,
  );
  if (problems.length > 0) throw new ResilienceConfigurationError(problems);
  return [...given] as Provider[];
}

/** How many times `forFeature()` has been used in this process. */
let features = 0;

function define(providers: Provider[], imports: ModuleMetadata['imports'] = []): DynamicModule {
  return {
    module: ResilienceModule,
    global: true,
    imports: [...imports, DiscoveryModule],
    // Factories throughout: objects made here would be shared by all applications that are built from one root module.
    providers: [
      ...providers,
      { provide: RUNTIME_REF, useFactory: () => new RuntimeRef() },
      { provide: PARTS, useFactory: () => new PartStore() },
      {
        provide: ResilienceEvents,
        inject: [RESILIENCE_MODULE_OPTIONS],
        useFactory: createEvents,
      },
      {
        provide: RUNTIME,
        // All at one level: the less they wait for each other, the earlier the factories of other modules can make
        // protected calls.
        inject: [
          RESILIENCE_MODULE_OPTIONS,
          ModulesContainer,
          RUNTIME_REF,
          PARTS,
          ResilienceEvents,
          ModuleRef,
        ],
        useFactory: createRuntime,
      },
      {
        provide: CONFIGURATION,
        inject: [RUNTIME],
        useFactory: (runtime: Runtime) => runtime.configuration,
      },
      {
        provide: FLEET,
        inject: [RUNTIME],
        useFactory: (runtime: Runtime) => runtime.fleet ?? null,
      },
      {
        provide: CircuitBreakerRegistry,
        inject: [PARTS, RUNTIME_REF],
        useFactory: (parts: PartStore, ref: RuntimeRef) =>
          new CircuitBreakerRegistry(parts, configureBy(ref)),
      },
      { provide: CIRCUIT_BREAKER_REGISTRY, useExisting: CircuitBreakerRegistry },
      {
        provide: BulkheadRegistry,
        inject: [PARTS, RUNTIME_REF],
        useFactory: (parts: PartStore, ref: RuntimeRef) =>
          new BulkheadRegistry(parts, configureBy(ref)),
      },
      { provide: BULKHEAD_REGISTRY, useExisting: BulkheadRegistry },
      {
        provide: RateLimitRegistry,
        inject: [PARTS, RUNTIME_REF],
        useFactory: (parts: PartStore, ref: RuntimeRef) =>
          new RateLimitRegistry(parts, configureBy(ref)),
      },
      { provide: RATE_LIMIT_REGISTRY, useExisting: RateLimitRegistry },
      {
        provide: PROTECTIONS,
        inject: [RUNTIME],
        useFactory: (runtime: Runtime) => new Protections(runtime),
      },
      {
        provide: ResilienceService,
        inject: [RUNTIME, PROTECTIONS],
        useFactory: (runtime: Runtime, protections: Protections) =>
          new ResilienceService(runtime, protections),
      },
      { provide: RESILIENCE_SERVICE, useExisting: ResilienceService },
      { provide: RESILIENCE_EVENTS, useExisting: ResilienceEvents },
      ResilienceExplorer,
    ],
    exports: [
      CONFIGURATION,
      RUNTIME_REF,
      RESILIENCE_MODULE_OPTIONS,
      ResilienceEvents,
      RESILIENCE_EVENTS,
      CircuitBreakerRegistry,
      CIRCUIT_BREAKER_REGISTRY,
      FLEET,
      BulkheadRegistry,
      BULKHEAD_REGISTRY,
      RateLimitRegistry,
      RATE_LIMIT_REGISTRY,
      ResilienceService,
      RESILIENCE_SERVICE,
      PROTECTIONS,
    ],
  };
}

function optionsProviders(options: ResilienceModuleAsyncOptions): Provider[] {
  const where = 'ResilienceModule.forRootAsync()';
  checkAsyncOptions(options, where);
  const { useFactory, useClass, useExisting, inject = [] } = options;
  const provide = RESILIENCE_MODULE_OPTIONS;
  if (useFactory !== undefined) {
    const create = useFactory as (...dependencies: unknown[]) => unknown;
    return [
      {
        provide,
        inject,
        useFactory: async (...dependencies: unknown[]) =>
          requireModuleOptions(await create(...dependencies)),
      },
    ];
  }
  const factory = (useClass ?? useExisting)!;
  const create = {
    provide,
    inject: [factory],
    useFactory: async (made: ResilienceOptionsFactory) =>
      requireModuleOptions(await madeBy(made, 'createResilienceOptions', where)),
  };
  return useClass === undefined ? [create] : [create, useClass];
}
