import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { Book } from './book.entity.js';

const CREATE_TABLE = `
  CREATE TABLE IF NOT EXISTS "books" (
    "id" integer PRIMARY KEY,
    "title" text NOT NULL,
    "author" text NOT NULL,
    "desc" text NOT NULL
  )
`;

const SEED: readonly Book[] = [
  { id: 1, title: 'One book', author: 'John Doe', desc: '' },
  { id: 2, title: 'Second book', author: 'Jane Doe', desc: '' },
];

/**
 * Connects, creates the table and inserts the first books, whenever the database is available: at the
 * start of the app, or later, or again when the database has come back empty.
 */
@Injectable()
export class BookSchema implements OnApplicationBootstrap {
  private readonly logger = new Logger(BookSchema.name);
  private prepared: Promise<void> | undefined;

  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  onApplicationBootstrap(): void {
    this.ready().catch((error: Error) =>
      this.logger.warn(`the database is not there yet: ${error.message || error.name}`),
    );
  }

  /** Resolves when the table exists; concurrent requests share one attempt. */
  ready(): Promise<void> {
    this.prepared ??= this.prepare().catch((error: unknown) => {
      this.prepared = undefined;
      throw error;
    });
    return this.prepared;
  }

  /** Call it when the table is gone: `ready` then creates it again. */
  forget(): void {
    this.prepared = undefined;
  }

  private async prepare(): Promise<void> {
    if (!this.dataSource.isInitialized) {
      await this.dataSource.initialize();
    }
    await this.dataSource.query(CREATE_TABLE);
    await this.dataSource
      .createQueryBuilder()
      .insert()
      .into(Book)
      .values([...SEED])
      .orIgnore()
      .execute();
    this.logger.log('the books table is ready');
  }
}
