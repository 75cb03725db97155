import { lookForText } from '../look.js';
import type { ErrorKey } from '../table.js';

/** Prefixes of codes that all mean network errors. */
const FAMILIES = ['ERR_SSL_', 'HPE_', 'UND_ERR_SOCKS5'];

/** The code, and the family that it belongs to. */
export function keysOfCode(error: unknown): readonly ErrorKey[] {
  const code = lookForText(error, 'code');
  // undici 8, in Node 26, no longer gives these errors a code.
  if (code === undefined) return lookForText(error, 'name') === 'HTTPParserError' ? ['HPE_…'] : [];
  const family = FAMILIES.find((prefix) => code.startsWith(prefix));
  return family === undefined ? [code] : [code, `${family}…`];
}
