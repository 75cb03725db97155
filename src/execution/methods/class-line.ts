/** An object and its prototype chain, nearest first, up to but excluding `end`. */
export function lineOf(start: object, end: object): object[] {
  const line: object[] = [];
  for (let each: object | null = start; each !== null && each !== end; each = parentOf(each)) {
    line.push(each);
  }
  return line;
}

/** A class and the classes that it extends, nearest first. */
export function classLine(type: Function): Function[] {
  return lineOf(type, Function.prototype) as Function[];
}

function parentOf(object: object): object | null {
  return Object.getPrototypeOf(object) as object | null;
}

/** The prototype of an object; `undefined` for anything else, or for a proxy that refuses to answer. */
export function prototypeOf(value: unknown): object | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  try {
    return parentOf(value) ?? undefined;
  } catch {
    return undefined; // a revoked proxy
  }
}

/** Whether `object` is `ancestor`, or inherits from it. */
export function inherits(object: object, ancestor: object): boolean {
  try {
    return object === ancestor || Object.prototype.isPrototypeOf.call(ancestor, object);
  } catch {
    return false; // a proxy that throws
  }
}

/** The class of instances with this prototype, provided that they inherit the methods of `target`. */
export function classOf(prototype: object, target: object): Function | undefined {
  try {
    const { constructor } = prototype;
    if (typeof constructor !== 'function') return undefined;
    const own = constructor.prototype as object;
    return inherits(prototype, own) && inherits(own, target) ? constructor : undefined;
  } catch {
    return undefined; // a user's getter that throws
  }
}
