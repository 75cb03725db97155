import { inspect, types } from 'node:util';
import { prototypeOf } from './outcomes/look.js';
import { isOptions, isPlainObject } from './objects.js';
import { define } from './own.js';
import { show } from './printable.js';

/** Stands for what could not be read. No option allows it, so that checks report it as a wrong value. */
export class Unreadable extends Error {
  constructor(error: unknown) {
    super(show(error));
  }

  override get name(): string {
    return 'unreadable';
  }

  [inspect.custom](): string {
    return `[${this.name}: ${this.message}]`;
  }
}

/** How deep options are looked into: by far the deepest ones are at 8. */
const DEEPEST = 10;

/** Beside `kind` it holds something of the user's own, the answer of a fallback: it stays as it is. */
const OWN = 'value';

/**
 * Options that can be read: the same object, unless a getter or a proxy is in the way. Then a copy, in which an
 * {@link Unreadable} stands for what cannot be read. Getters of classes count as options, methods do not.
 */
export function legible<T>(options: T): T {
  return new Reading([], 0).of(options, 0, true) as T;
}

/**
 * A copy that can be read, as by {@link legible}, of everything that options contain: lists, and objects that hold options.
 * Later changes of the user's plain objects have no effect.
 *
 * @param own names of options at the top whose values are not looked into
 */
export function legibleThroughout<T>(options: T, own: readonly string[] = []): T {
  return new Reading(own, DEEPEST).of(options, 0, true) as T;
}

class Reading {
  private readonly known = new Map<object, unknown>();

  constructor(
    private readonly own: readonly string[],
    private readonly deepest: number,
  ) {}

  private get copies(): boolean {
    return this.deepest > 0;
  }

  /** @param foreign whether an object of a class may hold options */
  of(value: unknown, depth: number, foreign: boolean): unknown {
    if (typeof value !== 'object' || value === null || depth > this.deepest) return value;
    if (this.known.has(value)) return this.known.get(value);
    this.known.set(value, value); // it may contain itself
    const read = this.read(value, depth, foreign);
    this.known.set(value, read);
    return read;
  }

  private read(value: object, depth: number, foreign: boolean): unknown {
    try {
      if (Array.isArray(value)) return this.list(value as readonly unknown[], depth, foreign);
      const isPlain = isPlainObject(value);
      if (!isPlain && !(foreign && isOptions(value))) return value;
      return this.object(value, isPlain ? [] : inheritedOptions(value), depth, foreign && isPlain);
    } catch (error) {
      return new Unreadable(error);
    }
  }

  private list(given: readonly unknown[], depth: number, foreign: boolean): unknown {
    const read = Array.from({ length: given.length }, (_, at) =>
      this.item(given, at, depth, foreign),
    );
    const isLegible = !types.isProxy(given) && read.every((item, at) => Object.is(item, given[at]));
    return isLegible && !this.copies ? given : read;
  }

  private object(
    given: object,
    inherited: readonly PropertyKey[],
    depth: number,
    foreign: boolean,
  ): unknown {
    const keys = Reflect.ownKeys(given).filter(
      (key) => Object.getOwnPropertyDescriptor(given, key)?.enumerable,
    );
    const isPlain = isPlainObject(given);
    let isSame = inherited.length === 0 && !types.isProxy(given);
    const copy = isPlain ? {} : (Object.create(prototypeOf(given)) as object);
    for (const key of new Set([...keys, ...inherited])) {
      const descriptor = isSame ? Object.getOwnPropertyDescriptor(given, key) : undefined;
      const isOwn =
        depth === 0 ? this.own.includes(key as string) : key === OWN && keys.includes('kind');
      const item = this.item(given, key, isOwn ? Infinity : depth, foreign);
      isSame &&= descriptor !== undefined && Object.is(item, descriptor.value);
      define(copy, key, item);
    }
    // An object of a class may have private state, which a copy would lose.
    return isSame && !(this.copies && isPlain) ? given : copy;
  }

  private item(holder: object, key: PropertyKey, depth: number, foreign: boolean): unknown {
    let item: unknown;
    try {
      item = (holder as Record<PropertyKey, unknown>)[key];
    } catch (error) {
      return new Unreadable(error);
    }
    return this.of(item, depth + 1, foreign);
  }
}

/** The getters and values, but not the methods, that an object has from its classes. */
function inheritedOptions(given: object): PropertyKey[] {
  const keys: PropertyKey[] = [];
  let holder = prototypeOf(given);
  for (; holder !== null && prototypeOf(holder) !== null; holder = prototypeOf(holder)) {
    for (const [key, property] of Object.entries(Object.getOwnPropertyDescriptors(holder))) {
      if (property.get !== undefined || isData(property.value)) keys.push(key);
    }
  }
  return keys;
}

function isData(value: unknown): boolean {
  return value !== undefined && typeof value !== 'function';
}
