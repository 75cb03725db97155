import { HttpService } from '@nestjs/axios';
import {
  type DynamicModule,
  type InjectionToken,
  Module,
  type ModuleMetadata,
  type OptionalFactoryDependency,
  type Provider,
  type Type,
} from '@nestjs/common';
import axios, { type CreateAxiosDefaults } from 'axios';
import { checkAsyncOptions, madeBy } from '../common/async-options.js';
import { ResilienceConfigurationError } from '../common/errors.js';
import { requireOptions } from '../common/given.js';
import { RESILIENCE_SERVICE, type ResilienceService } from '../commands/resilience.service.js';
import type { HttpPolicies } from '../http/http-client.js';
import { protectAxios } from './protect-axios.js';

/** Options of `ResilienceHttpModule.register()`: those of axios, as for `HttpModule`, and policies. */
export interface ResilienceHttpOptions extends CreateAxiosDefaults {
  /** Changes of the policies. Default: a circuit breaker per host, retries, time limits, under the name `http`. */
  readonly resilience?: HttpPolicies;
  /** Whether `HttpService` can be injected everywhere. Default false. */
  readonly global?: boolean;
}

/** A factory class for `registerAsync({ useClass })`. */
export interface ResilienceHttpOptionsFactory {
  /** Returns the options of the module. */
  createHttpOptions(): ResilienceHttpOptions | Promise<ResilienceHttpOptions>;
}

/** Options of `ResilienceHttpModule.registerAsync()`; one of `useFactory`, `useClass` and `useExisting` is required. */
export interface ResilienceHttpAsyncOptions extends Pick<ModuleMetadata, 'imports'> {
  /** Providers to inject as the arguments of `useFactory`. */
  readonly inject?: (InjectionToken | OptionalFactoryDependency)[];
  /** Makes the options from the injected providers. */
  readonly useFactory?: (
    ...dependencies: never[]
  ) => ResilienceHttpOptions | Promise<ResilienceHttpOptions>;
  /** A factory class that Nest instantiates. */
  readonly useClass?: Type<ResilienceHttpOptionsFactory>;
  /** The token of a factory that is a provider already. */
  readonly useExisting?: InjectionToken;
  /** Further providers of the module. */
  readonly extraProviders?: Provider[];
  /** Whether `HttpService` can be injected everywhere. Default false. */
  readonly global?: boolean;
}

const ASYNC = 'ResilienceHttpModule.registerAsync()';

const OPTIONS = Symbol('nest-resilience:ResilienceHttpOptions');

/**
 * Replaces `HttpModule` of `@nestjs/axios`: provides the same `HttpService`, whose requests have policies. Like that one, it
 * can be imported without options.
 */
@Module({
  providers: [
    { provide: OPTIONS, useValue: {} },
    {
      provide: HttpService,
      inject: [OPTIONS, { token: RESILIENCE_SERVICE, optional: true }],
      useFactory: createService,
    },
  ],
  exports: [HttpService],
})
export class ResilienceHttpModule {
  /**
   * For options that are known when the module is declared.
   *
   * @example
   * imports: [ResilienceHttpModule.register({ baseURL: 'https://api.example.com', resilience: { name: 'api' } })]
   */
  static register(options: ResilienceHttpOptions = {}): DynamicModule {
    const { global = false, ...config } = requireOptions(
      'ResilienceHttpModule.register()',
      options,
    );
    return define(global, [{ provide: OPTIONS, useFactory: () => config }]);
  }

  /** For options that depend on other providers. */
  static registerAsync(options: ResilienceHttpAsyncOptions): DynamicModule {
    checkAsyncOptions(options, ASYNC, { others: ['extraProviders', 'global'] });
    const { global = false, imports = [], extraProviders = [] } = options;
    return define(global, [...optionsProviders(options), ...extraProviders], imports);
  }
}

function define(
  global: boolean,
  providers: Provider[],
  imports: NonNullable<ModuleMetadata['imports']> = [],
): DynamicModule {
  return {
    module: ResilienceHttpModule,
    global,
    imports,
    providers,
  };
}

function createService(
  { resilience, global: _global, ...config }: ResilienceHttpOptions,
  service: ResilienceService | undefined,
): HttpService {
  if (service === undefined) {
    throw new ResilienceConfigurationError([
      'ResilienceHttpModule: its policies are those of ResilienceModule; import ResilienceModule.forRoot() too',
    ]);
  }
  const instance = protectAxios(axios.create(config), service, resilience);
  // axios declares its types twice, for ESM and for CommonJS, which differ for the compiler.
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-assertion -- necessary for the CommonJS build
  return new HttpService(instance as unknown as HttpService['axiosRef']);
}

function optionsProviders({
  useFactory,
  useClass,
  useExisting,
  inject = [],
}: ResilienceHttpAsyncOptions): Provider[] {
  if (useFactory !== undefined) {
    const create = useFactory as (...dependencies: unknown[]) => unknown;
    const made = async (...dependencies: unknown[]): Promise<object> =>
      requireOptions(ASYNC, await create(...dependencies));
    return [{ provide: OPTIONS, inject, useFactory: made }];
  }
  const factory = (useClass ?? useExisting)!;
  const create = {
    provide: OPTIONS,
    inject: [factory],
    useFactory: async (made: ResilienceHttpOptionsFactory) =>
      requireOptions(ASYNC, await madeBy(made, 'createHttpOptions', ASYNC)),
  };
  return useClass === undefined ? [create] : [create, useClass];
}
