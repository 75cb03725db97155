// Compositions that the compiler must accept or reject: part of the type check, never run.
import { Get, Injectable, UseGuards } from '@nestjs/common';
import { EMPTY, type Observable } from 'rxjs';
import {
  CircuitBreaker,
  Fallback,
  Retry,
  Signal,
  Timeout,
  UsePipeline,
  composePolicies,
  fallbackValue,
  staleIfError,
} from '../../src/index.js';

interface Book {
  readonly title: string;
}

const Patient = () => composePolicies(Retry(), Timeout('2 s'));
const Nested = () => composePolicies(Patient(), CircuitBreaker('x'));
const Spare = () => composePolicies(Nested(), Fallback('spare'));
const NoBooks = () => composePolicies(Fallback(fallbackValue<Book[]>([])), Patient());
const Stale = () => composePolicies(Fallback(staleIfError({ ttl: '1m' })), Retry());
const Route = () => composePolicies(Get('books'), UseGuards(), NoBooks());
const Provider = () => composePolicies(Injectable(), Patient(), UsePipeline('storagesvc'));

@Patient()
export class AcceptedClass {}

@Provider()
export class AcceptedProvider {}

@composePolicies(UseGuards(), Retry())
export class AcceptedGuarded {}

export class Accepted {
  @Nested()
  async promise(): Promise<void> {}

  @Patient()
  observable(): Observable<number> {
    return EMPTY;
  }

  @Patient()
  async *items(): AsyncGenerator<number> {}

  @Spare()
  async search(_words: string): Promise<Book[]> {
    return [];
  }
  spare(_words: string): Book[] {
    return [];
  }

  @NoBooks()
  async books(): Promise<Book[]> {
    return [];
  }

  @Stale()
  async stale(): Promise<Book[]> {
    return [];
  }

  @Route()
  async list(): Promise<Book[]> {
    return [];
  }
}

export class Refused {
  // @ts-expect-error a method that returns no promise, Observable or async iterable
  @Patient()
  plain(): number {
    return 1;
  }

  // @ts-expect-error a plain result under a nested composition
  @Nested()
  nested(): string {
    return '';
  }

  // @ts-expect-error a plain result on a route
  @Route()
  route(): Book[] {
    return [];
  }

  // @ts-expect-error a generator that is not async
  @Patient()
  *items(): Generator<number> {}

  // @ts-expect-error an accessor
  @Patient()
  get accessor(): Promise<number> {
    return Promise.resolve(1);
  }

  // @ts-expect-error a field
  @Patient()
  field = async (): Promise<number> => 1;

  // @ts-expect-error a class without the method that answers
  @Spare()
  async missing(): Promise<Book[]> {
    return [];
  }

  // @ts-expect-error a value of another type
  @NoBooks()
  async count(): Promise<number> {
    return 1;
  }

  // @ts-expect-error a value of another type, beside decorators of Nest
  @Route()
  async otherRoute(): Promise<string> {
    return '';
  }
}

export class RefusedSignature {
  // @ts-expect-error the method that answers has other parameters
  @Spare()
  async search(_words: string): Promise<Book[]> {
    return [];
  }
  spare(_id: number): Book[] {
    return [];
  }
}

export class RefusedResult {
  // @ts-expect-error the method that answers has another result
  @Spare()
  async search(_words: string): Promise<Book[]> {
    return [];
  }
  spare(_words: string): number {
    return 1;
  }
}

// @ts-expect-error a fallback is for a method
@Spare()
export class RefusedFallbackClass {}

// @ts-expect-error a route is for a method
@Route()
export class RefusedRouteClass {}

export const refused = [
  // @ts-expect-error nothing
  composePolicies(),
  // @ts-expect-error a decorator of a parameter
  composePolicies(Retry(), Signal()),
  // @ts-expect-error no decorator
  composePolicies(Retry(), 3),
  // @ts-expect-error an option of the wrong type
  composePolicies(Retry({ maxRetries: '3' })),
];
