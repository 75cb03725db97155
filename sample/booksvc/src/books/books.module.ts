import { type DynamicModule, Module } from '@nestjs/common';
import { StorageModule } from '../storage/storage.module.js';
import { BooksCommand } from './books.command.js';
import { BooksController } from './books.controller.js';
import { BooksService } from './books.service.js';

@Module({})
export class BooksModule {
  static register(storageUrl: string): DynamicModule {
    return {
      module: BooksModule,
      imports: [StorageModule.register(storageUrl)],
      controllers: [BooksController],
      providers: [BooksService, BooksCommand],
    };
  }
}
