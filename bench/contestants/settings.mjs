/** The settings of every contestant, to be translated into its own options. All times in milliseconds. */
export const breaker = {
  window: 10_000,
  failureRate: 0.5,
  minimumCalls: 20,
  openFor: 5_000,
};

/** Open time of the breaker whose rejections are measured: it must not try to recover meanwhile. */
export const foreverOpen = { ...breaker, openFor: 3_600_000 };

export const retry = { maxRetries: 3, initialDelay: 500, multiplier: 1.5, maxDelay: 60_000 };

export const timeout = 2_000;

export const bulkhead = { maxConcurrent: 10, maxQueue: 10 };

/** The fallback's answer, which the happy path never needs. */
export const noBooks = [];
