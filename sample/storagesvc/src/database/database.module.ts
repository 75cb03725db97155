import { Logger, Module } from '@nestjs/common';
import type { ConfigType } from '@nestjs/config';
import { TypeOrmModule, type TypeOrmModuleOptions } from '@nestjs/typeorm';
import { storagesvcConfig } from '../config.js';

@Module({
  imports: [
    TypeOrmModule.forRootAsync({
      inject: [storagesvcConfig.KEY],
      useFactory: typeOrmOptions,
    }),
  ],
})
export class DatabaseModule {}

function typeOrmOptions({ database }: ConfigType<typeof storagesvcConfig>): TypeOrmModuleOptions {
  const logger = new Logger('Database');
  return {
    type: 'postgres',
    url: database.url,
    poolSize: database.poolSize,
    connectTimeoutMS: database.connectTimeoutMs,
    extra: {
      query_timeout: database.queryTimeoutMs,
      statement_timeout: database.queryTimeoutMs,
    },
    poolErrorHandler: (error: Error) => {
      logger.warn(`an idle connection was lost: ${error.message}`);
    },
    autoLoadEntities: true,
    // BookSchema connects: the app must be able to start while the database is away.
    manualInitialization: true,
    retryAttempts: 0,
  };
}
