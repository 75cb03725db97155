import type { OptionsReader } from '../../common/options-reader.js';
import { show } from '../../common/printable.js';
import { isClass } from '../../common/outcomes/error-matcher.js';
import { isInstance } from '../../common/outcomes/look.js';
import type { Call } from '../../pipeline/call.js';
import { type KeyOfCall, readKey } from '../key.js';
import type { Instances, PolicySite, ProtectedMethod } from '../policy.js';
import { type Answer, NO_ANSWER } from './answer.js';
import { NoKeyError, keyOfArguments } from './argument-key.js';
import { type Holder, cacheKey } from './cache-key.js';
import { lossesOf } from './kept-result.js';
import { unkeyedParameters } from './parameter-types.js';
import { type CacheLike, StaleCache } from './stale-cache.js';
import type { StaleIfErrorOptions } from './stale-if-error.js';

/** The token of `@nestjs/cache-manager`, not imported because the package need not be installed. */
const CACHE_MANAGER = 'CACHE_MANAGER';

type Revive = (plain: unknown) => unknown;

/** Checks the options of `staleIfError` and makes its {@link Answer}. */
export function staleAnswer(
  options: StaleIfErrorOptions,
  read: OptionsReader<object>,
  site: PolicySite,
): Answer {
  const given = read.inside<StaleIfErrorOptions>('staleIfError', options);
  const ttl = given.duration('ttl', { above: 0 }) ?? 0;
  if (given.raw('ttl') === undefined) given.wrong('ttl', undefined, `a duration such as '10m'`);
  const own = readKey(given, site);
  if (given.raw('key') === undefined) checkNeedForKey(given, site);
  const revive = readRevive(given);
  const readTimeout = given.duration('readTimeout', { above: 0 }) ?? 250;
  const writeTimeout = given.duration('writeTimeout', { above: 0 }) ?? 1_000;
  given.done();

  const cacheOf = (): CacheLike | undefined => site.resolve(CACHE_MANAGER) as CacheLike | undefined;
  if (cacheOf() === undefined) {
    read.contradiction(
      `staleIfError needs a cache; import CacheModule of @nestjs/cache-manager in a module of the application`,
    );
  }
  return new StaleAnswer(site, own, revive, cacheOf, { ttl, readTimeout, writeTimeout });
}

function readRevive(given: OptionsReader<StaleIfErrorOptions>): Revive | undefined {
  const revive = given.synchronous('revive') as Revive | undefined;
  if (revive === undefined || !isClass(revive)) return revive;
  return given.wrong(
    'revive',
    revive,
    'a function, such as (plain) => plainToInstance(Book, plain)',
  );
}

/** Reports a missing `key` where the arguments do not identify the owner of a result. */
function checkNeedForKey(given: OptionsReader<StaleIfErrorOptions>, site: PolicySite): void {
  const { method, anyWork, instances } = site;
  if (method?.handler) {
    given.contradiction(
      `staleIfError on a handler needs a key function, such as { key: (request) => request.url }, so that no user gets another user's data`,
    );
  } else if (anyWork) {
    given.contradiction(
      'staleIfError in a pipeline needs a key function, since the arguments do not identify the code that a result comes from',
    );
  } else if (instances?.many !== undefined) {
    const [other, key] =
      method === undefined
        ? ['definition', '{ key: (...args) => … }']
        : [
            'instance',
            `{ key: function (this: ${method.owner.name}, …args) { … } } or the name of a method`,
          ];
    given.contradiction(
      `staleIfError needs a key: ${instances.many}. Without one, a caller could get another ${other}'s data. Give ${key}`,
    );
  }
  if (method !== undefined && !method.handler) warnOfParameters(method, site);
}

function warnOfParameters(method: ProtectedMethod, site: PolicySite): void {
  for (const { index, type } of unkeyedParameters(method)) {
    site.warn(
      `${site.name}: parameter ${index + 1} is a ${type}, which staleIfError cannot turn into a key, so these results are not kept; pass a \`key\` option`,
    );
  }
}

/** Answers with the last good result for the key of the call, from the cache. */
class StaleAnswer implements Answer {
  readonly label = 'staleIfError';
  readonly storesResults = true;
  readonly needsKey: boolean;
  private readonly cache: StaleCache;
  private readonly holder: Holder;
  /** Read only once, since it remembers its findings. */
  private readonly instances: Instances | undefined;

  constructor(
    private readonly site: PolicySite,
    private readonly ownKey: KeyOfCall | undefined,
    revive: Revive | undefined,
    cacheOf: () => CacheLike | undefined,
    times: { readonly ttl: number; readonly readTimeout: number; readonly writeTimeout: number },
  ) {
    this.needsKey = ownKey === undefined;
    this.holder = holderOf(site);
    this.instances = site.instances;
    const onError = (operation: 'read' | 'write', error: unknown): void =>
      this.reportError(operation, error);
    const accepts = revive === undefined ? (value: unknown) => this.accepts(value) : undefined;
    this.cache = new StaleCache(cacheOf, { ...times, accepts, revive }, site.clock, onError);
  }

  async answer(call: Call): Promise<unknown> {
    const key = this.keyOf(call, 'read');
    const found = key === undefined ? undefined : await this.cache.find(key, call);
    if (found === undefined) return NO_ANSWER;
    call.ageMs = found.ageMs;
    return found.value;
  }

  store(call: Call): void {
    const key = this.keyOf(call, 'write');
    if (key !== undefined) this.cache.store(key, call.value);
  }

  /** `undefined` when the owner of the requested data is unknown: then nothing is kept, and there is no answer. */
  private keyOf(call: Call, operation: 'read' | 'write'): string | undefined {
    const { site, ownKey } = this;
    try {
      if (ownKey !== undefined) return cacheKey(this.holder, site.name, { own: ownKey(call) });
      if (this.instances?.isOnly(call.self) === false) {
        site.warn(
          `${site.name}: staleIfError keeps nothing, because there are several instances and a result may belong to another one; pass a \`key\` option`,
        );
        return undefined;
      }
      return cacheKey(this.holder, site.name, { args: keyOfArguments(call.args) });
    } catch (error) {
      this.reportError(operation, error);
      return undefined;
    }
  }

  /** Without `revive`: rejects results that JSON would lose parts of, and warns about those that it would change. */
  private accepts(value: unknown): boolean {
    const { site } = this;
    const { lost, changed } = lossesOf(value);
    if (lost !== undefined) {
      site.warn(
        `${site.name}: staleIfError does not keep results with ${lost}, which would come back as plain JSON, with data that its class may hide; give it { revive: (plain) => … }`,
      );
    } else if (changed !== undefined) {
      site.warn(
        `${site.name}: staleIfError keeps results as JSON, in which ${changed} comes back as something else; give it { revive: (plain) => … } where that matters`,
      );
    }
    return lost === undefined;
  }

  private reportError(operation: 'read' | 'write', error: unknown): void {
    const { site } = this;
    const { name, events } = site;
    if (events.active('cache-error')) events.emit({ type: 'cache-error', name, operation, error });
    const noKey = isInstance(error, NoKeyError);
    site.warn(
      noKey
        ? `${name}: staleIfError keeps nothing for calls whose arguments contain ${(error as NoKeyError).part}, which cannot be part of a key; pass a \`key\` option`
        : `${name}: the cache behind staleIfError failed to ${operation}: ${show(error)}`,
    );
  }
}

function holderOf({ method, anyWork }: PolicySite): Holder {
  if (method === undefined) return anyWork ? 'pipeline' : 'command';
  return typeof method.target === 'function' ? 'static' : 'method';
}
