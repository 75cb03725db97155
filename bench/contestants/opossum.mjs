import CircuitBreaker from 'opossum';
import { BookClient, openCircuit } from './client.mjs';
import * as settings from './settings.mjs';

export const name = 'opossum';

export async function start() {
  const client = new BookClient();
  const breakers = [];
  const create = (
    { window, failureRate, minimumCalls, openFor },
    timeout = false,
    capacity = Infinity,
  ) => {
    const made = new CircuitBreaker(() => client.getBooks(), {
      timeout,
      capacity,
      rollingCountTimeout: window,
      errorThresholdPercentage: failureRate * 100,
      volumeThreshold: minimumCalls,
      resetTimeout: openFor,
      rollingPercentilesEnabled: false, // the others record none
    });
    breakers.push(made);
    return made;
  };
  const breaker = create(settings.breaker);
  const answered = create(settings.breaker);
  const timed = create(settings.breaker, settings.timeout);
  const bounded = create(settings.breaker, settings.timeout, settings.bulkhead.maxConcurrent);
  for (const each of [answered, timed, bounded]) each.fallback(() => settings.noBooks);
  const open = create(settings.foreverOpen);
  await openCircuit(client, () => open.fire());
  // It has no retry, so it does less than the others here.
  return {
    calls: {
      breaker: { [name]: () => breaker.fire() },
      retry: { [`${name}, no retry`]: () => answered.fire() },
      timeout: { [`${name}, no retry`]: () => timed.fire() },
      bulkhead: { [`${name}, no retry`]: () => bounded.fire() },
      rejected: { [name]: () => open.fire() },
    },
    stop: () => breakers.forEach((each) => each.shutdown()),
  };
}
