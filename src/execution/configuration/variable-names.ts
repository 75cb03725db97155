/** The target `'*'` in the name of a variable. */
const ALL = 'ALL';

/**
 * A name without case, underscores and other signs: `getBooks`, `get_books` and `GET_BOOKS` are the same. In upper case, as
 * variables are: `größe` and `GRÖSSE` would differ in lower case.
 */
export function plain(name: string): string {
  return name
    .normalize()
    .replace(/[^\p{L}\p{N}]/gu, '')
    .toUpperCase();
}

/** The segments of a variable's name, between which two underscores stand. */
export function segmentsOf(text: string): string[] {
  return text.split(/__+/).filter((segment) => plain(segment) !== '');
}

/** The usual form of a name in a variable: `STORAGE_CLIENT__GET_BOOKS` for `StorageClient.getBooks`. */
export function variableForm(name: string): string {
  if (name === '*') return ALL;
  return name
    .normalize()
    .split('.')
    .map((part) =>
      part
        .replace(/([\p{Ll}\p{N}])(\p{Lu})/gu, '$1_$2')
        .replace(/(\p{Lu})(\p{Lu}\p{Ll})/gu, '$1_$2')
        .replace(/[^\p{L}\p{N}]+/gu, '_')
        .replace(/^_|_$/g, '')
        .toUpperCase(),
    )
    .join('__');
}

/**
 * Whether the segments of a variable mean a target of `overrides`. Where the target has a dot, the variable has two underscores;
 * it may have more of them, since names may have two underscores themselves.
 */
export function means(segments: readonly string[], target: string): boolean {
  if (target === '*') return segments.length === 1 && plain(segments[0]!) === plain(ALL);
  const given = segments.map(plain);
  const parts = target.split('.').map(plain);
  if (given.join('') !== parts.join('')) return false;
  const ends = endsOf(given);
  return endsOf(parts).every((end) => ends.includes(end));
}

/** The places at which the parts end when they are joined. */
function endsOf(parts: readonly string[]): number[] {
  let end = 0;
  return parts.map((part) => (end += part.length));
}
