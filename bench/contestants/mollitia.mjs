import * as mollitia from 'mollitia';
import { BookClient, openCircuit } from './client.mjs';
import * as settings from './settings.mjs';

const fallback = () => new mollitia.Fallback({ callback: () => settings.noBooks });

function retry() {
  const { maxRetries, initialDelay, multiplier, maxDelay } = settings.retry;
  return new mollitia.Retry({
    attempts: maxRetries,
    interval: initialDelay,
    mode: mollitia.RetryMode.EXPONENTIAL,
    factor: multiplier,
    maxInterval: maxDelay,
  });
}

function breaker({ window, failureRate, minimumCalls, openFor } = settings.breaker) {
  return new mollitia.SlidingTimeBreaker({
    slidingWindowSize: window,
    minimumNumberOfCalls: minimumCalls,
    failureRateThreshold: failureRate * 100,
    openStateDelay: openFor,
    permittedNumberOfCallsInHalfOpenState: 1,
  });
}

const bulkhead = () =>
  new mollitia.Bulkhead({
    concurrentSize: settings.bulkhead.maxConcurrent,
    queueSize: settings.bulkhead.maxQueue,
  });

const timeout = () => new mollitia.Timeout({ delay: settings.timeout });

export const name = 'mollitia';

export async function start() {
  const client = new BookClient();
  const circuits = [];
  // Modules are listed outermost first.
  const under = (...modules) => {
    const circuit = new mollitia.Circuit({ func: () => client.getBooks(), options: { modules } });
    circuits.push(circuit);
    return () => circuit.execute();
  };
  const rejected = under(breaker(settings.foreverOpen));
  await openCircuit(client, rejected);
  return {
    calls: {
      breaker: { [name]: under(breaker()) },
      retry: { [name]: under(fallback(), retry(), breaker()) },
      timeout: { [name]: under(fallback(), retry(), breaker(), timeout()) },
      bulkhead: { [name]: under(fallback(), retry(), breaker(), timeout(), bulkhead()) },
      rejected: { [name]: rejected },
    },
    stop: () => circuits.forEach((each) => each.dispose()),
  };
}
