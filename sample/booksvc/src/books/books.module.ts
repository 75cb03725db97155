import { type DynamicModule, Module } from '@nestjs/common';
import type { BooksvcConfig } from '../config.js';
import { RETRY_AFTER_SECONDS } from '../storage/storage-error.filter.js';
import { StorageModule } from '../storage/storage.module.js';
import { BooksController } from './books.controller.js';
import { BooksService } from './books.service.js';

@Module({})
export class BooksModule {
  static register({ storageUrl, policies }: BooksvcConfig): DynamicModule {
    return {
      module: BooksModule,
      imports: [StorageModule.register(storageUrl)],
      controllers: [BooksController],
      providers: [
        BooksService,
        { provide: RETRY_AFTER_SECONDS, useValue: Math.ceil(policies.openFor / 1_000) },
      ],
    };
  }
}
