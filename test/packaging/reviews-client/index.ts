// A third-party package in CommonJS: it requires the library, so beside an ESM app there are two copies of it.
import { Injectable } from '@nestjs/common';
import { CircuitBreaker, Retry, isResilienceError } from 'nest-resilience';

@Injectable()
export class ReviewsClient {
  calls = 0;

  @Retry({ maxRetries: 2, backoff: () => 1 })
  async reviews(): Promise<string[]> {
    this.calls += 1;
    if (this.calls < 3) throw new Error('not yet');
    return ['five stars'];
  }

  @CircuitBreaker({ name: 'ratings', consecutiveFailures: 1, openFor: '5s' })
  async ratings(): Promise<number[]> {
    throw new Error('down');
  }
}

export const isRejection = (error: unknown): boolean => isResilienceError(error);
