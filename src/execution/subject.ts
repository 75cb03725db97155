import { legibleThroughout } from '../common/legible.js';
import { nameIn } from '../common/printable.js';
import type { Instances, ProtectedMethod } from '../policies/policy.js';
import { isHandler, sendsResponse } from './handlers/handler-kinds.js';
import { type OwnedMethod, policiesOf } from './methods/owned-method.js';
import type { PolicyRecord } from './methods/decorated-method.js';

/** The key under which `@UsePipeline()` records the pipeline that a method uses. */
export const USED_PIPELINE = 'pipeline';

/** Something that policies protect: a decorated method, a command, a pipeline. */
export interface Subject {
  /** The name of the method (`Class.method`), command or pipeline, for events and parts. */
  readonly name: string;
  /** Its title in messages. */
  readonly title: string;
  /** Subjects with the same owner and name share their own parts: the class of a method. */
  readonly owner: object;
  /** Its names in `overrides`; later wins. */
  readonly overrideKeys: readonly string[];
  /** Its own policies by kind. */
  readonly policies: PolicyRecord;
  /** The pipeline of `forRoot({ pipelines })` that it uses. */
  readonly pipeline: string | undefined;
  /** The order of its stages, if it has its own. */
  readonly order: readonly string[] | undefined;
  readonly method: ProtectedMethod | undefined;
  /** The definitions of a command, each with its own functions. */
  readonly instances?: Instances;
  /** Whether different calls may run different code: those of a pipeline used from code. */
  readonly anyWork: boolean;
}

/** The subject of a decorated method of a class. */
export function methodSubject(owned: OwnedMethod): Subject {
  const { decorated, owner } = owned;
  const key = String(decorated.key);
  const name = `${owner.name}.${key}`;
  const target = (decorated.static ? owner : owner.prototype) as Record<string | symbol, Function>;
  const policies = new Map(
    Array.from(policiesOf(owned), ([kind, options]) => [kind, legibleThroughout(options)]),
  );
  const used = policies.get(USED_PIPELINE) as { name: string } | undefined;
  policies.delete(USED_PIPELINE);
  return {
    name,
    title: name,
    owner,
    overrideKeys: [...(used === undefined ? [] : [String(used.name)]), owner.name, name],
    policies,
    pipeline: used && String(used.name),
    order: undefined,
    anyWork: false,
    method: {
      name: key,
      key: decorated.key,
      owner,
      target,
      arity: decorated.arity,
      handler: isHandler(decorated.wrapper ?? target[decorated.key]!),
      sendsResponse: sendsResponse(decorated, owner),
    },
  };
}

/** With strings, even where untyped code gives something else (reported), so that everything else is checked too. */
export function withNames(subject: Subject): Subject {
  const { name, overrideKeys, pipeline } = subject;
  if ([name, ...overrideKeys].every((each) => typeof each === 'string')) return subject;
  return {
    ...subject,
    name: nameIn(name),
    overrideKeys: overrideKeys.map(nameIn),
    pipeline: pipeline === undefined ? undefined : nameIn(pipeline),
  };
}
