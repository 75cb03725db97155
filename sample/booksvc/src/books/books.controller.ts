import { Controller, Get, Param, ParseIntPipe, UseFilters } from '@nestjs/common';
import {
  Bulkhead,
  CircuitBreaker,
  Fallback,
  Retry,
  Signal,
  staleIfError,
  Timeout,
} from 'nest-resilience';
import { DEFAULT_STALE_TTL } from '../config.js';
import { StorageClient } from '../storage/storage.client.js';
import { StorageErrorFilter } from '../storage/storage-error.filter.js';
import type { Book } from './book.js';
import { bookKey } from './book-key.js';
import { BooksCommand, type Shelf } from './books.command.js';
import { BooksService } from './books.service.js';

/** `@Signal()` is aborted when the client goes, so that nobody works for it any longer. */
@Controller()
@UseFilters(StorageErrorFilter)
export class BooksController {
  constructor(
    private readonly books: BooksService,
    private readonly command: BooksCommand,
    private readonly storage: StorageClient,
  ) {}

  @Get()
  withAll(@Signal() signal: AbortSignal): Promise<Book[]> {
    return this.books.withAll(signal);
  }

  @Get('retry')
  withRetry(@Signal() signal: AbortSignal): Promise<Book[]> {
    return this.books.withRetry(signal);
  }

  @Get('circuit-breaker')
  withCircuitBreaker(@Signal() signal: AbortSignal): Promise<Book[]> {
    return this.books.withCircuitBreaker(signal);
  }

  @Get('command')
  shelf(@Signal() signal: AbortSignal): Promise<Shelf> {
    return this.command.execute(signal);
  }

  /** Policies on the handler itself; the breaker is that of `GET /`: one dependency, one circuit. */
  @Get('books/:id')
  @Fallback(staleIfError({ ttl: DEFAULT_STALE_TTL, key: bookKey }))
  @Retry({ config: 'storagesvc' })
  @CircuitBreaker('storagesvc')
  @Timeout({ config: 'storagesvc' })
  @Bulkhead({ name: 'storagesvc' })
  book(@Param('id', ParseIntPipe) id: number, @Signal() signal: AbortSignal): Promise<Book> {
    return this.storage.book(id, signal);
  }
}
