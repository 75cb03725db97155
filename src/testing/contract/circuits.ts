import assert from 'node:assert/strict';
import type { Promised } from './space.js';
import { CircuitOf, LONG, PAUSE, SHORT } from './steps.js';

/** The promises of a store about trips and open circuits. */
export const circuitPromises: Promised[] = [
  {
    title: 'an untouched circuit is unknown, and stays unknown when it is asked about',
    async try(space) {
      const [store] = await space.fleet(1);
      const circuit = new CircuitOf(store);
      assert.deepEqual(await store.circuits(['a', 'b']), [undefined, undefined]);
      assert.deepEqual(await store.circuits([]), []);
      const asked = await circuit.acquire('token');
      assert.equal(asked.granted, true);
      const unknown = { state: 'closed', epoch: 0, incarnation: '', remainingMs: 0, openings: 0 };
      assert.deepEqual(asked.view, unknown);
      assert.equal((await circuit.settle('token', 'failure')).granted, false);
      assert.equal(await circuit.view(), undefined);
    },
  },
  {
    title: 'a trip opens the circuit for all',
    async try(space) {
      const [a, b] = await space.fleet(2);
      const { granted, view } = await new CircuitOf(a).trip({ openMs: [LONG] });
      assert.equal(granted, true);
      assert.equal(view.state, 'open');
      assert.equal(view.epoch, 1);
      assert.equal(view.openings, 1);
      assert.notEqual(view.incarnation, '');
      const seen = await new CircuitOf(b).view();
      assert.ok(seen);
      assert.ok(seen.remainingMs <= LONG && seen.remainingMs > LONG / 2, `${seen.remainingMs}`);
      assert.deepEqual({ ...seen, remainingMs: 0 }, { ...view, remainingMs: 0 });
    },
  },
  {
    title: 'when several instances trip a circuit at the same time, one of them opens it',
    async try(space) {
      const stores = await space.fleet(8);
      const trips = stores.map((store, i) =>
        new CircuitOf(store, `${i}`).tripFrom({ epoch: 0, incarnation: '' }, { openMs: [LONG] }),
      );
      const replies = await Promise.all(trips);
      assert.equal(replies.filter(({ granted }) => granted).length, 1);
      assert.ok(replies.every(({ view }) => view.state === 'open' && view.epoch === 1));
      assert.equal(new Set(replies.map(({ view }) => view.incarnation)).size, 1);
    },
  },
  {
    title: 'a trip from an older epoch or another incarnation changes nothing',
    async try(space) {
      const [store] = await space.fleet(1);
      const circuit = new CircuitOf(store);
      const { view } = await circuit.reset();
      assert.equal((await circuit.tripFrom({ ...view, epoch: view.epoch - 1 })).granted, false);
      assert.equal((await circuit.tripFrom({ ...view, epoch: view.epoch + 1 })).granted, false);
      const other = await circuit.tripFrom({ ...view, incarnation: 'another' });
      assert.deepEqual(other, { granted: false, view });
      assert.equal((await circuit.tripFrom(view)).granted, true);
    },
  },
  {
    title: 'a trip of a circuit that is open or half-open changes nothing',
    async try(space) {
      const [store] = await space.fleet(1);
      const circuit = new CircuitOf(store);
      const { view: open } = await circuit.trip();
      assert.equal((await circuit.tripFrom(open)).granted, false);
      await space.wait(PAUSE);
      const { view: halfOpen } = await circuit.acquire('token');
      assert.equal(halfOpen.state, 'half-open');
      assert.equal((await circuit.tripFrom(halfOpen)).granted, false);
      assert.deepEqual(await circuit.view(), halfOpen);
    },
  },
  {
    title: 'an open circuit stays open after its open time, until an instance asks for a probe',
    async try(space) {
      const [store] = await space.fleet(1);
      const circuit = new CircuitOf(store);
      const { view } = await circuit.trip();
      await space.wait(3 * PAUSE);
      assert.deepEqual(await circuit.view(), { ...view, remainingMs: 0 });
    },
  },
  {
    title:
      'the open time depends on how often the circuit has opened; the last one applies from then on',
    async try(space) {
      const [store] = await space.fleet(1);
      const circuit = new CircuitOf(store);
      const openMs = [SHORT, SHORT, LONG];
      await circuit.trip({ openMs });
      for (const openings of [2, 3]) {
        await space.wait(PAUSE);
        assert.equal((await circuit.acquire(`${openings}`)).granted, true);
        const { view } = await circuit.settle(`${openings}`, 'failure', { openMs });
        assert.equal(view.state, 'open');
        assert.equal(view.openings, openings);
        if (openings === 3) assert.ok(view.remainingMs > LONG / 2);
        else assert.ok(view.remainingMs <= SHORT);
      }
      const short = new CircuitOf(store, 'a', 'short list');
      await short.trip({ openMs: [SHORT] });
      await space.wait(PAUSE);
      await short.acquire('token');
      const { view } = await short.settle('token', 'failure', { openMs: [LONG] });
      assert.ok(view.remainingMs > LONG / 2);
    },
  },
  {
    title: 'a reset closes the circuit, forgets how often it has opened, and voids running probes',
    async try(space) {
      const [a, b] = await space.fleet(2);
      const circuit = new CircuitOf(a);
      await circuit.trip();
      await space.wait(PAUSE);
      const { view: before } = await circuit.acquire('token');
      const reset = await new CircuitOf(b).reset();
      assert.equal(reset.granted, true);
      const { state, openings, epoch, incarnation } = reset.view;
      assert.deepEqual(
        { state, openings, epoch, incarnation },
        {
          ...{ state: 'closed', openings: 0 },
          epoch: before.epoch + 1,
          incarnation: before.incarnation,
        },
      );
      assert.equal((await circuit.settle('token', 'failure')).granted, false);
      assert.deepEqual(await circuit.view(), reset.view);
    },
  },
  {
    title: 'a circuit that the store has lost comes back as another incarnation',
    loses: true,
    async try(space) {
      const [store] = await space.fleet(1);
      const circuit = new CircuitOf(store);
      const { view: before } = await circuit.trip({ openMs: [LONG] });
      await space.lose();
      assert.equal(await circuit.view(), undefined);
      const { granted, view } = await circuit.tripFrom({ ...before, epoch: 7 }, { openMs: [LONG] });
      assert.equal(granted, true);
      assert.equal(view.epoch, 1);
      assert.notEqual(view.incarnation, before.incarnation);
      assert.notEqual(view.incarnation, '');
    },
  },
  {
    title: 'circuits are independent, whatever their names',
    async try(space) {
      const [store] = await space.fleet(1);
      const names = [
        '{',
        '}',
        '{}',
        '{a}b',
        'a}{b',
        '%7B',
        ':',
        ' ',
        'Ümläut 日本',
        '\n',
        '\0',
        '*',
        'a:leases',
        '\ud800',
        '\ud801',
        '\ufffd',
      ];
      names.push('x'.repeat(5_000), `${'x'.repeat(4_999)}y`, 'books[tenant 1]', 'books[tenant 2]');
      for (const [i, name] of names.entries()) {
        const { granted } = await new CircuitOf(store, 'a', name).trip({
          openMs: [LONG + (i + 1) * 1_000_000],
        });
        assert.equal(granted, true, JSON.stringify(name.slice(0, 20)));
      }
      const views = await store.circuits([...names, 'untouched']);
      assert.deepEqual(
        views.map((view) => view && Math.round((view.remainingMs - LONG) / 1_000_000)),
        [...names.map((_, i) => i + 1), undefined],
      );
    },
  },
];
