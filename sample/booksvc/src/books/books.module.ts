import { type DynamicModule, Module } from '@nestjs/common';
import { StorageModule } from '../storage/storage.module.js';
import { BooksController } from './books.controller.js';
import { BooksService } from './books.service.js';
import { ShelfService } from './shelf.service.js';

@Module({})
export class BooksModule {
  static register(storageUrl: string): DynamicModule {
    return {
      module: BooksModule,
      imports: [StorageModule.register(storageUrl)],
      controllers: [BooksController],
      providers: [BooksService, ShelfService],
    };
  }
}
