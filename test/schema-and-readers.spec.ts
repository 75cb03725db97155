import { Ajv } from 'ajv';
import * as fc from 'fast-check';
import { OptionsReader, Problems } from '../src/common/options-reader.js';
import type { ObjectShape, Shape } from '../src/common/shape.js';
import { policies } from '../src/policies/canonical-order.js';
import type { PolicySite } from '../src/policies/policy.js';
import { configurationSchema } from './support/schema/schema.js';

/*
 * The shapes of options, from which the schema is made, say the same as the functions that read the options.
 */

class Books {
  find(): void {}
  other(): void {}
}

/** A method, since some options are names of methods. */
const site = {
  name: 'Books.find',
  method: { name: 'find', key: 'find', owner: Books, target: Books.prototype, arity: 0 },
  anyWork: false,
  instances: undefined,
  fleet: {},
  resolve: () => undefined,
  optionsOf: () => undefined,
  warn: () => undefined,
} as unknown as PolicySite;

/** The problems of an option itself, as opposed to contradictions between options. */
const OWN_PROBLEM = /^[\w.[\]]+ is |^window has /;

function problemsOf(kind: string, options: object): string[] {
  const policy = policies.get(kind)!;
  const { enabled, ...others } = policy.normalize(options) as { enabled?: unknown };
  const problems = new Problems();
  const read = new OptionsReader<object>(others, 'x', problems);
  policy.read(read, site);
  read.done();
  if (enabled !== undefined && typeof enabled !== 'boolean') problems.add('x', 'enabled is wrong');
  return problems.all.map((problem) => problem.slice('x: '.length));
}

function ownProblemsOf(kind: string, options: object): string[] {
  return problemsOf(kind, options)
    .filter((problem) => OWN_PROBLEM.test(problem))
    .filter((problem) => !problem.startsWith('handler is undefined')); // another layer may give it
}

const validate = new Ajv({ strict: true, allowUnionTypes: true }).compile(configurationSchema());

/** Whether the schema has a complaint about the options of a policy. */
function isRefused(kind: string, options: unknown): boolean {
  return !validate({ defaults: { [kind]: options } });
}

/** A value of a shape, and the objects within shapes. */
interface Place {
  readonly path: string;
  readonly shape: Shape;
  /** Options with that value at the place, and the required options around it. */
  with(value: unknown): object;
}

function valid(shape: Shape): unknown {
  switch (shape.is) {
    case 'boolean':
      return true;
    case 'text':
      return 'other';
    case 'word':
      return shape.words[0];
    case 'either':
      return valid(shape.of[0]!);
    case 'object':
      return complete(shape);
    case 'tagged': {
      const [kind, options] = Object.entries(shape.kinds)[0]!;
      return { kind, options: complete(options) };
    }
    case 'list':
      return [complete(shape.of)];
    default:
      return 1;
  }
}

function complete({ members, required = [] }: ObjectShape): Record<string, unknown> {
  return Object.fromEntries(required.map((name) => [name, valid(members[name]!)]));
}

/** All places in a shape, those inside others too. */
function placesIn(shape: Shape, path: string, put: Place['with']): Place[] {
  const own: Place = { path, shape, with: put };
  switch (shape.is) {
    case 'either': {
      const inner = shape.of.filter(({ is }) => ['object', 'tagged', 'list'].includes(is));
      return [own, ...inner.flatMap((each) => placesIn(each, path, put).slice(1))];
    }
    case 'object':
      return [own, ...members(shape, path, put)];
    case 'tagged':
      return [
        own,
        ...Object.entries(shape.kinds).flatMap(([kind, options]) =>
          placesIn(options, `${path}(${kind})`, (value) => put({ kind, options: value })),
        ),
      ];
    case 'list':
      return [own, ...placesIn(shape.of, `${path}[]`, (value) => put([value]))];
    default:
      return [own];
  }
}

function members(shape: ObjectShape, path: string, put: Place['with']): Place[] {
  return Object.entries(shape.members).flatMap(([name, member]) =>
    placesIn(member, `${path}.${name}`, (value) => put({ ...complete(shape), [name]: value })),
  );
}

const withShapes = [...policies].flatMap(([kind, { shape }]) =>
  shape === undefined ? [] : [{ kind, shape }],
);

const places = withShapes.flatMap(({ kind, shape: { options } }) =>
  placesIn(options, kind, (value) => value as object).map((place) => ({ kind, ...place })),
);

const isCode = ({ shape }: Place): boolean => shape.is === 'code';
const isConfig = ({ path }: Place): boolean => path.endsWith('.config');
const leaves = places.filter((place) => !isCode(place) && !isConfig(place));

/** Some of them are valid for an option, others are not. */
const candidates: readonly unknown[] = [
  ...[-1, 0, 0.5, 1, 1.5, 2, 100, 10_000, 10_001, 1_000_000, 1_000_001],
  ...['', '0s', '0.0ms', '1s', '1.5m', '2h', '1 s', '1S', '-1s', '1d', '1', 's', '1s2', ' 1s'],
  ...['full', 'equal', 'none', 'start', 'end', 'Full', 'half', 'exponential', 'other'],
  ...[true, false, null, [], {}, [1], { a: 1 }, { calls: 1 }, { duration: '1s' }],
  ...[{ kind: 'linear', options: {} }, { kind: 'cubic', options: {} }, { kind: 'linear' }],
  ...[
    { kind: 'constant', options: { delay: 1 } },
    { kind: 'constant', options: { delay: 0 } },
  ],
  ...[{ kind: 'constructor', options: {} }, { kind: 'linear', options: null }, { kind: 1 }],
  ...[
    { kind: 'staleIfError', options: { ttl: 1 } },
    { kind: 'staleIfError', options: null },
  ],
  ...[{ kind: 'value', value: 1 }, { kind: 'value' }, [{ handler: 'other' }], [{}], [null]],
];

/** Only the readers know the names of methods. */
function areOtherMethods({ path, shape }: Place, value: unknown): boolean {
  const named = shape.is !== 'word' && /\.(key|cost|handler)$/.test(path);
  return named && typeof value === 'string' && value !== '' && value !== 'other';
}

describe('the shapes of options, and the functions that read them, agree', () => {
  it.each(withShapes.map(({ kind }) => kind))('that %s has its options', (kind) => {
    const all = places.filter((place) => place.kind === kind && !isConfig(place));
    for (const { path, shape, with: put } of all.filter(({ shape: { is } }) => is === 'object')) {
      if (/\.handler/.test(path) && (shape as ObjectShape).type === 'ValueFallback') continue;
      const strange = put({ ...complete(shape as ObjectShape), zzz: 1 });
      const told = problemsOf(kind, strange).find((problem) => problem.includes('zzz'))!;
      const known = told
        .split('the options are ')[1]!
        .split(', ')
        .map((name) => name.split('.').at(-1));
      const { config: _config, enabled: _enabled, ...own } = (shape as ObjectShape).members;
      expect([path, ...known.sort()]).toEqual([path, ...Object.keys(own).sort()]);
      expect(isRefused(kind, strange)).toBe(true);
    }
  });

  it.each(leaves.map((place) => [place.path, place] as const))(
    'on the values of %s',
    (_, place) => {
      const { kind } = place;
      const disagreed = candidates
        .filter((value) => !areOtherMethods(place, value))
        .map((value) => place.with(value))
        .filter(
          (options) => options !== null && typeof options === 'object' && !Array.isArray(options),
        )
        .filter((options) => ownProblemsOf(kind, options).length > 0 !== isRefused(kind, options));
      expect(disagreed).toEqual([]);
    },
  );

  it.each(places.filter(isCode).map((place) => [place.path, place] as const))(
    'that %s takes functions',
    (_, { kind, with: put }) => {
      expect(ownProblemsOf(kind, put('x'))).toHaveLength(1);
      expect(isRefused(kind, put([() => true]))).toBe(true);
    },
  );

  it('on options that are put together at random', () => {
    const option = fc.constantFrom(...leaves.filter(({ path }) => path.split('.').length === 2));
    const given = fc.array(fc.tuple(option, fc.constantFrom(...candidates)), { maxLength: 4 });
    fc.assert(
      fc.property(fc.constantFrom(...withShapes), given, ({ kind }, all) => {
        const options = all
          .filter(([place, value]) => place.kind === kind && !areOtherMethods(place, value))
          .reduce((merged, [place, value]) => ({ ...merged, ...place.with(value) }), {});
        expect(isRefused(kind, options)).toBe(ownProblemsOf(kind, options).length > 0);
      }),
      { numRuns: 500 },
    );
  });

  it('on the shorthands of policies', () => {
    for (const { kind, shape } of withShapes.filter(({ kind }) => kind !== 'fallback')) {
      if (shape.short === undefined) continue;
      const { normalize } = policies.get(kind)!;
      for (const value of candidates.filter((each) => typeof each !== 'object')) {
        const options = normalize(value);
        const wrong = typeof options !== 'object' || ownProblemsOf(kind, options).length > 0;
        expect([kind, value, isRefused(kind, value)]).toEqual([kind, value, wrong]);
      }
    }
  });
});

describe('the schema', () => {
  it('has the defaults that apply when an option is left out', () => {
    const { definitions } = configurationSchema() as {
      definitions: Record<string, { properties?: object; anyOf?: { properties?: object }[] }>;
    };
    let count = 0;
    for (const { kind } of withShapes) {
      const { properties, anyOf = [] } = definitions[kind]!;
      const all = Object.entries(properties ?? anyOf.at(-1)!.properties!) as [
        string,
        { default?: unknown },
      ][];
      const settingsOf = (options: object): string =>
        JSON.stringify(
          policies.get(kind)!.read(new OptionsReader<object>(options, 'x', new Problems()), site),
        );
      for (const [name, { default: value }] of all) {
        if (value === undefined || name === 'enabled') continue;
        count += 1;
        expect([name, settingsOf({ [name]: value })]).toEqual([name, settingsOf({})]);
      }
    }
    expect(count).toBeGreaterThan(10);
  });
});
