import { isDeepStrictEqual } from 'node:util';
import type { Problems } from '../common/options-reader.js';
import { show } from '../common/printable.js';
import { PartsByKey } from '../policies/keyed-parts.js';
import type { NamedParts } from '../policies/policy.js';

/** A declaration of a named part by a subject, with its options. */
export interface Declaration {
  readonly kind: string;
  /** `undefined`: the subject's own part, named after it. */
  readonly name: string | undefined;
  /** The name of the subject: the method (`Class.method`), the command or the pipeline. */
  readonly declaredBy: string;
  /** The class of a method. Subjects with the same owner and name share their own parts. */
  readonly owner: object;
  /** Two methods of a class may have the same name: a static one, or two symbols. */
  readonly method?: { readonly target: object; readonly key: string | symbol } | undefined;
  /** For messages: `Class.method @Decorator`. */
  readonly where: string;
  /** Whether the name is that of the pipeline that the policy comes from. */
  readonly implied?: boolean;
  /** Whether the options only name a part that another subject defines. */
  readonly reference: boolean;
  /** Whether the subject's policy is switched off: its definition stays, for those that refer to the part. */
  readonly off?: boolean;
  /** As given by users, all layers merged; other definitions of the part have to agree. */
  readonly options: object;
  /** The origins of options from operators, such as `overrides['*']`; `undefined` when there are none. */
  readonly overridden?: ReadonlyMap<string, string> | undefined;
  readonly settings: unknown;
}

interface Entry {
  declared: Declaration;
  part: object | undefined;
}

/** Called with each part by key that was removed to make room for another key. */
type GoneListener = (part: object) => void;

/** Declarations that have been adopted. */
export interface Adoption {
  /** Whether the part of a declaration is now declared with other options. */
  readonly isChanged: (declaration: Declaration) => boolean;
  /** Gives the parts their new settings; to be called last, since their listeners may cause further changes. */
  readonly changeParts: () => void;
}

/** The named, stateful parts of one application. */
export class PartStore implements NamedParts {
  /** By kind and name, in the order in which they were declared. */
  private readonly kinds = new Map<string, Map<string, Entry>>();
  /** By kind. */
  private readonly goneListeners = new Map<string, Set<GoneListener>>();

  /** Registers a part before it is made; reports conflicts with other declarations of it. */
  declare(declaration: Declaration, problems: Problems): void {
    const { name, declaredBy } = declaration;
    if (isAmbiguousInStore(declaration)) {
      problems.add(
        declaration.where,
        `instances share "${name ?? declaredBy}" by its name in the store, where a bracket begins a key; give it a name without "[": { name: '…' }`,
      );
    }
    if (isNamedAtRandom(declaration)) {
      problems.add(
        declaration.where,
        "mixin() gives the class another name at each start; set its `name` after mixin(), or give the policy a name of its own where it can have one: { name: '…' }",
      );
    }
    const entry = this.entryOf(declaration);
    if (entry === undefined) return this.add(declaration);
    const { declared } = entry;
    if (declaration.off || declared.off) {
      if (entry.part === undefined && weight(declaration) > weight(declared))
        entry.declared = declaration;
      return;
    }
    if (sharedByChance(declared, declaration)) {
      problems.add(
        declaration.where,
        `${other(declared, declaration)} is called ${calledOf(declaration, declared)} too, and both would share "${declaredBy}"; rename one, or give it a name of its own where it can have one: { name: '…' }`,
      );
      return;
    }
    if (declaration.reference) return;
    if (declared.reference && entry.part === undefined) {
      entry.declared = declaration;
    } else if (!isDeepStrictEqual(declared.options, declaration.options)) {
      problems.add(
        declaration.where,
        `"${name ?? declaredBy}" has other options at ${declared.where}: ${difference(declared.options, declaration.options)}; ${remedy(declared, declaration)}`,
      );
    }
  }

  obtain<T extends object, S>(kind: string, name: string, create: (settings: S) => T): T {
    const entry = this.entry(kind, name);
    if (entry === undefined) throw new Error(`${kind} "${name}" has not been declared`);
    entry.part ??= this.watched(kind, create(entry.declared.settings as S));
    return entry.part as T;
  }

  /**
   * Calls `listener` with each part of a kind that was removed to make room for another key. @returns a function that
   * ends this
   */
  onGone(kind: string, listener: GoneListener): () => void {
    const listeners = this.goneListeners.get(kind) ?? new Set();
    this.goneListeners.set(kind, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  /** The settings for the part of a declaration, by all declarations so far. */
  settingsOf(declaration: Declaration): unknown {
    return this.entryOf(declaration)?.declared.settings;
  }

  /** The snapshot of a part; `undefined` when it has not been made. */
  declarationOf(kind: string, name: string): Declaration | undefined {
    const entry = this.entry(kind, name);
    return entry?.part === undefined ? undefined : entry.declared;
  }

  /**
   * Adopts declarations that have changed while the application runs.
   *
   * @param change gives a part its settings, if it has been made and is now declared with others
   */
  adopt(
    others: PartStore,
    change: (part: object, { kind, settings }: Declaration) => void,
  ): Adoption {
    const different = new Set<Entry>();
    for (const entries of others.kinds.values()) {
      for (const { declared } of entries.values()) {
        const entry = this.entryOf(declared);
        if (entry === undefined) {
          this.add(declared);
          continue;
        }
        if (!isDeepStrictEqual(entry.declared.options, declared.options)) different.add(entry);
        entry.declared = declared;
      }
    }
    return {
      isChanged: (declaration) => {
        const entry = this.entryOf(declaration);
        return entry !== undefined && different.has(entry);
      },
      changeParts: () => {
        // By the declarations of that time: listeners may change them again meanwhile.
        for (const { part, declared } of different) if (part !== undefined) change(part, declared);
      },
    };
  }

  /** Removes declarations that were wrong, unless their parts have been made. */
  retract(declarations: readonly Declaration[]): void {
    for (const declaration of declarations) {
      const { kind, name, declaredBy } = declaration;
      const entry = this.entryOf(declaration);
      if (entry?.declared !== declaration || entry.part !== undefined) continue;
      this.kinds.get(kind)!.delete(name ?? declaredBy);
    }
  }

  /** The part of that name, if it has been made. */
  find<T extends object>(kind: string, name: string): T | undefined {
    return this.entry(kind, name)?.part as T | undefined;
  }

  /** The parts of a kind that have been made, in the order in which they were declared. */
  *ofKind<T extends object>(kind: string): IterableIterator<T> {
    for (const { part } of this.kinds.get(kind)?.values() ?? []) {
      if (part !== undefined) yield part as T;
    }
  }

  private watched(kind: string, part: object): object {
    if (part instanceof PartsByKey) {
      part.onGone = (gone: object) => {
        for (const listener of this.goneListeners.get(kind) ?? []) listener(gone);
      };
    }
    return part;
  }

  private entry(kind: string, name: string): Entry | undefined {
    return this.kinds.get(kind)?.get(name);
  }

  private entryOf({ kind, name, declaredBy }: Declaration): Entry | undefined {
    return this.entry(kind, name ?? declaredBy);
  }

  private add(declared: Declaration): void {
    const { kind, name, declaredBy } = declared;
    let entries = this.kinds.get(kind);
    if (entries === undefined) this.kinds.set(kind, (entries = new Map<string, Entry>()));
    entries.set(name ?? declaredBy, { declared, part: undefined });
  }
}

/** Whether its name in the store may be that of another part too: key `b` of `a` is called `a[b]`. */
function isAmbiguousInStore({ name, declaredBy, reference, off, options }: Declaration): boolean {
  const { scope = 'local' } = options as { readonly scope?: unknown };
  return !reference && !off && scope !== 'local' && (name ?? declaredBy).includes('[');
}

/** Whether its name would be that of a class that `mixin()` of Nest has named by chance: 21 hexadecimal digits. */
function isNamedAtRandom({ name, off, owner }: Declaration): boolean {
  return name === undefined && !off && typeof owner === 'function' && RANDOM.test(owner.name);
}

const RANDOM = /^[0-9a-f]{21}$/;

/** The declaration that defines a part, if the other one is of a policy that is switched off. */
function weight({ reference, off = false }: Declaration): number {
  if (reference) return 0;
  return off ? 1 : 2;
}

/** Whether two subjects' own parts, or an own part and one of a pipeline, have the same name by accident. */
function sharedByChance(one: Declaration, other: Declaration): boolean {
  if (one.name === undefined && other.name === undefined) {
    return one.owner !== other.owner || !sameMethod(one, other);
  }
  return (
    (one.implied && other.name === undefined) || (other.implied && one.name === undefined) || false
  );
}

/** The advice when two subjects want different options for one part: operators cannot change the code. */
function remedy(one: Declaration, other: Declaration): string {
  const { kind, name = other.declaredBy } = other;
  const origins = differing(one.options, other.options).flatMap((option) => [
    one.overridden?.get(option) ?? [],
    other.overridden?.get(option) ?? [],
  ]);
  const [origin] = origins.flat();
  if (origin === undefined) return 'use the same ones, or put them into forRoot({ configs })';
  const right = origin.startsWith('configure(')
    ? `configure(${show(name)}, { ${kind}: … })`
    : `overrides[${show(name)}].${kind}`;
  return `for all its users, use its name: ${right}`;
}

function sameMethod({ method: one }: Declaration, { method: other }: Declaration): boolean {
  return one?.target === other?.target && one?.key === other?.key;
}

function calledOf({ owner, declaredBy }: Declaration, { owner: others }: Declaration): string {
  return typeof owner === 'function' && owner !== others ? owner.name : declaredBy;
}

/** The subject of the earlier declaration, for messages. */
function other({ owner, where }: Declaration, declaration: Declaration): string {
  if (owner === declaration.owner) return 'another method of the class';
  const classes = typeof owner === 'function' && typeof declaration.owner === 'function';
  return classes ? 'another class' : `what stands at ${where}`;
}

/** The options in which two objects differ, with both values. */
export function difference(one: object, other: object): string {
  return differing(one, other)
    .map((name) => `${name} is ${show(at(one, name))} there and ${show(at(other, name))} here`)
    .join(', ');
}

function differing(one: object, other: object): string[] {
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...names].filter((name) => !isDeepStrictEqual(at(one, name), at(other, name)));
}

function at(options: object, name: string): unknown {
  return (options as Record<string, unknown>)[name];
}
