// Code that the compiler must accept or refuse; never run.
import { Injectable } from '@nestjs/common';
import { type Observable, of } from 'rxjs';
import {
  CircuitBreaker,
  Fallback,
  type FallbackContext,
  type ResilienceEvent,
  ResilienceEvents,
  Retry,
  Signal,
  Timeout,
  exponential,
  gobreaker,
  staleIfError,
  fallbackValue,
} from 'nest-resilience';

interface Book {
  readonly title: string;
}

@Injectable()
export class Catalogue {
  @Fallback(staleIfError({ ttl: '10m' }))
  @Retry({ maxRetries: 7, backoff: exponential({ initialDelay: '500ms', jitter: 'full' }) })
  @CircuitBreaker({ name: 'catalogue', failureRate: 0.5, window: { calls: 100 }, openFor: '5s' })
  @Timeout({ attempt: '2s', total: 10_000 })
  async all(@Signal() signal?: AbortSignal): Promise<Book[]> {
    return signal?.aborted ? [] : [{ title: 'Gophers at Sea' }];
  }

  @CircuitBreaker('catalogue-stream')
  stream(): Observable<Book> {
    return of({ title: 'Gophers at Sea' });
  }

  @Fallback('shelf')
  @CircuitBreaker(gobreaker({ name: 'search', maxRequests: 1 }))
  async search(words: string, page: number): Promise<Book[]> {
    return [{ title: `${words} ${page}` }];
  }

  @Fallback('shelfBecause')
  async searchAgain(words: string, page: number): Promise<Book[]> {
    return this.search(words, page);
  }

  shelf(words: string): Book[] {
    return [{ title: words }];
  }

  async shelfBecause(words: string, page: number, context: FallbackContext): Promise<Book[]> {
    return [{ title: `${words} ${page} ${String(context.error)}` }];
  }

  // @ts-expect-error a fallback of another result
  @Fallback('count')
  async one(): Promise<Book> {
    return { title: 'Gophers at Sea' };
  }

  // @ts-expect-error a fallback of other arguments
  @Fallback('shelf')
  async byNumber(id: number): Promise<Book[]> {
    return [{ title: String(id) }];
  }

  // @ts-expect-error no such method
  @Fallback('cellar')
  async attic(): Promise<Book[]> {
    return [];
  }

  @Fallback(fallbackValue<Book[]>([]))
  @Timeout('2s')
  async recent(): Promise<Book[]> {
    return this.all();
  }

  // @ts-expect-error a decorated method returns a promise, an observable or an async iterable
  @Retry()
  count(): number {
    return 1;
  }

  // @ts-expect-error not a duration
  @Timeout('2 parsecs')
  async far(): Promise<void> {}

  // @ts-expect-error no such option
  @Retry({ attempts: 3 })
  async attempts(): Promise<void> {}
}

export function listen(events: ResilienceEvents): () => void {
  return events.subscribe((event: ResilienceEvent) => {
    if (event.type === 'retry') console.log(event.delayMs.toFixed());
  });
}
