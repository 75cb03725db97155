import { policies, stageOrder } from './canonical-order.js';

describe('the canonical order', () => {
  it('is fallback, total timeout, retry, circuit breaker, rate limit, attempt timeout, bulkhead, outermost first', () => {
    expect(stageOrder).toEqual([
      'fallback',
      'total timeout',
      'retry',
      'circuit breaker',
      'rate limit',
      'attempt timeout',
      'bulkhead',
    ]);
  });

  it('has each policy once, by its kind', () => {
    expect([...policies].map(([kind, { label }]) => [kind, label])).toEqual([
      ['fallback', '@Fallback'],
      ['timeout', '@Timeout'],
      ['retry', '@Retry'],
      ['circuitBreaker', '@CircuitBreaker'],
      ['rateLimit', '@RateLimit'],
      ['bulkhead', '@Bulkhead'],
    ]);
  });
});
