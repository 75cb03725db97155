import { Injectable } from '@nestjs/common';
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
import type { Book } from './book.js';

/**
 * Three ways to get the same books: each decorates the call to storagesvc with other policies. The
 * values of the policies are in `resilience.options.ts`, under the names used here.
 */
@Injectable()
export class BooksService {
  constructor(private readonly storage: StorageClient) {}

  /** Live books or an error: retries for a while, and then gives up. */
  @Retry({ config: 'storagesvc' })
  @Timeout({ config: 'storagesvc' })
  @Bulkhead({ name: 'storagesvc' })
  findAllLive(@Signal() signal?: AbortSignal): Promise<Book[]> {
    return this.storage.books(signal);
  }

  /**
   * Fails fast, and answers with the last good books. Normally a dependency has one breaker;
   * this one is separate from that of `findAll` so that the routes can be compared side by side: neither
   * opens the other's circuit.
   */
  @Fallback(staleIfError({ ttl: DEFAULT_STALE_TTL }))
  @CircuitBreaker('circuit-breaker')
  @Timeout({ config: 'circuit-breaker' })
  @Bulkhead({ name: 'storagesvc' })
  findAllQuickly(@Signal() signal?: AbortSignal): Promise<Book[]> {
    return this.storage.books(signal);
  }

  /** Live books if they arrive within the total timeout, and the last good ones if not. */
  @Fallback(staleIfError({ ttl: DEFAULT_STALE_TTL }))
  @Retry({ config: 'storagesvc' })
  @CircuitBreaker('storagesvc')
  @Timeout({ config: 'storagesvc' })
  @Bulkhead({ name: 'storagesvc' })
  findAll(@Signal() signal?: AbortSignal): Promise<Book[]> {
    return this.storage.books(signal);
  }
}
