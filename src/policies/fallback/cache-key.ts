import { createHash } from 'node:crypto';

/** Whose results are kept: methods, static methods, commands and pipelines may be called alike. */
export type Holder = 'method' | 'static' | 'command' | 'pipeline';

/** Caches limit keys (memcached to 250 bytes), and memory is dear: a longer part is told by its hash. */
const MAX_PART = 120;

/**
 * The key in the cache. No two of (holder, name, key) make the same: only the last part may have a `:` in it, names of
 * methods have a dot, and only keys that are made of arguments begin with a bracket.
 *
 * @param key `args`: made of the arguments; `own`: given by the user's function
 */
export function cacheKey(
  holder: Holder,
  name: string,
  key: { readonly args: string } | { readonly own: string },
): string {
  const last =
    'args' in key ? `[${part(key.args, /[^!-~]|[#%]/g)}]` : part(key.own, /[^!-~]|[#%]|^\[/g);
  const first = holder === 'method' ? '' : `${holder}:`;
  return `nest-resilience:${first}${part(name, /[^!-~]|[#%:]/g)}:${last}`;
}

/**
 * Readable, printable ASCII, and of bounded length. Code units are escaped one by one: in UTF-8 all lone surrogates
 * would become the same.
 */
function part(text: string, escaped: RegExp): string {
  if (text.length > MAX_PART) return hash(text);
  const short = text.replace(
    escaped,
    (unit) => `%${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return short.length > MAX_PART ? hash(text) : short;
}

/** Nobody can find two texts of the same SHA-256, so it tells them apart as well as they do themselves. */
function hash(text: string): string {
  return `#${createHash('sha256').update(text, 'utf16le').digest('base64url')}`;
}
