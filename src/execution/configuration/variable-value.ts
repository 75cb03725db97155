import { OptionsReader, Problems } from '../../common/options-reader.js';
import { show } from '../../common/printable.js';
import type { Shape } from '../../common/shape.js';

const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;

/** The value that a text means where an option has this shape; the text itself when it means none. */
export function valueOf(text: string, shape: Shape): unknown {
  switch (shape.is) {
    case 'boolean':
      return /^(true|false)$/i.test(text) ? text.toLowerCase() === 'true' : text;
    case 'duration':
    case 'integer':
    case 'number':
      if (shape.infinite && text.toLowerCase() === 'infinity') return Infinity;
      return NUMBER.test(text) ? Number(text) : text;
    case 'word':
      return shape.words.find((word) => word.toLowerCase() === text.toLowerCase()) ?? text;
    case 'either': {
      const values = shape.of.map((each) => [each, valueOf(text, each)] as const);
      const right = values.find(([each, value]) => objections(value, each).length === 0);
      return (right ?? values.find(([, value]) => value !== text))?.[1] ?? text;
    }
    default:
      return text;
  }
}

/** Suggestions in place of a value, each as the object of "use"; none when the value is valid. */
export function objections(value: unknown, shape: Shape): readonly string[] {
  const trial = new Trial({ value }, '', new Problems());
  switch (shape.is) {
    case 'boolean':
      trial.boolean('value');
      break;
    case 'text':
      trial.text('value');
      break;
    case 'duration':
      trial.duration('value', shape);
      break;
    case 'integer':
    case 'number':
      if (shape.infinite && value === Infinity) break;
      trial[shape.is]('value', shape);
      if (shape.infinite && trial.rights.length > 0) trial.rights.push('Infinity');
      break;
    case 'word':
      if (!shape.words.includes(value as string)) trial.rights.push(listed(shape.words));
      break;
    case 'either': {
      const all = shape.of.map((each) => objections(value, each));
      return all.some((rights) => rights.length === 0) ? [] : all.flat();
    }
    default:
      trial.rights.push('code');
  }
  return trial.rights;
}

/** Reads one value, so that the rules and the words are those of all options. */
class Trial extends OptionsReader<{ readonly value: unknown }> {
  readonly rights: string[] = [];

  override wrong(_key: string, _value: unknown, right: string): undefined {
    this.rights.push(right);
  }
}

function listed(words: readonly string[]): string {
  const names = words.map(show);
  const last = names.pop()!;
  return names.length === 0 ? last : `${names.join(', ')} or ${last}`;
}
