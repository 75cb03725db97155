import assert from 'node:assert/strict';
import type { Promised } from './space.js';
import { CircuitOf, LONG, PAUSE, SHORT } from './steps.js';

/** The promises of a store about probes. */
export const probePromises: Promised[] = [
  {
    title: 'an open circuit grants no probe, and says when it will',
    async try(space) {
      const [store] = await space.fleet(1);
      const circuit = new CircuitOf(store);
      const { view } = await circuit.trip({ openMs: [LONG] });
      const { granted, retryAfterMs = 0, view: after } = await circuit.acquire('token');
      assert.equal(granted, false);
      assert.ok(retryAfterMs > LONG / 2 && retryAfterMs <= LONG, `${retryAfterMs}`);
      assert.equal(after.epoch, view.epoch);
    },
  },
  {
    title: 'all instances together get no more probes at a time than are allowed',
    async try(space) {
      const stores = await space.fleet(8);
      const circuits = stores.map((store, i) => new CircuitOf(store, `${i}`));
      const first = circuits[0]!;
      await first.trip();
      await space.wait(PAUSE);
      const options = { probes: 3, successes: 10 };
      const ask = (round: string): Promise<string[]> =>
        Promise.all(
          circuits.map(async (circuit, i) => {
            const token = `${round}-${i}`;
            const { granted, view } = await circuit.acquire(token, options);
            assert.equal(view.state, 'half-open');
            assert.equal(view.epoch, 2);
            return granted ? [token] : [];
          }),
        ).then((tokens) => tokens.flat());
      const granted = await ask('first');
      assert.equal(granted.length, 3);
      assert.equal((await ask('second')).length, 0);
      assert.equal((await first.settle(granted[0]!, 'success', options)).granted, true);
      assert.equal((await first.settle(granted[1]!, 'void', options)).granted, true);
      assert.equal((await ask('third')).length, 2);
    },
  },
  {
    title: 'no more probes are granted than successes are left to close the circuit',
    async try(space) {
      const [store] = await space.fleet(1);
      const circuit = new CircuitOf(store);
      await circuit.trip();
      await space.wait(PAUSE);
      const options = { probes: 5, successes: 2 };
      assert.equal((await circuit.acquire('1', options)).granted, true);
      assert.equal((await circuit.acquire('2', options)).granted, true);
      assert.equal((await circuit.acquire('3', options)).granted, false);
      await circuit.settle('1', 'success');
      assert.equal((await circuit.acquire('4', options)).granted, false);
      await circuit.settle('2', 'void');
      assert.equal((await circuit.acquire('5', options)).granted, true);
    },
  },
  {
    title: 'enough successes close the circuit, once, and it has never been open',
    async try(space) {
      const [a, b] = await space.fleet(2);
      const [circuit, other] = [new CircuitOf(a), new CircuitOf(b, 'b')];
      await circuit.trip();
      await space.wait(PAUSE);
      await circuit.acquire('1');
      await other.acquire('2');
      const first = await circuit.settle('1', 'success');
      assert.equal(first.view.state, 'half-open');
      const { granted, view } = await other.settle('2', 'success');
      assert.equal(granted, true);
      assert.equal(view.state, 'closed');
      assert.equal(view.epoch, 3);
      assert.equal(view.openings, 0);
      assert.equal((await circuit.acquire('3')).granted, true);
      assert.equal((await circuit.settle('3', 'failure')).granted, false);
      assert.deepEqual(await other.view(), view);
    },
  },
  {
    title:
      'failures are tolerated up to the number that a probe allows, and one more opens the circuit',
    async try(space) {
      const [store] = await space.fleet(1);
      const circuit = new CircuitOf(store);
      await circuit.trip();
      await space.wait(PAUSE);
      const options = { successes: 5, failures: 1, openMs: [LONG] };
      await circuit.acquire('1', { probes: 3, successes: 5 });
      await circuit.acquire('2', { probes: 3, successes: 5 });
      await circuit.acquire('3', { probes: 3, successes: 5 });
      assert.equal((await circuit.settle('1', 'failure', options)).view.state, 'half-open');
      const { view } = await circuit.settle('2', 'failure', options);
      assert.equal(view.state, 'open');
      assert.equal(view.openings, 2);
      assert.equal((await circuit.settle('3', 'success', options)).granted, false);
      assert.equal((await circuit.view())?.epoch, view.epoch);
    },
  },
  {
    title: 'counts of a half-open phase do not carry over to the next one',
    async try(space) {
      const [store] = await space.fleet(1);
      const circuit = new CircuitOf(store);
      await circuit.trip();
      await space.wait(PAUSE);
      await circuit.acquire('1');
      await circuit.acquire('2');
      await circuit.settle('1', 'success');
      await circuit.settle('2', 'failure');
      await space.wait(PAUSE);
      await circuit.acquire('3');
      assert.equal((await circuit.settle('3', 'success')).view.state, 'half-open');
      await circuit.acquire('4');
      assert.equal((await circuit.settle('4', 'success')).view.state, 'closed');
    },
  },
  {
    title: 'asking for more probes does not start the half-open phase again',
    async try(space) {
      const [store] = await space.fleet(1);
      const circuit = new CircuitOf(store);
      await circuit.trip();
      await space.wait(PAUSE);
      await circuit.acquire('1');
      await circuit.settle('1', 'success');
      const { granted, view } = await circuit.acquire('2');
      assert.equal(granted, true);
      assert.equal(view.epoch, 2);
      assert.equal((await circuit.settle('2', 'success')).view.state, 'closed');
    },
  },
  {
    title:
      'a lease ends: its probe may be given to another instance, and its late result changes nothing',
    async try(space) {
      const [a, b] = await space.fleet(2);
      const [dead, alive] = [new CircuitOf(a), new CircuitOf(b, 'b')];
      await dead.trip();
      await space.wait(PAUSE);
      const one = { probes: 1, successes: 1 };
      assert.equal((await dead.acquire('dead', { ...one, leaseMs: SHORT })).granted, true);
      await space.wait(PAUSE);
      assert.equal((await alive.acquire('alive', one)).granted, true);
      for (const outcome of ['failure', 'success', 'void'] as const) {
        const late = await dead.settle('dead', outcome, { successes: 1 });
        assert.equal(late.granted, false);
        assert.equal(late.view.state, 'half-open');
      }
      assert.equal((await alive.acquire('third', one)).granted, false);
      assert.equal((await alive.settle('alive', 'success', { successes: 1 })).view.state, 'closed');
    },
  },
  {
    title: 'a late result changes nothing, even if no other instance has asked for its probe',
    async try(space) {
      const [store] = await space.fleet(1);
      const circuit = new CircuitOf(store);
      await circuit.trip();
      await space.wait(PAUSE);
      await circuit.acquire('token', { leaseMs: SHORT });
      await space.wait(PAUSE);
      assert.equal((await circuit.settle('token', 'failure')).granted, false);
      assert.equal((await circuit.view())?.state, 'half-open');
    },
  },
  {
    title: 'a refused probe says when the first lease ends',
    async try(space) {
      const [store] = await space.fleet(1);
      const circuit = new CircuitOf(store);
      await circuit.trip();
      await space.wait(PAUSE);
      await circuit.acquire('1', { leaseMs: 10 * LONG });
      await circuit.acquire('2', { leaseMs: LONG });
      const { granted, retryAfterMs = 0 } = await circuit.acquire('3');
      assert.equal(granted, false);
      assert.ok(retryAfterMs > LONG / 2 && retryAfterMs <= LONG, `${retryAfterMs}`);
    },
  },
  {
    title: 'a probe that is asked for twice is granted twice and counted once',
    async try(space) {
      const [store] = await space.fleet(1);
      const circuit = new CircuitOf(store);
      await circuit.trip();
      await space.wait(PAUSE);
      assert.equal((await circuit.acquire('1')).granted, true);
      assert.equal((await circuit.acquire('1')).granted, true);
      assert.equal((await circuit.acquire('2')).granted, true);
      assert.equal((await circuit.settle('1', 'success')).granted, true);
      assert.equal((await circuit.settle('1', 'success')).granted, false);
      assert.equal((await circuit.view())?.state, 'half-open');
    },
  },
];
