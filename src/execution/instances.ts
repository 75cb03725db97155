import type { Instances, ProtectedMethod } from '../policies/policy.js';

/** Something that an application builds of a class: an instance, or one for each who asks. */
export interface Built {
  readonly type: Function;
  /** `undefined` when there is none that all share. */
  readonly instance: object | undefined;
  /** Why there is none, as a clause for messages. */
  readonly scope: string | undefined;
}

/** By class. */
type Index = ReadonlyMap<Function, readonly Built[]>;

/** The instances that an application has built per class: tells whether the instance matters. */
export class InstanceRegister {
  private look: (() => Iterable<Built>) | undefined = undefined;
  /** While the application starts. Nothing holds its instances afterwards. */
  private starting: Index | undefined = undefined;

  /** @param look finds what there is, at that moment: modules can be loaded later */
  explore(look: () => Iterable<Built>): void {
    this.look = look;
    this.starting = indexOf(look());
    queueMicrotask(() => {
      this.starting = undefined;
    });
  }

  /** Those of the class whose method it is. */
  of({ owner }: ProtectedMethod): Instances {
    const { starting } = this;
    let known = starting && instancesOf(owner, starting);
    return {
      // A problem only at bootstrap: later it is no reason to fail calls.
      many: known && reasonOf(owner, known),
      isOnly: (self) => {
        known ??= this.look && instancesOf(owner, indexOf(this.look()));
        return self !== undefined && known?.only?.deref() === self;
      },
    };
  }
}

interface Known {
  /** Weak: an application that has been closed may go, though its methods remember their plans. */
  readonly only: WeakRef<object> | undefined;
  readonly count: number;
  readonly scope: string | undefined;
}

function instancesOf(owner: Function, index: Index): Known {
  // A class that nobody has built runs its methods for subclasses: by `super`.
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
