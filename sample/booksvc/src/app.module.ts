import { type DynamicModule, Module } from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { ResilienceModule, type ResilienceModuleOptions } from 'nest-resilience';
import { HystrixStreamModule } from 'nest-resilience/hystrix-stream';
import { JsonLogger } from '#common/json-logger.js';
import { BooksModule } from './books/books.module.js';
import { cacheModule } from './cache/cache.module.js';
import type { BooksvcConfig } from './config.js';
import { HealthModule } from './health/health.module.js';
import { CacheStatusInterceptor } from './http/cache-status.interceptor.js';
import { UpstreamModule } from './http/upstream.module.js';
import { resilienceOptions } from './resilience.options.js';
import { ShippingModule } from './shipping/shipping.module.js';
import { ResilienceLog } from './telemetry/resilience-log.js';

export interface AppModuleParts {
  readonly logger?: JsonLogger;
  /** A test brings its own clock and random numbers. */
  readonly resilience?: Pick<ResilienceModuleOptions, 'clock' | 'random'>;
}

@Module({})
export class AppModule {
  static register(
    config: BooksvcConfig,
    { logger = new JsonLogger('booksvc'), resilience = {} }: AppModuleParts = {},
  ): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ResilienceModule.forRoot({ ...resilienceOptions(config, logger), ...resilience }),
        cacheModule(config.redisUrl),
        UpstreamModule.forRoot(config),
        BooksModule.register(config.storageUrl),
        ShippingModule.register(config.shippingUrl),
        HealthModule,
        HystrixStreamModule.forRoot(),
      ],
      providers: [
        { provide: JsonLogger, useValue: logger },
        ResilienceLog,
        // Registered in the root module, so that it is outside of the interceptor of the library and
        // sees what became of decorated handlers too.
        { provide: APP_INTERCEPTOR, useClass: CacheStatusInterceptor },
      ],
    };
  }
}
