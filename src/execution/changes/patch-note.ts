import { isOptions } from '../../common/objects.js';
import { OptionsReader, type Problems } from '../../common/options-reader.js';
import { legible } from '../../common/legible.js';
import { notOptions } from '../../common/printable.js';
import type { PatchNote } from '../module-options.js';

/**
 * Checks the note of a change, and returns its valid part as plain data; the rest is reported.
 *
 * @param hasStore whether other instances can receive the change
 */
export function readNote(
  given: unknown,
  hasStore: boolean,
  where: string,
  problems: Problems,
): PatchNote {
  const legibleNote = legible(given);
  if (!isOptions(legibleNote)) {
    const right = '{ by, reason, scope, until }';
    problems.add(where, notOptions(legibleNote, { what: 'the note is', right }));
    return {};
  }
  const read = new OptionsReader<PatchNote>(legibleNote, where, problems);
  const by = read.note('by');
  const reason = read.note('reason');
  const scope: unknown = read.raw('scope');
  const until = read.raw('until');
  read.done();
  if (scope !== undefined && scope !== 'local' && scope !== 'shared') {
    read.wrong('scope', scope, `'local' or 'shared'`);
  } else if (scope !== 'shared' && until !== undefined) {
    read.contradiction(`until is only for a change with scope: 'shared'`);
  } else if (scope === 'shared' && !hasStore) {
    read.contradiction(
      `scope is 'shared', but there is no store to reach the other instances; give one: ResilienceModule.forRoot({ store })`,
    );
  }
  return {
    ...(by !== undefined && { by }),
    ...(reason !== undefined && { reason }),
    ...(until !== undefined && { until }),
    ...(scope === 'shared' && { scope }),
  };
}
