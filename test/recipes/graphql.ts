import { Injectable } from '@nestjs/common';
import { Field, Float, ObjectType, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { CircuitBreaker, Fallback, Retry, Signal, Timeout, fallbackValue } from 'nest-resilience';

@ObjectType()
export class Book {
  @Field(() => String)
  title!: string;
}

@Injectable()
export abstract class Library {
  abstract books(signal: AbortSignal): Promise<Book[]>;
  abstract rating(title: string): Promise<number>;
}

@Resolver(() => Book)
export class BooksResolver {
  constructor(private readonly library: Library) {}

  @Query(() => [Book])
  @Retry({ maxRetries: 2 })
  @CircuitBreaker('library')
  @Timeout('1s')
  async books(@Signal() signal: AbortSignal): Promise<Book[]> {
    return this.library.books(signal);
  }

  // Without ratings there are still books.
  @ResolveField(() => Float, { nullable: true })
  @Fallback(fallbackValue(null))
  @CircuitBreaker('ratings')
  async rating(@Parent() book: Book): Promise<number | null> {
    return this.library.rating(book.title);
  }
}
