/** The jobs that contestants do, by key. */
export const jobs = {
  breaker: 'circuit breaker',
  retry: 'fallback + retry + circuit breaker',
  timeout: 'fallback + retry + circuit breaker + timeout',
  bulkhead: 'fallback + retry + circuit breaker + timeout + bulkhead',
  rejected: 'call rejected by an open circuit, and caught',
};

/** The names of their files in contestants/. */
export const names = ['nest-resilience', 'cockatiel', 'opossum', 'mollitia', 'nestjs-resilience'];
