import { isPlainObject } from '../../common/objects.js';
import type { Problems } from '../../common/options-reader.js';
import { ownValue } from '../../common/own.js';
import { show } from '../../common/printable.js';
import type { NamedConfiguration } from '../module-options.js';

type Configurations = Readonly<Record<string, NamedConfiguration>>;

/** A named configuration after those that it extends: later wins. Each with its name; none when there is none of that name. */
export function lineOf(
  name: string,
  configs: Configurations,
): readonly (readonly [name: string, NamedConfiguration])[] {
  const line = new Map<string, NamedConfiguration>();
  let next: unknown = name;
  while (typeof next === 'string' && !line.has(next)) {
    const configuration: NamedConfiguration | undefined = ownValue(configs, next);
    if (configuration === undefined) break; // reported
    line.set(next, configuration);
    next = isPlainObject(configuration) ? configuration.extends : undefined; // else reported
  }
  return [...line].reverse();
}

/** Reports each `extends` that names no configuration, or that leads back to where it stands. */
export function checkExtensions(where: string, configs: Configurations, problems: Problems): void {
  for (const [name, configuration] of Object.entries(configs)) {
    if (!isPlainObject(configuration)) continue; // reported
    const base: unknown = configuration.extends;
    if (base === undefined) continue;
    const path = `configs['${name}'].extends is ${show(base)}`;
    if (typeof base !== 'string' || ownValue(configs, base) === undefined) {
      const others = Object.keys(configs).filter((other) => other !== name);
      const right = others.map(show).join(', ') || 'none: there is no other configuration';
      problems.add(where, `${path}; use the name of another configuration: ${right}`);
      continue;
    }
    const circle = circleFrom(name, configs);
    if (circle !== undefined) {
      problems.add(where, `${path}, which leads back to it: ${circle.map(show).join(' > ')}`);
    }
  }
}

/** The names from a configuration back to itself; `undefined` when it extends none that extends it. */
function circleFrom(name: string, configs: Configurations): string[] | undefined {
  const passed = [name];
  for (;;) {
    const next: unknown = ownValue(configs, passed.at(-1))?.extends;
    if (typeof next !== 'string') return undefined;
    if (next === name) return [...passed, next];
    if (passed.includes(next)) return undefined; // the circle is another one's
    passed.push(next);
  }
}
