import { setImmediate as nextTurn } from 'node:timers/promises';

/** Duration of one batch, milliseconds: short, so that conditions are the same within a round. */
const BATCH_MS = 1;

const WARM_UP_ROUNDS = 40;

/**
 * Measures calls against each other: every round takes a batch of each, so that whatever else the machine does
 * affects all of them alike. The order changes from round to round.
 *
 * @param calls `{ call, rejects, least }` by id; `least`: the fewest calls of a batch, by default 32
 * @returns for each id the nanoseconds per call in each round, by the number of the round
 */
export async function measure(calls, rounds) {
  const entries = Array.from(Object.entries(calls), ([id, { call, rejects, least = 32 }]) => {
    return { id, call, rejects, least, size: least, times: [] };
  });
  for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
    for (const entry of shuffled(entries)) {
      const { ns, rejections } = await batch(entry.call, entry.size);
      if (rejections !== (entry.rejects ? entry.size : 0)) {
        throw new Error(`${entry.id}: ${rejections} of ${entry.size} calls were rejected`);
      }
      if (round >= 0) entry.times.push(ns);
      else entry.size = Math.max(entry.least, Math.round((BATCH_MS * 1e6) / ns));
      await nextTurn(); // timers, listeners and the like get their turn between batches
    }
  }
  return Object.fromEntries(entries.map(({ id, times }) => [id, times]));
}

/** The same loop for all: each call is awaited, and a rejection is caught. */
async function batch(call, size) {
  let rejections = 0;
  const start = performance.now();
  for (let i = 0; i < size; i++) {
    try {
      await call();
    } catch {
      rejections += 1;
    }
  }
  return { ns: ((performance.now() - start) * 1e6) / size, rejections };
}

function shuffled(items) {
  const order = [...items];
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(Math.random() * (last + 1));
    [order[last], order[other]] = [order[other], order[last]];
  }
  return order;
}

export function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
