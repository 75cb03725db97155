import { Module } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';
import { APP_FILTER, APP_INTERCEPTOR } from '@nestjs/core';
import { ResilienceExceptionFilter, ResilienceModule } from 'nest-resilience';
import { HystrixStreamModule } from 'nest-resilience/hystrix-stream';
import { JsonLogger } from '#common/json-logger.js';
import { managementModule } from './admin/management.module.js';
import { BooksModule } from './books/books.module.js';
import { AnswerCacheModule } from './cache/answer-cache.module.js';
import { booksvcConfig } from './config.js';
import { HealthModule } from './health/health.module.js';
import { CacheStatusInterceptor } from './http/cache-status.interceptor.js';
import { resilienceOptions } from './resilience.options.js';
import { ShippingModule } from './shipping/shipping.module.js';
import { TelemetryModule } from './telemetry/telemetry.module.js';

@Module({
  imports: [
    ConfigModule.forRoot({ isGlobal: true, ignoreEnvFile: true, load: [booksvcConfig] }),
    ResilienceModule.forRootAsync({
      inject: [booksvcConfig.KEY, JsonLogger],
      useFactory: resilienceOptions,
    }),
    TelemetryModule,
    AnswerCacheModule,
    BooksModule,
    ShippingModule,
    HealthModule,
    HystrixStreamModule.forRoot(),
    managementModule(),
  ],
  providers: [
    { provide: APP_INTERCEPTOR, useClass: CacheStatusInterceptor },
    // Rejections reach clients with Retry-After, also from handlers without policies.
    { provide: APP_FILTER, useClass: ResilienceExceptionFilter },
  ],
})
export class AppModule {}
