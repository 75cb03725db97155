import { Injectable } from '@nestjs/common';
import {
  CircuitBreaker,
  exponential,
  Fallback,
  Retry,
  Signal,
  staleIfError,
  Timeout,
} from 'nest-resilience';
import { StorageClient } from '../storage/storage.client.js';
import type { Book } from './book.js';

/**
 * The same call under different policies. The values are the defaults; `resilience.options.ts`
 * overrides them from the environment.
 */
@Injectable()
export class BooksService {
  constructor(private readonly storage: StorageClient) {}

  /** Tries again for a while, and then gives up. */
  @Retry({ maxRetries: 7, backoff: exponential({ initialDelay: '500ms', multiplier: 1.5 }) })
  @Timeout({ attempt: '1s', total: '5s' })
  withRetry(@Signal() signal?: AbortSignal): Promise<Book[]> {
    return this.storage.books(signal);
  }

  /** Fails fast, and answers with the last good books. */
  @Fallback(staleIfError({ ttl: '10m' }))
  @CircuitBreaker({ name: 'circuit-breaker', consecutiveFailures: 3, openFor: '5s' })
  @Timeout('1s')
  withCircuitBreaker(@Signal() signal?: AbortSignal): Promise<Book[]> {
    return this.storage.books(signal);
  }

  /** All together. */
  @Fallback(staleIfError({ ttl: '10m' }))
  @Retry({ maxRetries: 7, backoff: exponential({ initialDelay: '500ms', multiplier: 1.5 }) })
  @CircuitBreaker({ name: 'storagesvc', consecutiveFailures: 3, openFor: '5s' })
  @Timeout({ attempt: '1s', total: '5s' })
  withAll(@Signal() signal?: AbortSignal): Promise<Book[]> {
    return this.storage.books(signal);
  }
}
