import type { OptionsReader } from '../common/options-reader.js';
import type { Shape } from '../common/shape.js';
import type { PolicySite } from './policy.js';

/** Whether the calls of this process are counted together, or those of all instances of the application. */
export type Scope = 'local' | 'shared';

export const SCOPE: Shape = { is: 'word', words: ['local', 'shared'] };

/** Reads and checks `scope`. @param what what is shared, for messages */
export function readScope(
  read: OptionsReader<{ readonly scope?: Scope }>,
  { fleet }: Pick<PolicySite, 'fleet'>,
  what: string,
): Scope {
  const scope: unknown = read.raw('scope');
  if (scope === undefined || scope === 'local') return 'local';
  if (scope !== 'shared') return read.wrong('scope', scope, `'local' or 'shared'`) ?? 'local';
  if (fleet === undefined) {
    read.contradiction(
      `scope is 'shared', but there is no store to share the ${what}; give one: ResilienceModule.forRoot({ store })`,
    );
  }
  return 'shared';
}
