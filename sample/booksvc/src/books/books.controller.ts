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
import { UpstreamErrorFilter } from '../http/upstream-error.filter.js';
import { StorageClient } from '../storage/storage.client.js';
import type { Book } from './book.js';
import { bookKey } from './book-key.js';
import { BooksService } from './books.service.js';
import { type Shelf, ShelfService } from './shelf.service.js';

/** The signal is aborted when the client disconnects, so that all work for it stops. */
@Controller()
@UseFilters(UpstreamErrorFilter)
export class BooksController {
  constructor(
    private readonly books: BooksService,
    private readonly shelf: ShelfService,
    private readonly storage: StorageClient,
  ) {}

  @Get()
  findAll(@Signal() signal: AbortSignal): Promise<Book[]> {
    return this.books.findAll(signal);
  }

  @Get('retry')
  findAllLive(@Signal() signal: AbortSignal): Promise<Book[]> {
    return this.books.findAllLive(signal);
  }

  @Get('circuit-breaker')
  findAllQuickly(@Signal() signal: AbortSignal): Promise<Book[]> {
    return this.books.findAllQuickly(signal);
  }

  @Get('command')
  findShelf(@Signal() signal: AbortSignal): Promise<Shelf> {
    return this.shelf.find(signal);
  }

  /** Policies on the handler itself. It shares the breaker of `GET /`: one dependency, one circuit. */
  @Get('books/:id')
  @Fallback(staleIfError({ ttl: DEFAULT_STALE_TTL, key: bookKey }))
  @Retry({ config: 'storagesvc' })
  @CircuitBreaker('storagesvc')
  @Timeout({ config: 'storagesvc' })
  @Bulkhead({ name: 'storagesvc' })
  findOne(@Param('id', ParseIntPipe) id: number, @Signal() signal: AbortSignal): Promise<Book> {
    return this.storage.book(id, signal);
  }
}
