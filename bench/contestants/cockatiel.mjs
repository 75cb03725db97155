import { createHistogram } from 'node:perf_hooks';
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

/** The policy, recording the same data as our breaker: outcomes and latencies of calls. */
function counting(policy) {
  const counts = { successes: 0, failures: 0 };
  const latencies = createHistogram();
  policy.onSuccess(({ duration }) => {
    counts.successes += 1;
    latencies.record(Math.max(1, Math.round(duration * 1e6)));
  });
  policy.onFailure(({ duration }) => {
    counts.failures += 1;
    latencies.record(Math.max(1, Math.round(duration * 1e6)));
  });
  return policy;
}

const bulkhead = () =>
  cockatiel.bulkhead(settings.bulkhead.maxConcurrent, settings.bulkhead.maxQueue);

const timeout = (strategy) => cockatiel.timeout(settings.timeout, strategy);

export const name = 'cockatiel';

export async function start() {
  const { Aggressive, Cooperative } = cockatiel.TimeoutStrategy;
  const all = () => [fallback(), retry(), breaker()];
  const rejecting = breaker(settings.foreverOpen);
  const client = new BookClient();
  await openCircuit(client, () => rejecting.execute(() => client.getBooks()));
  return {
    calls: {
      breaker: {
        ...bothWays(breaker()),
        ...bothWays(counting(breaker()), ', counting'),
      },
      retry: {
        ...bothWays(wrap(...all())),
        ...bothWays(wrap(fallback(), retry(), counting(breaker())), ', counting'),
      },
      timeout: {
        // Returns on time, as the others do.
        ...bothWays(wrap(...all(), timeout(Aggressive)), ', aggressive'),
        // Only aborts its signal, and continues to wait.
        ...bothWays(wrap(...all(), timeout(Cooperative)), ', cooperative'),
      },
      bulkhead: {
        ...bothWays(wrap(...all(), timeout(Aggressive), bulkhead()), ', aggressive'),
        ...bothWays(wrap(...all(), timeout(Cooperative), bulkhead()), ', cooperative'),
      },
      rejected: bothWays(rejecting),
    },
    stop() {},
  };
}

/** Its decorator on a method, which passes `this` and the arguments on; and a function handed to the policy. */
function bothWays(policy, suffix = '') {
  class DecoratedClient extends BookClient {}
  const descriptor = Object.getOwnPropertyDescriptor(BookClient.prototype, 'getBooks');
  cockatiel.usePolicy(policy)(DecoratedClient.prototype, 'getBooks', descriptor);
  Object.defineProperty(DecoratedClient.prototype, 'getBooks', descriptor);
  const decorated = new DecoratedClient();
  const client = new BookClient();
  return {
    [`${name}, @usePolicy${suffix}`]: () => decorated.getBooks(),
    [`${name}, execute${suffix}`]: () => policy.execute(() => client.getBooks()),
  };
}
