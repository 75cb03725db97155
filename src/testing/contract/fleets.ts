import assert from 'node:assert/strict';
import type { Promised, Space } from './space.js';
import { CIRCUIT, CircuitOf, LONG, PAUSE, SHORT } from './steps.js';

const QUORUM = { minVotes: 2, share: 0, voteMs: LONG };

async function aliveInstances(space: Space, size: number): Promise<void> {
  const store = await space.connect();
  for (let i = 0; i < size; i++) await store.heartbeat({ id: `alive-${i}` }, LONG);
}

/** The promises of a store about votes, instances, settings and messages. */
export const fleetPromises: Promised[] = [
  {
    title: 'a circuit opens when enough instances have voted; each counts once',
    async try(space) {
      const [a, b] = await space.fleet(2);
      const [one, two] = [new CircuitOf(a, 'a'), new CircuitOf(b, 'b')];
      for (let i = 0; i < 3; i++) {
        const { granted, view } = await one.trip({ quorum: QUORUM });
        assert.equal(granted, false);
        assert.equal(view.state, 'closed');
        assert.equal(view.epoch, 0);
      }
      const { granted, view } = await two.trip({ quorum: QUORUM, openMs: [LONG] });
      assert.equal(granted, true);
      assert.equal(view.state, 'open');
    },
  },
  {
    title: 'a circuit opens when a share of the living instances has voted',
    async try(space) {
      const [store] = await space.fleet(1);
      await aliveInstances(space, 4);
      const quorum = { minVotes: 1, share: 0.5, voteMs: LONG };
      assert.equal((await new CircuitOf(store, 'a').trip({ quorum })).granted, false);
      assert.equal((await new CircuitOf(store, 'b').trip({ quorum })).granted, true);
      const all = { ...quorum, share: 1 };
      const trip = (id: string): Promise<{ granted: boolean }> =>
        new CircuitOf(store, id, 'all').trip({ quorum: all });
      const votes = [await trip('a'), await trip('b'), await trip('c'), await trip('d')];
      assert.deepEqual(
        votes.map(({ granted }) => granted),
        [false, false, false, true],
      );
    },
  },
  {
    title: 'a vote ends',
    async try(space) {
      const [store] = await space.fleet(1);
      const quorum = { ...QUORUM, voteMs: SHORT };
      await new CircuitOf(store, 'a').trip({ quorum });
      await space.wait(PAUSE);
      assert.equal((await new CircuitOf(store, 'b').trip({ quorum })).granted, false);
    },
  },
  {
    title: 'votes do not outlive a change of the circuit',
    async try(space) {
      const [store] = await space.fleet(1);
      await new CircuitOf(store, 'a').trip({ quorum: QUORUM });
      await new CircuitOf(store).reset();
      assert.equal((await new CircuitOf(store, 'b').trip({ quorum: QUORUM })).granted, false);
    },
  },
  {
    title: 'an instance is alive from its heartbeat until its time ends or it leaves',
    async try(space) {
      const [a, b] = await space.fleet(2);
      const ids = async (): Promise<string[]> => (await b.instances()).map(({ id }) => id).sort();
      assert.deepEqual(await ids(), []);
      assert.equal(await a.heartbeat({ id: 'a' }, LONG), 1);
      assert.equal(await b.heartbeat({ id: 'b' }, LONG), 2);
      assert.equal(await b.heartbeat({ id: 'b' }, LONG), 2);
      assert.deepEqual(await ids(), ['a', 'b']);
      assert.equal(await a.heartbeat({ id: 'c' }, SHORT), 3);
      await space.wait(PAUSE);
      assert.deepEqual(await ids(), ['a', 'b']);
      assert.equal(await b.heartbeat({ id: 'b' }, LONG), 2);
      await a.leave('a');
      await a.leave('nobody');
      assert.deepEqual(await ids(), ['b']);
      assert.equal(await b.heartbeat({ id: 'b' }, LONG), 1);
    },
  },
  {
    title: 'all can read the last report of an instance, and its age',
    async try(space) {
      const [a, b] = await space.fleet(2);
      const facts = { calls: 3, text: '日本\n"{}"', list: [['x', 1]] };
      const info = { id: 'a b', version: '1.2.3', host: 'pod-1', ageMs: 5_000, facts };
      await a.heartbeat({ ...info, version: '1' }, LONG);
      await a.heartbeat(info, LONG);
      await space.wait(PAUSE);
      const [told, ...others] = await b.instances();
      assert.deepEqual(others, []);
      const { silentMs, ...rest } = told!;
      assert.deepEqual(rest, info);
      assert.ok(silentMs >= PAUSE - 1 && silentMs < LONG, `${silentMs}`);
    },
  },
  {
    title: 'settings are replaced only by an instance that knows the current ones',
    async try(space) {
      const [a, b] = await space.fleet(2);
      assert.equal(await a.settings(), undefined);
      const early = await a.changeSettings(3, '{"never":1}');
      assert.deepEqual(early, { revision: 0, settings: '{}', ageMs: 0, changed: false });
      const writes = await Promise.all([
        a.changeSettings(0, '{"by":"a"}'),
        b.changeSettings(0, '{"by":"b"}'),
      ]);
      assert.equal(writes.filter(({ changed }) => changed).length, 1);
      const [won] = writes.filter(({ changed }) => changed);
      const { revision, settings } = won!;
      const seen = await b.settings();
      assert.deepEqual({ ...seen, ageMs: 0 }, { revision, settings, ageMs: 0, changed: false });
      const next = await b.changeSettings(1, '{"text":"日本 {}"}');
      const second = { revision: 2, settings: '{"text":"日本 {}"}' };
      assert.deepEqual(next, { ...second, ageMs: 0, changed: true });
      const late = await a.changeSettings(1, '{}');
      assert.deepEqual({ ...late, ageMs: 0 }, { ...second, ageMs: 0, changed: false });
    },
  },
  {
    title: 'settings come with their age, by the clock of the store',
    async try(space) {
      const [a, b] = await space.fleet(2);
      await a.changeSettings(0, '{}');
      await space.wait(PAUSE);
      for (const { ageMs } of [(await b.settings())!, await b.changeSettings(0, '{}')]) {
        assert.ok(ageMs >= PAUSE - 1 && ageMs < LONG, `${ageMs}`);
      }
      assert.equal((await b.changeSettings(1, '{}')).ageMs, 0);
    },
  },
  {
    title: 'a store that has lost the settings starts over',
    loses: true,
    async try(space) {
      const [a, b] = await space.fleet(2);
      await a.changeSettings(0, '{"old":1}');
      await space.lose();
      assert.equal(await b.settings(), undefined);
      assert.equal((await b.changeSettings(1, '{}')).changed, false);
      const { revision, changed } = await b.changeSettings(0, '{"new":1}');
      assert.deepEqual({ revision, changed }, { revision: 1, changed: true });
    },
  },
  {
    title: 'subscribers hear of changes until they unsubscribe',
    async try(space) {
      const [a, b] = await space.fleet(2);
      const heard = await space.listen(b);
      const left: unknown[] = [];
      const leave = await b.subscribe((message) => void left.push(message));
      await leave();
      const name = '日本 {}\n\ud800';
      const { view } = await new CircuitOf(a, 'a', name).trip({ openMs: [LONG] });
      const message = await space.until('a message about the trip', () =>
        heard.find(({ type }) => type === 'circuit'),
      );
      assert.ok(message.type === 'circuit');
      assert.equal(message.name, name);
      assert.deepEqual({ ...message.view, remainingMs: 0 }, { ...view, remainingMs: 0 });
      assert.ok(message.view.remainingMs > LONG / 2);
      const { revision } = await a.changeSettings(0, '{}');
      await space.until('a message about the settings', () =>
        heard.some((told) => told.type === 'settings' && told.revision === revision),
      );
      await new CircuitOf(a).override({ state: 'forced-open', by: 'Ada', remainingMs: LONG });
      await space.until('a message about the override', () =>
        heard.some((told) => told.type === 'circuit' && told.view.override?.by === 'Ada'),
      );
      assert.deepEqual(left, []);
    },
  },
  {
    title: 'steps that change nothing send no message',
    async try(space) {
      const [a, b] = await space.fleet(2);
      const heard = await space.listen(b);
      const circuit = new CircuitOf(a);
      await circuit.settle('nobody', 'failure');
      await circuit.trip({ quorum: QUORUM });
      await circuit.acquire('token');
      await circuit.trip({ openMs: [LONG] });
      await circuit.trip();
      await circuit.acquire('token');
      await circuit.reset();
      const told = await space.until('a message about the reset', () =>
        heard.length > 1 ? heard : undefined,
      );
      assert.deepEqual(
        told.map((message) => message.type === 'circuit' && [message.name, message.view.epoch]),
        [
          [CIRCUIT, 1],
          [CIRCUIT, 2],
        ],
      );
    },
  },
  {
    title: 'closing a store ends in time, also the second time',
    async try(space) {
      const [store] = await space.fleet(1);
      await space.listen(store);
      await store.close();
      await store.close();
    },
  },
];
