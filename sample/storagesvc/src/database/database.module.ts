import { type DynamicModule, Logger } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import type { DatabaseConfig } from '../config.js';

export function databaseModule(config: DatabaseConfig): DynamicModule {
  const logger = new Logger('Database');
  return TypeOrmModule.forRoot({
    type: 'postgres',
    url: config.url,
    poolSize: config.poolSize,
    connectTimeoutMS: config.connectTimeoutMs,
    extra: {
      query_timeout: config.queryTimeoutMs,
      statement_timeout: config.queryTimeoutMs,
    },
    poolErrorHandler: (error: Error) => {
      logger.warn(`an idle connection was lost: ${error.message}`);
    },
    autoLoadEntities: true,
    // Connecting is the work of BookSchema: it must be possible to start while the database is away.
    manualInitialization: true,
    retryAttempts: 0,
  });
}
