import { Injectable } from '@nestjs/common';
import { CircuitBreaker, Retry, Timeout, composePolicies, exponential } from 'nest-resilience';

/** How this team calls another service. */
export const Resilient = (service: string, { maxRetries = 2 } = {}) =>
  composePolicies(
    Retry({ maxRetries, backoff: exponential({ initialDelay: '100ms' }) }),
    CircuitBreaker({ name: service, failureRate: 0.5, window: '10s' }),
    Timeout('1s'),
  );

@Injectable()
export class Catalogue {
  @Resilient('catalogue')
  async titles(): Promise<string[]> {
    const response = await fetch('https://catalogue.internal/titles');
    if (!response.ok) throw Object.assign(new Error('no titles'), { status: response.status });
    return (await response.json()) as string[];
  }

  @Resilient('catalogue', { maxRetries: 0 })
  async add(title: string): Promise<void> {
    const init = { method: 'POST', body: title };
    const response = await fetch('https://catalogue.internal/titles', init);
    if (!response.ok) throw Object.assign(new Error('not added'), { status: response.status });
  }
}
