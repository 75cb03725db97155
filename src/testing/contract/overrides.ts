import assert from 'node:assert/strict';
import type { Promised } from './space.js';
import { CircuitOf, LONG, PAUSE, SHORT } from './steps.js';

/** The promises of a store about the overrides of operators. */
export const overridePromises: Promised[] = [
  {
    title: 'an override holds for all, until it is cleared',
    async try(space) {
      const [a, b] = await space.fleet(2);
      const [one, two] = [new CircuitOf(a), new CircuitOf(b, 'b')];
      const override = { state: 'forced-open', by: 'Ada "admin" 日本', reason: 'a\n{}' } as const;
      const { granted, view } = await one.override(override);
      assert.equal(granted, true);
      assert.deepEqual(view.override, override);
      assert.equal(view.state, 'closed');
      assert.equal(view.epoch, 1);
      assert.deepEqual(await two.view(), view);
      const { view: after } = await two.override({ state: 'disabled' });
      assert.deepEqual(after.override, { state: 'disabled' });
      assert.equal(after.epoch, 2);
      const { view: cleared } = await one.override(undefined);
      assert.equal(cleared.override, undefined);
      assert.equal(cleared.epoch, 3);
      const again = await one.override(undefined);
      assert.deepEqual(again, { granted: true, view: cleared });
    },
  },
  {
    title: 'a cleared override is not taken for a lost one, until there is another override',
    async try(space) {
      const [a, b] = await space.fleet(2);
      const [one, two] = [new CircuitOf(a), new CircuitOf(b, 'b')];
      const tripped = (await one.trip({ openMs: [LONG] })).view;
      assert.equal(tripped.cleared, undefined);
      // The store did not know one: only the operator has seen it.
      const { view } = await one.override(undefined);
      assert.deepEqual(
        { ...view, remainingMs: 0 },
        { ...tripped, epoch: 2, cleared: true, remainingMs: 0 },
      );
      assert.equal((await two.view())?.cleared, true);
      assert.equal((await two.reset()).view.cleared, true);
      const { view: disabled } = await two.override({ state: 'disabled' });
      assert.equal(disabled.cleared, undefined);
      assert.equal((await one.override(undefined)).view.cleared, true);
    },
  },
  {
    title: 'a lost override is restored, but not over a decision that came later',
    async try(space) {
      const [a, b] = await space.fleet(2);
      const [one, two] = [new CircuitOf(a), new CircuitOf(b, 'b')];
      await one.trip({ openMs: [LONG] });
      const restored = await one.restore({ state: 'forced-open', by: 'Ada' });
      assert.equal(restored.granted, true);
      assert.deepEqual(restored.view.override, { state: 'forced-open', by: 'Ada' });
      const again = await two.restore({ state: 'disabled' });
      assert.equal(again.granted, false);
      assert.deepEqual(again.view.override, restored.view.override);
      assert.equal(again.view.epoch, restored.view.epoch);
      await one.override(undefined);
      const { granted, view } = await two.restore({ state: 'disabled' });
      assert.equal(granted, false);
      assert.equal(view.override, undefined);
      assert.equal(view.cleared, true);
    },
  },
  {
    title: 'an override ends by itself, and the state of the circuit below it applies again',
    async try(space) {
      const [store] = await space.fleet(1);
      const circuit = new CircuitOf(store);
      const { view } = await circuit.override({ state: 'forced-closed', remainingMs: LONG });
      const remaining = view.override?.remainingMs ?? 0;
      assert.ok(remaining > LONG / 2 && remaining <= LONG, `${remaining}`);
      await circuit.override({ state: 'forced-closed', remainingMs: SHORT });
      const { view: open } = await circuit.trip({ openMs: [LONG] });
      assert.equal(open.state, 'open');
      await space.wait(PAUSE);
      const after = await circuit.view();
      assert.equal(after?.override, undefined);
      assert.equal(after?.state, 'open');
      assert.equal(after?.epoch, open.epoch);
    },
  },
  {
    title: 'a reset leaves an override in force',
    async try(space) {
      const [store] = await space.fleet(1);
      const circuit = new CircuitOf(store);
      await circuit.override({ state: 'forced-open' });
      assert.deepEqual((await circuit.reset()).view.override, { state: 'forced-open' });
    },
  },
];
