import assert from 'node:assert/strict';
import type { LimitDecision, LimitRequest, ResilienceStore } from '../../fleet/store.js';
import { MemoryStore } from '../memory/memory-store.js';
import type { Promised } from './space.js';
import { LONG, perHour } from './steps.js';

const HOUR = 3_600_000;
const LIMIT = 'BooksController.list';

async function inTurn(store: ResilienceStore, requests: LimitRequest[]): Promise<LimitDecision[]> {
  const decisions: LimitDecision[] = [];
  for (const request of requests) decisions.push(await store.limit(LIMIT, request));
  return decisions;
}

/** Equal, give or take the duration of a case. Milliseconds. */
function about(actual: number, expected: number): void {
  const off = Math.abs(actual - expected);
  assert.ok(off < LONG || actual === expected, `${actual} is not about ${expected}`);
}

/** The same numbers for the same seed: mulberry32. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Any request, of a rate so slow that the duration of the case does not matter. */
function anyRequest(random: () => number): LimitRequest {
  const pick = <T>(...values: T[]): T => values[Math.floor(random() * values.length)]!;
  const limit = pick(5, 10, 10, 10, 30);
  const maxWaitMs = pick(0, 0, 1.5, 3.5) * (HOUR / limit);
  return {
    limit,
    perMs: HOUR,
    burst: pick(5, 10, 10, 10),
    cost: pick(0, 1, 1, 1, 2, 7),
    maxWaitMs,
  };
}

/** The promises of a store about rate limits. */
export const limitPromises: Promised[] = [
  {
    title: 'a burst is allowed at once, and what exceeds it is refused',
    async try(space) {
      const [store] = await space.fleet(1);
      const decisions = await inTurn(store, Array<LimitRequest>(12).fill(perHour()));
      assert.deepEqual(
        decisions.map(({ allowed }) => allowed),
        [...Array<boolean>(10).fill(true), false, false],
      );
      assert.deepEqual(
        decisions.map(({ remaining }) => remaining),
        [9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0, 0],
      );
      assert.ok(decisions.every(({ waitMs }) => waitMs === 0));
      const [first, last] = [decisions[0]!, decisions.at(-1)!];
      assert.equal(first.retryAfterMs, 0);
      about(first.resetMs, HOUR / 10);
      about(last.retryAfterMs, HOUR / 10);
      about(last.resetMs, HOUR);
    },
  },
  {
    title: 'instances that ask at the same time get no more than the limit',
    async try(space) {
      const stores = await space.fleet(8);
      const decisions = await Promise.all(
        stores.flatMap((store) => [1, 2, 3].map(() => store.limit(LIMIT, perHour()))),
      );
      assert.equal(decisions.filter(({ allowed }) => allowed).length, 10);
    },
  },
  {
    title: 'a call counts as much as it costs, and a refused one consumes nothing',
    async try(space) {
      const [store] = await space.fleet(1);
      const [seven, four, three, one] = await inTurn(store, [
        perHour({ cost: 7 }),
        perHour({ cost: 4 }),
        perHour({ cost: 3 }),
        perHour(),
      ]);
      assert.deepEqual([seven!.allowed, seven!.remaining], [true, 3]);
      assert.deepEqual([four!.allowed, four!.remaining], [false, 3]);
      about(four!.retryAfterMs, HOUR / 10);
      assert.deepEqual([three!.allowed, three!.remaining], [true, 0]);
      assert.equal(one!.allowed, false);
    },
  },
  {
    title: 'a cost above the burst can never be allowed, however long the call would wait',
    async try(space) {
      const [store] = await space.fleet(1);
      const request = perHour({ cost: 11, maxWaitMs: 100 * HOUR });
      const { allowed, retryAfterMs, remaining, waitMs } = await store.limit(LIMIT, request);
      assert.deepEqual(
        { allowed, retryAfterMs, remaining, waitMs },
        { allowed: false, retryAfterMs: Infinity, remaining: 10, waitMs: 0 },
      );
      assert.equal((await store.limit(LIMIT, perHour({ cost: 10 }))).allowed, true);
    },
  },
  {
    title: 'calls that may wait get a turn, unless they would have to wait too long',
    async try(space) {
      const [store] = await space.fleet(1);
      await store.limit(LIMIT, perHour({ cost: 10 }));
      const turn = HOUR / 10;
      const request = perHour({ maxWaitMs: 2.5 * turn });
      const [first, second, third] = await inTurn(store, [request, request, request]);
      assert.deepEqual([first!.allowed, second!.allowed, third!.allowed], [true, true, false]);
      about(first!.waitMs, turn);
      about(second!.waitMs, 2 * turn);
      assert.equal(third!.waitMs, 0);
      about(third!.retryAfterMs, turn / 2);
      const impatient = await store.limit(LIMIT, perHour());
      assert.equal(impatient.allowed, false);
      about(impatient.retryAfterMs, 3 * turn);
      // Refused calls take no turns from waiting ones.
      about((await store.limit(LIMIT, perHour({ maxWaitMs: 3.5 * turn }))).waitMs, 3 * turn);
    },
  },
  {
    title: 'a cost of 0 reads the state of the limit and consumes nothing',
    async try(space) {
      const [store] = await space.fleet(1);
      for (let i = 0; i < 3; i++) {
        const { allowed, remaining, resetMs } = await store.limit(LIMIT, perHour({ cost: 0 }));
        assert.deepEqual([allowed, remaining, resetMs], [true, 10, 0]);
      }
    },
  },
  {
    title: 'consumed calls come back evenly',
    async try(space) {
      const [store] = await space.fleet(1);
      const request = { limit: 1, perMs: 40, burst: 2, cost: 2, maxWaitMs: 0 };
      assert.equal((await store.limit(LIMIT, request)).allowed, true);
      await space.wait(120);
      const { allowed, remaining } = await store.limit(LIMIT, request);
      assert.deepEqual([allowed, remaining], [true, 0]);
    },
  },
  {
    title: 'a change of the rate keeps the count, as far as it fits',
    async try(space) {
      const [store] = await space.fleet(1);
      await store.limit(LIMIT, perHour({ limit: 100, burst: 100, cost: 60 }));
      const full = await store.limit(LIMIT, perHour({ limit: 50, burst: 20 }));
      assert.equal(full.allowed, false);
      about(full.retryAfterMs, HOUR / 50);
      about(full.resetMs, (20 * HOUR) / 50);
      assert.equal(full.otherRate, true);
      const more = await store.limit(LIMIT, perHour({ limit: 50, burst: 25, cost: 5 }));
      assert.deepEqual([more.allowed, more.remaining], [true, 0]);
      const again = await store.limit(LIMIT, perHour({ limit: 50, burst: 25 }));
      assert.equal(again.otherRate, undefined);
    },
  },
  {
    title: 'the same calls get the same decisions as from a store in memory',
    async try(space) {
      const [store] = await space.fleet(1);
      for (let seed = 1; seed <= 8; seed++) {
        const random = randomNumbers(seed);
        const memory = new MemoryStore({ clock: { now: () => 0 } });
        const requests = Array.from({ length: 25 }, () => anyRequest(random));
        for (const [i, request] of requests.entries()) {
          const name = `seed ${seed}`;
          const actual = await store.limit(name, request);
          const expected = await memory.limit(name, request);
          const where = `seed ${seed}, request ${i}: ${JSON.stringify(request)}`;
          assert.equal(actual.allowed, expected.allowed, where);
          assert.equal(actual.remaining, expected.remaining, where);
          about(actual.waitMs, expected.waitMs);
          about(actual.retryAfterMs, expected.retryAfterMs);
          about(actual.resetMs, expected.resetMs);
        }
      }
    },
  },
];
