import { createHash } from 'node:crypto';

/** The kind of subject whose results are kept: a method, static method, command and pipeline may have the same name. */
export type Holder = 'method' | 'static' | 'command' | 'pipeline';

/** Caches limit the length of keys (memcached to 250 bytes), and long keys cost memory: a longer part is hashed. */
const MAX_PART = 120;

/**
 * The key in the cache, different for any two of (holder, name, key): only the last part may contain a `:`, names of
 * methods have a dot, and only keys made of arguments begin with a bracket.
 *
 * @param key `args`: made of the arguments; `own`: returned by the user's function
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
 * Readable and printable ASCII of limited length. Code units are escaped one by one, since UTF-8 would make all lone
 * surrogates equal.
 */
function part(text: string, escaped: RegExp): string {
  if (text.length > MAX_PART) return hash(text);
  const short = text.replace(
    escaped,
    (unit) => `%${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return short.length > MAX_PART ? hash(text) : short;
}

/** Collisions of SHA-256 are infeasible to find, so the hash is as good as the text. */
function hash(text: string): string {
  return `#${createHash('sha256').update(text, 'utf16le').digest('base64url')}`;
}
