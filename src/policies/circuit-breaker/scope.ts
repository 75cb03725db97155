import type { Duration } from '../../common/duration.js';
import { isPlainObject } from '../../common/objects.js';
import type { OptionsReader } from '../../common/options-reader.js';
import type { QuorumRule } from '../../fleet/store.js';
import type { CircuitBreakerOptions } from './options.js';

/** How many instances have to agree that a dependency is down, relative to their number. */
export interface QuorumOptions {
  /** The share of the living instances, above 0 to 1. */
  readonly share: number;
  /** The least number of votes, however few instances there are. Default 2. */
  readonly minVotes?: number;
  /** How long a vote counts. Default 30 s. */
  readonly within?: Duration;
}

/** A circuit that opens for all when several instances have opened theirs. */
export interface QuorumScope {
  /** The number of instances, or their share. */
  readonly quorum: number | QuorumOptions;
}

/** Who decides the state of a breaker: the instance alone, or the fleet. */
export type BreakerScope = 'local' | 'shared' | QuorumScope;

/** How a breaker shares its state with the fleet. */
export interface Sharing {
  /** `undefined`: the first trip opens it for all. */
  readonly quorum: QuorumRule | undefined;
}

const VOTE_MS = 30_000;

const FORMS = `'local', 'shared', { quorum: 3 } or { quorum: { share: 0.5 } }`;

/** @param hasStore whether the application has a store */
export function readScope(
  read: OptionsReader<CircuitBreakerOptions>,
  hasStore: boolean,
): Sharing | undefined {
  const scope: unknown = read.raw('scope');
  if (scope === undefined || scope === 'local') return undefined;
  if (scope !== 'shared' && !isPlainObject(scope)) return read.wrong('scope', scope, FORMS);
  const sharing = { quorum: scope === 'shared' ? undefined : readQuorum(read, scope) };
  if (!hasStore) {
    read.contradiction(
      'a scope beyond this instance needs a store that instances share; give one: ResilienceModule.forRoot({ store })',
    );
  }
  return sharing;
}

/** The scope in the words of the options. */
export function scopeOf(sharing: Sharing | undefined): unknown {
  if (sharing === undefined) return 'local';
  if (sharing.quorum === undefined) return 'shared';
  const { share, minVotes, voteMs } = sharing.quorum;
  return { quorum: share === 0 ? minVotes : { share, minVotes, within: voteMs } };
}

function readQuorum(
  read: OptionsReader<CircuitBreakerOptions>,
  scope: Record<string, unknown>,
): QuorumRule {
  const inside = read.inside<QuorumScope>('scope', scope as unknown as QuorumScope);
  const quorum: unknown = inside.raw('quorum');
  let rule: QuorumRule = { minVotes: 1, share: 0, voteMs: VOTE_MS };
  if (quorum === undefined) {
    read.wrong('scope', scope, FORMS);
  } else if (isPlainObject(quorum)) {
    const own = inside.nested<QuorumOptions>('quorum');
    const share = own.number('share', { above: 0, max: 1 });
    if (own.raw('share') === undefined)
      own.wrong('share', undefined, 'a number above 0 and at most 1');
    rule = {
      share: share ?? 1,
      minVotes: own.integer('minVotes', { min: 1 }) ?? 2,
      voteMs: own.duration('within', { above: 0 }) ?? VOTE_MS,
    };
    own.done();
  } else {
    rule = { ...rule, minVotes: inside.integer('quorum', { min: 1 }) ?? 1 };
  }
  inside.done();
  return rule;
}
