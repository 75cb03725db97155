// Fallbacks: methods by name, functions, classes, values, choices.
import { Injectable } from '@nestjs/common';
import { type Observable, of } from 'rxjs';
import {
  Fallback,
  type FallbackContext,
  type FallbackHandler,
  Timeout,
  TimeoutError,
  fallbackValue,
  isFailure,
  staleIfError,
} from 'nest-resilience';

interface Book {
  readonly title: string;
}

@Injectable()
class ShelfHandler implements FallbackHandler<[words: string], Book[]> {
  handle(context: FallbackContext, words: string): Book[] {
    return [{ title: `${words} ${context.name}` }];
  }
}

@Injectable()
class CountHandler implements FallbackHandler<[], number> {
  handle(): number {
    return 0;
  }
}

class NoHandler {}

export class Accepted {
  // Compiles: a method by name
  @Fallback('shelf')
  async search(words: string): Promise<Book[]> {
    return [{ title: words }];
  }

  // Compiles: a method by name that needs fewer arguments
  @Fallback('shelf')
  async searchPage(words: string, page: number): Promise<Book[]> {
    return [{ title: `${words} ${page}` }];
  }

  // Compiles: a method by name that takes the context last
  @Fallback('shelfBecause')
  async searchAgain(words: string, page: number): Promise<Book[]> {
    return [{ title: `${words} ${page}` }];
  }

  // Compiles: a stream whose fallback gives the item
  @Fallback('first')
  stream(): Observable<Book> {
    return of({ title: 'Gophers at Sea' });
  }

  // Compiles: a generator whose fallback is a value
  @Fallback(fallbackValue<Book>({ title: 'none' }))
  async *items(): AsyncGenerator<Book> {
    yield this.first();
  }

  // Compiles: a function of the context and the arguments
  @Fallback((context: FallbackContext, words: string): Book[] => [{ title: context.name + words }])
  async byFunction(words: string): Promise<Book[]> {
    return [{ title: words }];
  }

  // Compiles: an injectable class
  @Fallback(ShelfHandler)
  async byClass(words: string): Promise<Book[]> {
    return [{ title: words }];
  }

  // Compiles: a stale answer, and a limit
  @Fallback(staleIfError({ ttl: '10m' }), { maxConcurrent: 5 })
  async stale(): Promise<Book[]> {
    return [];
  }

  // Compiles: a function whose parameters have no types
  @Fallback((context, words) => [{ title: words }, { title: String(context.error) }])
  async byPlainFunction(words: string): Promise<Book[]> {
    return [{ title: words }];
  }

  // Compiles: a promise of the answer, and an empty list
  @Fallback(async () => [])
  @Timeout('1s')
  async later(): Promise<Book[]> {
    return [];
  }

  // Compiles: choices by error
  @Fallback([{ on: [TimeoutError], handler: 'shelf' }, { handler: fallbackValue([]) }])
  async chosen(words: string): Promise<Book[]> {
    return [{ title: words }];
  }

  // Compiles: an answer to some errors alone
  @Fallback(fallbackValue<Book[]>([]), { on: [isFailure, TimeoutError], skip: [RangeError] })
  async some(): Promise<Book[]> {
    return [];
  }

  shelf(words: string): Book[] {
    return [{ title: words }];
  }

  async shelfBecause(words: string, page: number, context: FallbackContext): Promise<Book[]> {
    return [{ title: `${words} ${page} ${String(context.error)}` }];
  }

  first(): Book {
    return { title: 'Gophers at Sea' };
  }
}

export class Refused {
  // @ts-expect-error a fallback by name of another result: `Fallback('count')` Argument of type 'Refused' is not assignable to parameter of type 'AnsweringClass
  @Fallback('count')
  async one(): Promise<Book> {
    return { title: 'Gophers at Sea' };
  }

  // @ts-expect-error a fallback by name with other arguments: `Fallback('shelf')` Argument of type 'Refused' is not assignable to parameter of type 'AnsweringClass
  @Fallback('shelf')
  async byNumber(id: number): Promise<Book[]> {
    return [{ title: String(id) }];
  }

  // @ts-expect-error no method of that name: `Fallback('cellar')` Property 'cellar' is missing in type
  @Fallback('cellar')
  async attic(): Promise<Book[]> {
    return [];
  }

  // @ts-expect-error the name of a field: `Fallback('size')` Argument of type 'Refused' is not assignable to parameter of type 'AnsweringClass
  @Fallback('size')
  async field(): Promise<Book[]> {
    return [];
  }

  // @ts-expect-error a function of another result: `Fallback(` the fallback's result type does not match
  @Fallback((): number => 0)
  async byFunction(): Promise<Book> {
    return { title: 'Gophers at Sea' };
  }

  // @ts-expect-error a class of another result: `Fallback(CountHandler)` the fallback's result type does not match
  @Fallback(CountHandler)
  async byClass(): Promise<Book> {
    return { title: 'Gophers at Sea' };
  }

  // @ts-expect-error a class without handle(): `NoHandler` Property 'handle' is missing in type
  @Fallback(NoHandler)
  async byNoHandler(): Promise<Book> {
    return { title: 'Gophers at Sea' };
  }

  // @ts-expect-error a value of another type: `Fallback(` the fallback's result type does not match
  @Fallback(fallbackValue('none'))
  async byValue(): Promise<Book> {
    return { title: 'Gophers at Sea' };
  }

  // @ts-expect-error a value that is not wrapped: `title: 'none'` 'title' does not exist in type
  @Fallback({ title: 'none' })
  async bare(): Promise<Book> {
    return { title: 'Gophers at Sea' };
  }

  // @ts-expect-error no handler at all: `Fallback()` Expected 1-2 arguments, but got 0
  @Fallback()
  async nothing(): Promise<void> {}

  // @ts-expect-error an option of the bulkhead: `maxQueue: 1` 'maxQueue' does not exist in type 'AnswerOptions'
  @Fallback('shelf', { maxQueue: 1 })
  async queue(words: string): Promise<Book[]> {
    return [{ title: words }];
  }

  // @ts-expect-error a synchronous method: `Fallback(` Argument of type 'TypedPropertyDescriptor<() => number>' is not assignable to parameter of type 'TypedPropertyDescriptor
  @Fallback(fallbackValue(1))
  count(): number {
    return 1;
  }

  // @ts-expect-error a stale answer without a ttl: `{}))` Property 'ttl' is missing in type
  @Fallback(staleIfError({}))
  async stale(): Promise<void> {}

  // @ts-expect-error a context of another type: `(context` Property 'title' is missing in type
  @Fallback((context: Book) => context)
  async context(): Promise<Book> {
    return { title: 'Gophers at Sea' };
  }

  // @ts-expect-error a function with arguments that the method does not have: `Fallback(` the fallback's arguments do not match
  @Fallback((_context: FallbackContext, words: number) => [{ title: String(words) }])
  async arguments(words: string): Promise<Book[]> {
    return [{ title: words }];
  }

  // @ts-expect-error a class with arguments that the method does not have: `Fallback(ShelfHandler)` the fallback's arguments do not match
  @Fallback(ShelfHandler)
  @Timeout('1s')
  async classArguments(id: number): Promise<Book[]> {
    return [{ title: String(id) }];
  }

  readonly size: number = 1;

  shelf(words: string): Book[] {
    return [{ title: words }];
  }
}

// @ts-expect-error a fallback on a class: `@Fallback('shelf')` the decorator expects 3
@Fallback('shelf')
export class OnClass {}
