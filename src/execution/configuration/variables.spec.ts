import * as fc from 'fast-check';
import { Problems } from '../../common/options-reader.js';
import { policies } from '../../policies/canonical-order.js';
import { overridesFromEnv } from './environment.js';
import { environmentsOf } from './overrides.js';
import { Variables } from './variables.js';

const targets = new Map([
  ['Books', new Set(['retry', 'circuitBreaker'])],
  ['Books.find', new Set(['retry'])],
  ['books', new Set(['timeout'])],
  ['Retry.timeout', new Set(['timeout', 'bulkhead', 'fallback'])],
]);

const segment = fc.oneof(
  fc.constantFrom('ALL', 'BOOKS', 'FIND', 'RETRY', 'TIMEOUT', 'CIRCUIT_BREAKER', 'BULKHEAD'),
  fc.constantFrom('FALLBACK', 'ENABLED', 'MAX_RETRIES', 'BACKOFF', 'INITIAL_DELAY', 'KIND'),
  fc.constantFrom('HALF_OPEN', 'MAX_CALLS', 'WINDOW', 'CALLS', 'OPEN_FOR', 'TOTAL', 'HANDLER'),
  fc.constantFrom('CONSTRUCTOR', 'PROTO', '__PROTO__', '', '_', 'ON', 'KEY', 'VALUE', 'TTL', 'é'),
  fc.string({ maxLength: 5 }),
);
const name = fc.array(segment, { maxLength: 6 }).map((segments) => segments.join('__'));
const text = fc.oneof(
  fc.constantFrom('2', '0.5', 'true', '2s', 'exponential', 'Infinity', 'constructor', '-1', 'x'),
  fc.string({ maxLength: 8 }),
);

describe('variables of the environment, whatever they are,', () => {
  it('are in force or reported at bootstrap', () => {
    fc.assert(
      fc.property(fc.dictionary(name, text, { maxKeys: 4 }), (given) => {
        const env = Object.fromEntries(
          Object.entries(given).map(([rest, value]) => [`RESILIENCE__${rest}`, value]),
        );
        const environments = environmentsOf(overridesFromEnv(env));
        const variables = new Variables(
          environments.map((environment) => ({ where: 'here', environment })),
        );
        const problems = new Problems();
        variables.checkTargets(targets, problems);
        variables.check(problems);
        const inForce = ['*', ...targets.keys()].flatMap((target) =>
          Array.from(policies.keys()).flatMap((kind) => variables.of(target, kind)),
        );
        const told = [...problems.all, ...inForce.map(({ origin }) => origin)];
        const count = environments.flatMap((environment) => environment.variables).length;
        expect(told.length > 0).toBe(count > 0);
        for (const { options } of inForce) {
          expect(Object.getPrototypeOf(options)).toBe(Object.prototype);
          expect(Object.values(options)).not.toContain(undefined);
        }
      }),
      { numRuns: 200 },
    );
    expect({}).not.toHaveProperty('enabled');
  });
});
