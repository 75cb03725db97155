import type { Instances, ProtectedMethod } from '../policies/policy.js';

/** A class that an application instantiates: once, or for each request or consumer. */
export interface Built {
  readonly type: Function;
  /** The shared instance; `undefined` if there is none. */
  readonly instance: object | undefined;
  /** The reason if there is none: `request-scoped` or `transient`. */
  readonly scope: string | undefined;
}

/** By class. */
type Index = ReadonlyMap<Function, readonly Built[]>;

/** The instances that an application has built, by class. Determines whether the instance of a call matters. */
export class InstanceRegister {
  private look: (() => Iterable<Built>) | undefined = undefined;
  /** Only set while the application starts, so that it does not hold instances afterwards. */
  private starting: Index | undefined = undefined;

  /** @param look lists the instances at the time of the call, since modules can be loaded later */
  explore(look: () => Iterable<Built>): void {
    this.look = look;
    this.starting = indexOf(look());
    queueMicrotask(() => {
      this.starting = undefined;
    });
  }

  /** The instances of the method's class. */
  of({ owner }: ProtectedMethod): Instances {
    const { starting } = this;
    let known = starting && instancesOf(owner, starting);
    return {
      // Only known at bootstrap: later, calls must not fail because of it.
      many: known && reasonOf(owner, known),
      isOnly: (self) => {
        known ??= this.look && instancesOf(owner, indexOf(this.look()));
        return self !== undefined && known?.only?.deref() === self;
      },
    };
  }
}

interface Known {
  /** Weak, so that a closed application can be collected although its methods remember their plans. */
  readonly only: WeakRef<object> | undefined;
  readonly count: number;
  readonly scope: string | undefined;
}

function instancesOf(owner: Function, index: Index): Known {
  // The methods of a class without instances run on instances of subclasses, by `super`.
  const built =
    index.get(owner) ?? [...index].flatMap(([type, all]) => (extendsIt(type, owner) ? all : []));
  const instances = new Set(built.flatMap(({ instance }) => instance ?? []));
  const scope = built.find((each) => each.scope !== undefined)?.scope;
  const [only] = instances.size === 1 && scope === undefined ? instances : [];
  return { only: only && new WeakRef(only), count: instances.size, scope };
}

function reasonOf({ name }: Function, { count, scope }: Known): string | undefined {
  if (scope !== undefined) return `${name} is ${scope}`;
  return count > 1 ? `the application has ${count} instances of ${name}` : undefined;
}

function extendsIt({ prototype }: Function, owner: Function): boolean {
  return prototype instanceof owner;
}

function indexOf(built: Iterable<Built>): Index {
  const index = new Map<Function, Built[]>();
  for (const each of built) {
    const known = index.get(each.type);
    if (known === undefined) index.set(each.type, [each]);
    else known.push(each);
  }
  return index;
}
