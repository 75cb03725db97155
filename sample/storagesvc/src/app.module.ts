import { Module } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';
import { BooksModule } from './books/books.module.js';
import { storagesvcConfig } from './config.js';
import { DatabaseModule } from './database/database.module.js';
import { HealthController } from './health/health.controller.js';

@Module({
  imports: [
    ConfigModule.forRoot({ isGlobal: true, ignoreEnvFile: true, load: [storagesvcConfig] }),
    DatabaseModule,
    BooksModule,
  ],
  controllers: [HealthController],
})
export class AppModule {}
