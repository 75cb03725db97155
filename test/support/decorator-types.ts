// Decorators that the compiler must accept or reject: part of the type check, never run.
import { EMPTY, type Observable } from 'rxjs';
import {
  CircuitBreaker,
  type FallbackContext,
  type FallbackHandler,
  Fallback,
  Retry,
  Timeout,
  staleIfError,
  fallbackValue,
} from '../../src/index.js';

interface Book {
  readonly title: string;
}

declare class Archive implements FallbackHandler<readonly [string], Book[]> {
  handle(context: FallbackContext, words: string): Promise<Book[]>;
}

declare class Census implements FallbackHandler<readonly [string], number> {
  handle(context: FallbackContext, words: string): number;
}

export class Accepted {
  @Retry()
  @CircuitBreaker('x')
  @Timeout('1.5m')
  async promise(): Promise<void> {}

  @Retry()
  observable(): Observable<number> {
    return EMPTY;
  }

  @Timeout({ attempt: 500, total: '2s' })
  async *items(): AsyncGenerator<number> {}

  @Fallback('none')
  @Fallback('noneLater')
  @Fallback('noneBecause')
  @Fallback(fallbackValue<Book[]>([]))
  @Fallback(staleIfError({ ttl: '10m' }))
  @Fallback(() => [])
  @Fallback(async (_context, words: string) => [{ title: words }])
  @Fallback(Archive)
  @Fallback([{ on: [TypeError], handler: 'none' }, { handler: fallbackValue([]) }])
  async search(_words: string, _page = 1): Promise<Book[]> {
    return [];
  }

  none(): Book[] {
    return [];
  }

  async noneLater(_words: string): Promise<Book[]> {
    return [];
  }

  noneBecause(_words: string, _page: number | undefined, { error }: FallbackContext): Book[] {
    throw error;
  }
}

@Retry()
@CircuitBreaker()
@Timeout('1s')
export class AcceptedClass {}

/** A private method cannot be named, but called. */
export class AcceptedPrivate {
  @Fallback(function (this: AcceptedPrivate, context, words: string) {
    return this.spare(words, context);
  })
  async search(_words: string, _page = 1): Promise<Book[]> {
    return [];
  }

  private spare(title: string, _context: FallbackContext): Book[] {
    return [{ title }];
  }

  @Fallback(staleIfError({ ttl: '10m', key: 'keyOf', revive: (plain: Book) => ({ ...plain }) }))
  async byKey(_id: number): Promise<Book[]> {
    return [];
  }

  @Fallback(
    staleIfError({
      ttl: '10m',
      key(this: AcceptedPrivate, id: number) {
        return this.keyOf(id);
      },
    }),
  )
  async byFunction(_id: number): Promise<Book[]> {
    return [];
  }

  private keyOf(id: number): string {
    return String(id);
  }
}

export class Refused {
  // @ts-expect-error a method that returns no promise, Observable or async iterable
  @Retry()
  retried(): number {
    return 1;
  }

  // @ts-expect-error a plain result
  @CircuitBreaker()
  broken(): string {
    return '';
  }

  // @ts-expect-error a plain result
  @Timeout('1s')
  timed(): void {}

  // @ts-expect-error a plain result
  @Fallback(fallbackValue(1))
  answered(): number {
    return 1;
  }

  // @ts-expect-error an accessor
  @Retry()
  get accessor(): Promise<number> {
    return Promise.resolve(1);
  }

  // @ts-expect-error a field
  @Retry()
  field = async (): Promise<number> => 1;

  // @ts-expect-error no such method
  @Fallback('cellar')
  async missing(): Promise<Book> {
    return { title: '' };
  }

  // @ts-expect-error no method, but a field
  @Fallback('field2')
  async fieldNamed(): Promise<Book> {
    return { title: '' };
  }
  field2 = 1;

  // @ts-expect-error a method of other parameters
  @Fallback('byNumber')
  async byText(_text: string): Promise<Book> {
    return { title: '' };
  }
  byNumber(id: number): Book {
    return { title: String(id) };
  }

  // @ts-expect-error a method of another result
  @Fallback('count')
  async one(): Promise<Book> {
    return { title: '' };
  }
  count(): number {
    return 1;
  }

  // @ts-expect-error a value of another type
  @Fallback(fallbackValue(1))
  async text(): Promise<string> {
    return '';
  }

  // @ts-expect-error a function of another result
  @Fallback(() => 1)
  async otherText(): Promise<string> {
    return '';
  }

  // @ts-expect-error a class of another result
  @Fallback(Census)
  async books(_words: string): Promise<Book[]> {
    return [];
  }

  // @ts-expect-error an unknown unit
  @Timeout('2 parsecs')
  async far(): Promise<void> {}

  // @ts-expect-error an unknown option
  @Retry({ attempts: 3 })
  async attempts(): Promise<void> {}
}

// @ts-expect-error a fallback is for a method
@Fallback(fallbackValue(1))
export class RefusedClass {}
