import { types } from 'node:util';
import {
  hasSlots,
  hrefOf,
  isPlatformSignal,
  kindOf,
  lengthOf,
  typedArrayName,
} from './platform-objects.js';

/**
 * Nesting depth, and parts in total: enough for real arguments, and a limit for the time to make one key.
 */
const MAX_DEPTH = 100;
const MAX_PARTS = 10_000;

/** No key can be made of the arguments. The message names the part that is the reason. */
export class NoKeyError extends TypeError {
  constructor(readonly part: string) {
    super(`arguments with ${part} have no key`);
  }
}

/**
 * The key of a call by its arguments: a text that is equal only for arguments that `util.isDeepStrictEqual` considers
 * equal. Signals do not affect the result of a call and are left out, as are trailing `undefined`s. No user code runs: no
 * getter, `toJSON` or iterator.
 *
 * @throws {NoKeyError} for anything but plain data: the hidden state of two values cannot be compared
 */
export function keyOfArguments(args: readonly unknown[]): string {
  const asked = args.map((arg) => (isPlatformSignal(arg) ? undefined : arg));
  while (asked.length > 0 && asked[asked.length - 1] === undefined) asked.pop();
  const writer = new Writer();
  return asked.map((arg) => writer.argument(arg)).join();
}

/** Writes values as text; each type has its own mark, so that values of different types never have the same text. */
class Writer {
  private parts = 0;
  /** The objects that contain the current one. */
  private readonly around: object[] = [];

  argument(arg: unknown): string {
    return this.write(arg, true);
  }

  private write(value: unknown, isArgument = false): string {
    if (++this.parts > MAX_PARTS) throw tooLarge();
    switch (typeof value) {
      case 'string':
        return JSON.stringify(value);
      case 'number':
        return Object.is(value, -0) ? '-0' : String(value);
      case 'bigint':
        return `${value}n`;
      case 'boolean':
        return String(value);
      case 'undefined':
        return 'undefined';
      case 'symbol':
        throw new NoKeyError('a symbol');
      case 'function':
        throw new NoKeyError('a function');
      case 'object':
        return value === null ? 'null' : this.object(value, isArgument);
    }
  }

  private object(value: object, isArgument: boolean): string {
    if (types.isProxy(value)) throw new NoKeyError('a proxy');
    if (this.around.includes(value)) throw new NoKeyError('a cycle');
    if (this.around.length === MAX_DEPTH) throw tooLarge();
    this.around.push(value);
    const text = this.byPrototype(value, isArgument);
    this.around.pop();
    return text;
  }

  private byPrototype(value: object, isArgument: boolean): string {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (Array.isArray(value)) {
      if (prototype === Array.prototype) return this.array(value);
    } else if (prototype === null || prototype === Object.prototype) {
      if (!hasSlots(value)) {
        return `${prototype === null ? '@' : ''}{${this.members(value, isArgument)}}`;
      }
    } else if (prototype === Date.prototype && types.isDate(value)) {
      return this.date(value);
    } else if (prototype === Map.prototype && types.isMap(value)) {
      return this.map(value);
    } else if (prototype === Set.prototype && types.isSet(value)) {
      return this.set(value);
    } else if (prototype === URL.prototype) {
      const href = hrefOf(value);
      if (href !== undefined) return `url${JSON.stringify(alone(value, href))}`;
    } else if (types.isTypedArray(value)) {
      const name = typedArrayName(prototype);
      if (name !== undefined) return this.typedArray(value, name);
    }
    throw new NoKeyError(kindOf(value, prototype));
  }

  private array(array: readonly unknown[]): string {
    // Before reading items: the array may consist of billions of holes.
    if (this.parts + array.length > MAX_PARTS) throw tooLarge();
    const items: string[] = [];
    let owned = 1; // length
    for (let index = 0; index < array.length; index++) {
      const item = Object.getOwnPropertyDescriptor(array, index);
      if (item === undefined) {
        items.push('hole');
        continue;
      }
      owned += 1;
      items.push(this.write(valueOf(item)));
    }
    if (Reflect.ownKeys(array).length !== owned) throw new NoKeyError('an array with properties');
    return `[${items.join()}]`;
  }

  /** Sorted, since the order of properties does not matter. */
  private members(object: object, isArgument: boolean): string {
    const names = Reflect.ownKeys(object);
    if (this.parts + names.length > MAX_PARTS) throw tooLarge();
    const members: string[] = [];
    for (const name of names) {
      if (typeof name === 'symbol') throw new NoKeyError('a property whose name is a symbol');
      const value = valueOf(Object.getOwnPropertyDescriptor(object, name));
      if (isArgument && name === 'signal' && isPlatformSignal(value)) continue;
      members.push(`${JSON.stringify(name)}:${this.write(value)}`);
    }
    return members.sort().join();
  }

  private date(date: Date): string {
    const time = alone(date, Date.prototype.getTime.call(date));
    // `util.isDeepStrictEqual` does not consider two invalid dates equal.
    if (Number.isNaN(time)) throw new NoKeyError('an invalid date');
    return `date${time}`;
  }

  private map(map: ReadonlyMap<unknown, unknown>): string {
    const entries: string[] = [];
    Map.prototype.forEach.call(alone(map, map), (value: unknown, key: unknown) => {
      entries.push(`${this.write(key)}=>${this.write(value)}`);
    });
    return `map{${entries.sort().join()}}`;
  }

  private set(set: ReadonlySet<unknown>): string {
    const items: string[] = [];
    Set.prototype.forEach.call(alone(set, set), (item: unknown) => {
      items.push(this.write(item));
    });
    return `set{${items.sort().join()}}`;
  }

  private typedArray(array: NodeJS.TypedArray, name: string): string {
    // By the platform's getters: the array may have properties of these names.
    const length = lengthOf(array);
    if ((this.parts += length) > MAX_PARTS) throw tooLarge();
    if (Reflect.ownKeys(array).length !== length) throw new NoKeyError(`a ${name} with properties`);
    const { buffer, byteOffset, byteLength } = array;
    const bytes = Buffer.from(buffer, byteOffset, byteLength);
    return `${name}<${bytes.toString('base64')}>`;
  }
}

/** `result`, unless the object has own properties, which `result` would not show. */
function alone<T>(object: object, result: T): T {
  if (Reflect.ownKeys(object).length === 0) return result;
  throw new NoKeyError(`${kindOf(object, Object.getPrototypeOf(object))} with properties`);
}

function valueOf(property: PropertyDescriptor | undefined): unknown {
  if (property === undefined || !('value' in property)) throw new NoKeyError('a getter');
  if (!property.enumerable) throw new NoKeyError('a property that is not enumerable');
  return property.value;
}

function tooLarge(): NoKeyError {
  return new NoKeyError('more parts than a key can hold');
}
