import type { ObjectShape, Shape, TaggedShape } from '../../common/shape.js';

/** An option that the name of a variable may end with. */
export interface VariableOption {
  /** Its name and those of the options around it: `['backoff', 'initialDelay']`. */
  readonly words: readonly string[];
  /** Its place in the options of the policy: `['backoff', 'options', 'initialDelay']`. */
  readonly place: readonly string[];
  /** `undefined` for what only code can give. */
  readonly shape: Shape | undefined;
  /** The object around it, if that is one of `{ kind, options }`, and the kinds that have the option. */
  readonly tag?: { readonly place: readonly string[]; readonly kinds: readonly string[] };
}

/** Only decorators, commands and pipelines can name a configuration. */
const LEFT_OUT = 'config';

const optionsByShape = new WeakMap<ObjectShape, readonly VariableOption[]>();

/** All options of a policy, those inside others too. */
export function variableOptions(shape: ObjectShape): readonly VariableOption[] {
  const known = optionsByShape.get(shape);
  if (known !== undefined) return known;
  const options = inObject(shape, [], []).filter(({ words }) => words[0] !== LEFT_OUT);
  optionsByShape.set(shape, options);
  return options;
}

/** The part of a shape that one text can give; `undefined` when there is none. */
export function scalarOf(shape: Shape): Shape | undefined {
  switch (shape.is) {
    case 'either': {
      const scalars = shape.of.flatMap((each) => scalarOf(each) ?? []);
      return scalars.length === 0 ? undefined : { is: 'either', of: scalars };
    }
    case 'object':
    case 'tagged':
    case 'list':
    case 'anything':
    case 'code':
      return undefined;
    default:
      return shape;
  }
}

function optionsIn(
  shape: Shape,
  words: readonly string[],
  place: readonly string[],
): VariableOption[] {
  const scalar = scalarOf(shape);
  const own = scalar === undefined ? [] : [{ words, place, shape: scalar }];
  switch (shape.is) {
    case 'either':
      return [...own, ...shape.of.flatMap((each) => inside(each, words, place))];
    case 'object':
    case 'tagged':
      return inside(shape, words, place);
    default:
      return own.length > 0 ? own : [{ words, place, shape: undefined }];
  }
}

function inside(
  shape: Shape,
  words: readonly string[],
  place: readonly string[],
): VariableOption[] {
  if (shape.is === 'object') return inObject(shape, words, place);
  return shape.is === 'tagged' ? inTagged(shape, words, place) : [];
}

function inObject(
  { members }: ObjectShape,
  words: readonly string[],
  place: readonly string[],
): VariableOption[] {
  return Object.entries(members).flatMap(([name, shape]) =>
    optionsIn(shape, [...words, name], [...place, name]),
  );
}

function inTagged(
  { kinds }: TaggedShape,
  words: readonly string[],
  place: readonly string[],
): VariableOption[] {
  const all = Object.keys(kinds);
  const found: VariableOption[] = [
    {
      words: [...words, 'kind'],
      place: [...place, 'kind'],
      shape: { is: 'word', words: all },
      tag: { place, kinds: all },
    },
  ];
  const names = new Set(Object.values(kinds).flatMap(({ members }) => Object.keys(members)));
  for (const name of names) {
    const having = all.filter((kind) => Object.hasOwn(kinds[kind]!.members, name));
    const shape = kinds[having[0]!]!.members[name]!;
    const options = optionsIn(shape, [...words, name], [...place, 'options', name]);
    found.push(...options.map((option) => ({ ...option, tag: { place, kinds: having } })));
  }
  return found;
}
