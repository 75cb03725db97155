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
 * The same call under different policies. Their values are in `resilience.options.ts`, by the names
 * that stand here.
 */
@Injectable()
export class BooksService {
  constructor(private readonly storage: StorageClient) {}

  /** Tries again for a while, and then gives up. */
  @Retry({ config: 'storagesvc' })
  @Timeout({ config: 'storagesvc' })
  @Bulkhead({ name: 'storagesvc' })
  withRetry(@Signal() signal?: AbortSignal): Promise<Book[]> {
    return this.storage.books(signal);
  }

  /**
   * Fails fast, and answers with the last good books. An application has one breaker for one dependency;
   * this one is apart from that of `withAll` so that the routes can be compared side by side: neither
   * opens the other's circuit.
   */
  @Fallback(staleIfError({ ttl: DEFAULT_STALE_TTL }))
  @CircuitBreaker('circuit-breaker')
  @Timeout({ config: 'circuit-breaker' })
  @Bulkhead({ name: 'storagesvc' })
  withCircuitBreaker(@Signal() signal?: AbortSignal): Promise<Book[]> {
    return this.storage.books(signal);
  }

  /** All together. */
  @Fallback(staleIfError({ ttl: DEFAULT_STALE_TTL }))
  @Retry({ config: 'storagesvc' })
  @CircuitBreaker('storagesvc')
  @Timeout({ config: 'storagesvc' })
  @Bulkhead({ name: 'storagesvc' })
  withAll(@Signal() signal?: AbortSignal): Promise<Book[]> {
    return this.storage.books(signal);
  }
}
