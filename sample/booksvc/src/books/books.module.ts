import { Module } from '@nestjs/common';
import { StorageModule } from '../storage/storage.module.js';
import { BooksController } from './books.controller.js';
import { BooksService } from './books.service.js';
import { ShelfService } from './shelf.service.js';

@Module({
  imports: [StorageModule],
  controllers: [BooksController],
  providers: [BooksService, ShelfService],
})
export class BooksModule {}
