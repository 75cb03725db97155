import { Module } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { ResilienceModule } from 'nest-resilience';
import { HystrixStreamModule } from 'nest-resilience/hystrix-stream';
import { JsonLogger } from '#common/json-logger.js';
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
  ],
  providers: [
    // In the root module it runs outside the library's interceptor, so it sees the results of
    // decorated handlers too.
    { provide: APP_INTERCEPTOR, useClass: CacheStatusInterceptor },
  ],
})
export class AppModule {}
