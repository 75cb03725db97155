import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { QueryFailedError, Repository } from 'typeorm';
import { Book } from './book.entity.js';
import { BookSchema } from './book.schema.js';

const UNDEFINED_TABLE = '42P01';

@Injectable()
export class BooksService {
  constructor(
    @InjectRepository(Book) private readonly books: Repository<Book>,
    private readonly schema: BookSchema,
  ) {}

  findAll(): Promise<Book[]> {
    return this.withTable(() => this.books.find({ order: { id: 'ASC' } }));
  }

  find(id: number): Promise<Book | null> {
    return this.withTable(() => this.books.findOneBy({ id }));
  }

  private async withTable<T>(query: () => Promise<T>): Promise<T> {
    await this.schema.ready();
    try {
      return await query();
    } catch (error) {
      if (!isUndefinedTable(error)) {
        throw error;
      }
      this.schema.forget();
      await this.schema.ready();
      return query();
    }
  }
}

function isUndefinedTable(error: unknown): boolean {
  return (
    error instanceof QueryFailedError &&
    (error.driverError as { code?: unknown }).code === UNDEFINED_TABLE
  );
}
