import * as cockatiel from 'cockatiel';
import { BookClient, openCircuit } from './client.mjs';
import * as settings from './settings.mjs';

const { handleAll, wrap } = cockatiel;

const fallback = () => cockatiel.fallback(handleAll, settings.noBooks);

function retry() {
  const { maxRetries, initialDelay, multiplier, maxDelay } = settings.retry;
  const delays = { initialDelay, exponent: multiplier, maxDelay };
  const backoff = new cockatiel.ExponentialBackoff(delays);
  return cockatiel.retry(handleAll, { maxAttempts: maxRetries, backoff });
}

function breaker({ openFor, window, failureRate, minimumCalls } = settings.breaker) {
  return cockatiel.circuitBreaker(handleAll, {
    halfOpenAfter: openFor,
    breaker: new cockatiel.SamplingBreaker({
      threshold: failureRate,
      duration: window,
      minimumRps: minimumCalls / (window / 1_000),
    }),
  });
}

const timeout = (strategy) => cockatiel.timeout(settings.timeout, strategy);

export const name = 'cockatiel';

export async function start() {
  const { Aggressive, Cooperative } = cockatiel.TimeoutStrategy;
  const client = new BookClient();
  const under = (policy) => () => policy.execute(() => client.getBooks());
  const rejected = under(breaker(settings.foreverOpen));
  await openCircuit(client, rejected);
  return {
    calls: {
      breaker: { [name]: under(breaker()) },
      retry: { [name]: under(wrap(fallback(), retry(), breaker())) },
      timeout: {
        // Returns on time, as the others do.
        [`${name}, aggressive`]: under(wrap(fallback(), retry(), breaker(), timeout(Aggressive))),
        // Only aborts its signal, and waits on.
        [`${name}, cooperative`]: under(wrap(fallback(), retry(), breaker(), timeout(Cooperative))),
      },
      rejected: { [name]: rejected },
    },
    stop() {},
  };
}
