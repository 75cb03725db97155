import { policies, stageOrder } from '../../src/policies/canonical-order.js';

/** All policies and all stages, as messages list them; `canonical-order.spec.ts` says which there are. */
export const policyNames = [...policies.keys()].join(', ');
export const stageNames = stageOrder.map((stage) => `'${stage}'`).join(', ');
