import assert from 'node:assert/strict';
import type { Promised } from './space.js';
import { LONG, PAUSE, SHORT, takePlace } from './steps.js';

const NAME = 'ReportService.render';

/** The promises of a store about places. */
export const placePromises: Promised[] = [
  {
    title: 'all instances together take no more places than there are',
    async try(space) {
      const stores = await space.fleet(8);
      const replies = await Promise.all(
        stores.map((store, i) => store.places(NAME, takePlace(`${i}`, { limit: 3 }))),
      );
      assert.equal(replies.filter(({ granted }) => granted).length, 3);
      for (const { granted, inUse, retryAfterMs = 0 } of replies) {
        assert.ok(inUse <= 3);
        if (!granted) assert.ok(retryAfterMs > LONG / 2 && retryAfterMs <= LONG);
      }
    },
  },
  {
    title: 'a place is given back once',
    async try(space) {
      const [a, b] = await space.fleet(2);
      await a.places(NAME, takePlace('1'));
      await a.places(NAME, takePlace('2'));
      const release = { type: 'release', token: '1' } as const;
      assert.deepEqual(await a.places(NAME, release), { granted: true, inUse: 1 });
      assert.deepEqual(await a.places(NAME, release), { granted: false, inUse: 1 });
      assert.deepEqual(await b.places(NAME, takePlace('3')), { granted: true, inUse: 2 });
      assert.equal((await b.places(NAME, takePlace('4'))).granted, false);
    },
  },
  {
    title: 'a place that is taken twice with one token is one place',
    async try(space) {
      const [store] = await space.fleet(1);
      await store.places(NAME, takePlace('1', { limit: 1 }));
      const again = await store.places(NAME, takePlace('1', { limit: 1 }));
      assert.deepEqual(again, { granted: true, inUse: 1 });
    },
  },
  {
    title: 'the places of an instance that has died come back when their leases end',
    async try(space) {
      const [dead, alive] = await space.fleet(2);
      await dead.places(NAME, takePlace('1', { leaseMs: SHORT }));
      await dead.places(NAME, takePlace('2', { leaseMs: SHORT }));
      await space.wait(PAUSE);
      assert.deepEqual(await alive.places(NAME, takePlace('3')), { granted: true, inUse: 1 });
      assert.equal((await dead.places(NAME, { type: 'release', token: '1' })).granted, false);
    },
  },
  {
    title: 'a renewed lease continues, and one that has ended is lost',
    async try(space) {
      const [store] = await space.fleet(1);
      await store.places(NAME, takePlace('kept', { leaseMs: LONG }));
      await store.places(NAME, takePlace('late', { leaseMs: SHORT }));
      await space.wait(PAUSE);
      const renewed = await store.places(NAME, {
        type: 'renew',
        tokens: ['kept', 'late', 'never'],
        leaseMs: 3 * LONG,
      });
      assert.deepEqual(renewed, { granted: false, inUse: 1, lost: ['late', 'never'] });
      const refused = await store.places(NAME, takePlace('other', { limit: 1 }));
      assert.equal(refused.granted, false);
      assert.ok((refused.retryAfterMs ?? 0) > 2 * LONG);
      const kept = { type: 'renew', tokens: ['kept'], leaseMs: SHORT } as const;
      assert.deepEqual(await store.places(NAME, kept), { granted: true, inUse: 1, lost: [] });
      const none = { type: 'renew', tokens: [], leaseMs: LONG } as const;
      assert.deepEqual((await store.places(NAME, none)).lost, []);
      await space.wait(PAUSE);
      assert.equal((await store.places(NAME, takePlace('other', { limit: 1 }))).granted, true);
    },
  },
  {
    title: 'with a lower limit, nobody gets a place until enough have been given back',
    async try(space) {
      const [store] = await space.fleet(1);
      for (const token of ['1', '2', '3']) await store.places(NAME, takePlace(token, { limit: 3 }));
      const take = takePlace('4', { limit: 1 });
      assert.equal((await store.places(NAME, take)).granted, false);
      await store.places(NAME, { type: 'release', token: '1' });
      await store.places(NAME, { type: 'release', token: '2' });
      assert.equal((await store.places(NAME, take)).granted, false);
      await store.places(NAME, { type: 'release', token: '3' });
      assert.equal((await store.places(NAME, take)).granted, true);
    },
  },
  {
    title: 'an instance that was refused a place hears when one becomes free',
    async try(space) {
      const [a, b] = await space.fleet(2);
      const heard = await space.listen(b);
      await a.places(NAME, takePlace('1', { limit: 1 }));
      await b.places(NAME, takePlace('2', { limit: 1 }));
      await a.places(NAME, { type: 'release', token: '1' });
      await space.until('a message about the free place', () =>
        heard.some((message) => message.type === 'place' && message.name === NAME),
      );
    },
  },
  {
    title: 'places that the store has lost are free, and their leases are lost',
    loses: true,
    async try(space) {
      const [store] = await space.fleet(1);
      await store.places(NAME, takePlace('1', { limit: 1 }));
      await space.lose();
      const renew = { type: 'renew', tokens: ['1'], leaseMs: LONG } as const;
      assert.deepEqual((await store.places(NAME, renew)).lost, ['1']);
      assert.equal((await store.places(NAME, takePlace('2', { limit: 1 }))).granted, true);
    },
  },
];
