import { Global, Module } from '@nestjs/common';
import { ResiliencePrometheusModule } from 'nest-resilience/prometheus';
import { JsonLogger } from '#common/json-logger.js';
import { MetricsController } from './metrics.controller.js';
import { ResilienceLog } from './resilience-log.js';

@Global()
@Module({
  imports: [ResiliencePrometheusModule.forRoot()],
  controllers: [MetricsController],
  providers: [{ provide: JsonLogger, useFactory: () => new JsonLogger('booksvc') }, ResilienceLog],
  exports: [JsonLogger],
})
export class TelemetryModule {}
