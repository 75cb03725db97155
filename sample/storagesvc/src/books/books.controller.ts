import {
  Controller,
  Get,
  NotFoundException,
  Param,
  ParseIntPipe,
  UseFilters,
} from '@nestjs/common';
import type { Book } from './book.entity.js';
import { BooksService } from './books.service.js';
import { DatabaseErrorFilter } from './database-error.filter.js';

@Controller('books')
@UseFilters(DatabaseErrorFilter)
export class BooksController {
  constructor(private readonly books: BooksService) {}

  @Get()
  findAll(): Promise<Book[]> {
    return this.books.findAll();
  }

  @Get(':id')
  async find(@Param('id', ParseIntPipe) id: number): Promise<Book> {
    const book = await this.books.find(id);
    if (book === null) {
      throw new NotFoundException(`There is no book ${id}`);
    }
    return book;
  }
}
