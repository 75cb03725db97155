import type { OptionsReader } from '../../common/options-reader.js';
import { swallow } from '../../common/outcomes/look.js';
import { show } from '../../common/printable.js';
import type { Call } from '../../pipeline/call.js';
import { readFunctionOfCall } from '../key.js';
import type { PolicySite } from '../policy.js';

/**
 * The number of calls that a call counts as: a number, a function of the call's arguments, called with the instance as
 * `this`, or the name of such a method of the class. It returns a number of at least 0.
 */
export type Cost = number | string | ((...args: never[]) => number);

/**
 * Returns the cost of a call. @throws the error of the user's function, or a TypeError when it returns an invalid cost
 */
export type CostOfCall = (call: Pick<Call, 'self' | 'args'>) => number;

/** Reads and checks `cost`; `undefined` when it is absent or wrong (reported). */
export function readCost(
  read: OptionsReader<{ readonly cost?: Cost }>,
  site: Pick<PolicySite, 'method' | 'name'>,
): number | CostOfCall | undefined {
  const given: unknown = read.raw('cost');
  if (typeof given === 'number') return read.integer('cost', { min: 1 });
  const count = readFunctionOfCall(read, 'cost', site, 'a whole number of at least 1');
  if (count === undefined) return undefined;
  return ({ self, args }) => {
    const cost = count.apply(self, args as unknown[]);
    if (typeof cost === 'number' && cost >= 0 && cost < Infinity) return cost;
    swallow(cost);
    throw new TypeError(`${site.name}: the cost is ${show(cost)}; use a number of at least 0`);
  };
}
