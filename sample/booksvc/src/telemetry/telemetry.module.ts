import { Global, Module } from '@nestjs/common';
import { JsonLogger } from '#common/json-logger.js';
import { ResilienceLog } from './resilience-log.js';

@Global()
@Module({
  providers: [{ provide: JsonLogger, useFactory: () => new JsonLogger('booksvc') }, ResilienceLog],
  exports: [JsonLogger],
})
export class TelemetryModule {}
