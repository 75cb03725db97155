import { type DynamicModule, Module } from '@nestjs/common';
import { BooksModule } from './books/books.module.js';
import type { StoragesvcConfig } from './config.js';
import { databaseModule } from './database/database.module.js';
import { HealthController } from './health/health.controller.js';

@Module({})
export class AppModule {
  static register(config: StoragesvcConfig): DynamicModule {
    return {
      module: AppModule,
      imports: [databaseModule(config.database), BooksModule],
      controllers: [HealthController],
    };
  }
}
