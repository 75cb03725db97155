import { lookForText } from '../look.js';
import type { ErrorKey } from '../table.js';

/** Families of codes that belong to the network as a whole. */
const FAMILIES = ['ERR_SSL_', 'HPE_', 'UND_ERR_SOCKS5'];

/** The code, and the family that it belongs to. */
export function keysOfCode(error: unknown): readonly ErrorKey[] {
  const code = lookForText(error, 'code');
  // undici 8, in Node 26, gives these no code any more.
  if (code === undefined) return lookForText(error, 'name') === 'HTTPParserError' ? ['HPE_…'] : [];
  const family = FAMILIES.find((prefix) => code.startsWith(prefix));
  return family === undefined ? [code] : [code, `${family}…`];
}
