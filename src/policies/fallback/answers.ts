import type { Type } from '@nestjs/common';
import { isPlainObject, type OptionsReader, show } from '../../common/options-reader.js';
import { isClass } from '../../common/outcome.js';
import type { Call } from '../../pipeline/call.js';
import type { PolicySite } from '../policy.js';
import {
  type FallbackContext,
  type FallbackFunction,
  type FallbackHandler,
  type FallbackOptions,
  type StaleIfErrorOptions,
  isHandlerClass,
  isStale,
  isValue,
} from './options.js';
import { type CacheLike, StaleCache } from './stale-cache.js';

/** Returned by an answer that has none: the call keeps its error. */
export const NO_ANSWER = Symbol('no answer');

/** One way to answer a failed call. */
export interface Answer {
  /** For events. */
  readonly label: string;
  give(call: Call, context: FallbackContext): unknown;
  /** Whether it keeps results under the method's name. */
  readonly keeps?: boolean;
  /** Told of each good result. */
  learn?(call: Call): void;
}

type Reader = OptionsReader<Pick<FallbackOptions, 'handler'>>;

/** Checks a handler and makes the answer that it stands for; `undefined` when it is none (reported). */
export function readAnswer(handler: unknown, read: Reader, site: PolicySite): Answer | undefined {
  if (typeof handler === 'string') return methodAnswer(handler, read, site);
  if (isHandlerClass(handler)) return classAnswer(handler, read, site);
  if (typeof handler === 'function' && !isClass(handler)) {
    return functionAnswer(handler as FallbackFunction);
  }
  if (typeof handler === 'object' && handler !== null) {
    if (isValue(handler)) return valueAnswer(handler.value);
    if (isStale(handler)) return staleAnswer(handler.options, read, site);
  }
  return read.wrong(
    'handler',
    handler,
    `a method's name, a function, a class with handle(), value(x) or staleIfError({ ttl })`,
  );
}

function methodAnswer(name: string, read: Reader, site: PolicySite): Answer | undefined {
  const { method } = site;
  if (method === undefined) {
    return read.wrong('handler', name, 'a function: only methods have neighbours to name');
  }
  if (typeof (method.target as Record<string, unknown>)[name] !== 'function') {
    return read.wrong('handler', name, `the name of a method of ${method.owner.name}`);
  }
  if (name === method.name) {
    return read.wrong('handler', name, 'another method than the one that it answers for');
  }
  if (leadsTo(method.name, name, site)) {
    return read.wrong(
      'handler',
      name,
      'a method whose own fallback does not lead back to this one',
    );
  }
  return {
    label: name,
    give: (call, context) =>
      call.substitute((self, given) => {
        // The context comes after the parameters of the protected method, given or not.
        const args: unknown[] = Array.from(given);
        while (args.length < method.arity) args.push(undefined);
        return site.callAsFallback(self, name, [...args, context]);
      }),
  };
}

/** Follows the fallbacks that are methods, from `name` on. */
function leadsTo(end: string, name: string, site: PolicySite): boolean {
  const seen = new Set<string>();
  let next: unknown = name;
  while (typeof next === 'string' && !seen.has(next)) {
    if (next === end) return true;
    seen.add(next);
    next = (site.optionsOf(next, 'fallback') as FallbackOptions | undefined)?.handler;
  }
  return false;
}

function valueAnswer(result: unknown): Answer {
  return { label: 'value', give: (call) => call.substitute(() => result) };
}

function functionAnswer(handler: FallbackFunction): Answer {
  return {
    label: handler.name || 'function',
    give: (call, context) =>
      call.substitute((self, args) => handler.call(self, context, ...(args as never[]))),
  };
}

function classAnswer(
  type: Type<FallbackHandler>,
  read: Reader,
  site: PolicySite,
): Answer | undefined {
  const find = (): FallbackHandler | undefined => site.resolve(type) as FallbackHandler | undefined;
  if (find() === undefined) {
    return read.wrong(
      'handler',
      type,
      'a class that a module of the application has as a singleton provider',
    );
  }
  return {
    label: type.name,
    give: (call, context) =>
      call.substitute((_self, args) => find()!.handle(context, ...(args as never[]))),
  };
}

/** Nest's own token, so that `@nestjs/cache-manager` need not be installed. */
const CACHE_MANAGER = 'CACHE_MANAGER';

function staleAnswer(options: StaleIfErrorOptions, read: Reader, site: PolicySite): Answer {
  const { name, clock, events } = site;
  const given = read.inside<StaleIfErrorOptions>('staleIfError', options);
  const ttl = given.duration('ttl', { above: 0 }) ?? 0;
  if (given.raw('ttl') === undefined) given.wrong('ttl', undefined, `a duration such as '10m'`);
  const keyOf = given.function('key') as ((...args: unknown[]) => string) | undefined;
  if (keyOf === undefined && site.method?.handler) {
    read.contradiction(
      `staleIfError on a handler needs a key function, such as { key: (request) => request.url }, so that no user gets another one's data`,
    );
  }
  if (keyOf === undefined && site.anyWork) {
    read.contradiction(
      'staleIfError in a pipeline needs a key function: the arguments do not tell which code a result is of',
    );
  }
  const readTimeout = given.duration('readTimeout', { above: 0 }) ?? 250;
  const writeTimeout = given.duration('writeTimeout', { above: 0 }) ?? 1_000;
  given.done();

  const cacheOf = (): CacheLike | undefined => site.resolve(CACHE_MANAGER) as CacheLike | undefined;
  if (cacheOf() === undefined) {
    read.contradiction(
      `staleIfError needs a cache; import CacheModule of @nestjs/cache-manager in a module of the application`,
    );
  }
  const onError = (operation: 'read' | 'write', error: unknown): void => {
    if (events.active) events.emit({ type: 'cache-error', name, operation, error });
    site.warn(`${name}: the cache behind staleIfError failed to ${operation}: ${show(error)}`);
  };
  const cache = new StaleCache(cacheOf, { ttl, readTimeout, writeTimeout }, clock, onError);
  const key = ({ args }: Call): string => {
    const own: unknown = keyOf === undefined ? keyOfArguments(args) : keyOf(...args);
    // `undefined` for a user that is not known would give all of them one result.
    if (typeof own !== 'string') throw new TypeError(`the key is ${show(own)}, not a string`);
    return `nest-resilience:${name}:${own}`;
  };
  return {
    label: 'staleIfError',
    keeps: true,
    async give(call) {
      const known = attempt(() => key(call), 'read');
      const found = known === undefined ? undefined : await cache.find(known, call);
      if (found === undefined) return NO_ANSWER;
      call.ageMs = found.ageMs;
      return found.value;
    },
    learn(call) {
      const known = attempt(() => key(call), 'write');
      if (known !== undefined) cache.store(known, call.value);
    },
  };

  /** A key function that throws, or arguments that are no JSON, are a fault of the cache: the call goes on. */
  function attempt(make: () => string, operation: 'read' | 'write'): string | undefined {
    try {
      return make();
    } catch (error) {
      onError(operation, error);
      return undefined;
    }
  }
}

/** Calls with the same arguments share a result; a signal among them is no part of the question. */
function keyOfArguments(args: readonly unknown[]): string {
  const asked = args.filter((arg) => !(arg instanceof AbortSignal));
  return JSON.stringify(asked, (_key, part: unknown) => {
    // JSON would make all of them the same.
    if (part === undefined || (typeof part === 'number' && !Number.isFinite(part))) {
      return { [UNLIKE_JSON]: String(part) };
    }
    if (!tellsItself(part)) {
      throw new TypeError(`arguments with ${show(part)} make no key; give a key function`);
    }
    return part;
  });
}

const UNLIKE_JSON = '$nest-resilience';

/** Whether JSON shows what a value is: not that of a function, a symbol, or an object with its content inside. */
function tellsItself(part: unknown): boolean {
  if (typeof part === 'function' || typeof part === 'symbol') return false;
  if (typeof part !== 'object' || part === null || Array.isArray(part)) return true;
  return isPlainObject(part) || Object.keys(part).length > 0;
}
