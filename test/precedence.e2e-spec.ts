import * as fc from 'fast-check';
import { closeAll } from './support/boot.js';
import {
  type Given,
  type GivenByLayer,
  type Layer,
  type SubjectCase,
  inForce,
  subjects,
} from './support/precedence.js';

/*
 * The table of docs/configuration.md, layer by layer and subject by subject: later wins, option by option.
 */

afterEach(closeAll);

// Each test starts dozens of applications.
jest.setTimeout(30_000);

/** Without the key that a client of fetch has. */
function shown(options: unknown): unknown {
  if (options === undefined) return undefined;
  const { key: _key, ...others } = options as { key?: unknown };
  return others;
}

/** The expected value: that of the last layer that has one. */
function expectedOf({ layers }: SubjectCase, given: GivenByLayer): unknown {
  const all = layers.flatMap((layer) => given[layer] ?? []);
  const last = <T>(read: (each: Given) => T | undefined): T | undefined =>
    all
      .map(read)
      .filter((value) => value !== undefined)
      .at(-1);
  if (last(({ enabled }) => enabled) === false) return undefined;
  const minimumCalls = last((each) => each.minimumCalls);
  const maxCalls = last((each) => each.halfOpen?.maxCalls);
  const successThreshold = last((each) => each.halfOpen?.successThreshold);
  const halfOpen = {
    ...(maxCalls !== undefined && { maxCalls }),
    ...(successThreshold !== undefined && { successThreshold }),
  };
  return {
    ...(minimumCalls !== undefined && { minimumCalls }),
    ...(Object.keys(halfOpen).length > 0 && { halfOpen }),
  };
}

/** A value that identifies a layer. */
function mark({ layers }: SubjectCase, layer: Layer): Given {
  const number = layers.indexOf(layer) + 1;
  return { minimumCalls: 100 + number, halfOpen: { maxCalls: number } };
}

describe.each(Object.entries(subjects))('the options of %s', (_, subject) => {
  const pairs = subject.layers.flatMap((lower, index) =>
    subject.layers.slice(index + 1).map((higher) => [lower, higher] as const),
  );

  it('come from each layer', async () => {
    for (const layer of subject.layers) {
      const options = await inForce(subject, { [layer]: mark(subject, layer) });
      expect([layer, shown(options)]).toEqual([layer, mark(subject, layer)]);
    }
  });

  it('come from the higher of two layers, and missing ones from the lower', async () => {
    for (const [lower, higher] of pairs) {
      const base = mark(subject, lower);
      const given: GivenByLayer = {
        [lower]: { ...base, halfOpen: { ...base.halfOpen, successThreshold: 7 } },
        [higher]: mark(subject, higher),
      };
      const options = shown(await inForce(subject, given));
      const { minimumCalls, halfOpen } = mark(subject, higher);
      expect([lower, higher, options]).toEqual([
        lower,
        higher,
        { minimumCalls, halfOpen: { ...halfOpen, successThreshold: 7 } },
      ]);
    }
  });

  it('are enabled by the higher of two layers', async () => {
    for (const [lower, higher] of pairs) {
      const off = await inForce(subject, {
        [lower]: { enabled: true, minimumCalls: 1 },
        [higher]: { enabled: false },
      });
      const on = await inForce(subject, {
        [lower]: { enabled: false, minimumCalls: 2 },
        [higher]: { enabled: true },
      });
      expect([lower, higher, off, shown(on)]).toEqual([
        lower,
        higher,
        undefined,
        { minimumCalls: 2 },
      ]);
    }
  });

  it('come from the highest layer among any others', async () => {
    const count = fc.integer({ min: 1, max: 50 });
    const given = fc.record(
      {
        minimumCalls: count,
        halfOpen: fc.record({ maxCalls: count, successThreshold: count }, { requiredKeys: [] }),
        enabled: fc.boolean(),
      },
      { requiredKeys: [] },
    );
    const all = Object.fromEntries(subject.layers.map((layer) => [layer, given]));
    await fc.assert(
      fc.asyncProperty(fc.record(all, { requiredKeys: [] }), async (each) => {
        const layers = each as GivenByLayer;
        expect(shown(await inForce(subject, layers))).toEqual(expectedOf(subject, layers));
      }),
      { numRuns: 25 },
    );
  });
});
