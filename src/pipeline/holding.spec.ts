import { setTimeout as later } from 'node:timers/promises';
import { TestCall } from '../../test/support/test-call.js';
import { callScope } from './call-scope.js';
import { Holding, isInside } from './holding.js';

const [probe, place] = [{}, {}];

/** A call that holds `parts` while it does `work`. */
function holding(parts: object[], work: () => unknown): { call: TestCall; holdings: Holding[] } {
  const call = new TestCall(work);
  return { call, holdings: parts.map((part) => call.hold(part)) };
}

describe('the parts that a call holds', () => {
  it('is known to the calls inside of it, and to no others', async () => {
    const { call } = holding([probe], async () => {
      await later(0);
      return [isInside(probe), isInside(place)];
    });
    const inside = call.start();
    expect(isInside(probe)).toBe(false);
    await expect(inside).resolves.toEqual([true, false]);
  });

  it('adds up, also over calls in calls', () => {
    const inner = (): unknown =>
      holding([place], () => [isInside(probe), isInside(place)]).call.start();
    expect(holding([probe], inner).call.start()).toEqual([true, true]);
    expect(holding([probe, place], () => [isInside(probe), isInside(place)]).call.start()).toEqual([
      true,
      true,
    ]);
  });

  it('is not held any more when it has ended, whatever goes on in its context', async () => {
    let goesOn!: Promise<boolean>;
    const { call, holdings } = holding([probe], () => {
      goesOn = later(1).then(() => isInside(probe));
    });
    call.start();
    holdings[0]!.end();
    await expect(goesOn).resolves.toBe(false);
  });

  it('is what is left of it when a part of it has ended', () => {
    const [outer, inner] = [new Holding(probe, undefined), new Holding(place, undefined)];
    const both = new Holding(place, outer);
    expect(both.live).toBe(both);
    both.end();
    expect(both.live).toBe(outer);
    outer.end();
    expect(both.live).toBeUndefined();
    inner.end();
    expect(inner.live).toBeUndefined();
    expect(new Holding(probe, both).outer).toBeUndefined();
  });

  it('is nothing in a context in which nothing is held', () => {
    expect(callScope.run({}, () => isInside(probe))).toBe(false);
  });

  it('is known to what answers in its place', () => {
    const { call } = holding([probe], () => undefined);
    expect(call.substitute(() => isInside(probe), 'fallback')).toBe(true);
  });
});
