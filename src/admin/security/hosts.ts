import { isIP } from 'node:net';

/** The host that a request is addressed to, and the origin of the page that makes it. */
export interface Address {
  /** Host and port, as in the `Host` header. */
  readonly host: string | undefined;
  readonly origin: string | undefined;
}

/** The name of a `Host` header without port, in lower case; `undefined` when it is not valid. */
export function nameOf(host: string | undefined): string | undefined {
  if (host === undefined) return undefined;
  const match = /^(\[[0-9a-f:.]+\]|[^\s:/?#@[\]\\]+)(?::\d{1,5})?$/i.exec(host);
  return match?.[1]?.toLowerCase().replace(/\.$/, '');
}

/**
 * Whether the server may be addressed by that name. A page of another site can only reach the server under a name of that site
 * (DNS rebinding), so IP addresses and `localhost` are safe.
 */
export function isAllowedHost(host: string | undefined, allowed: readonly string[]): boolean {
  const name = nameOf(host);
  if (name === undefined) return false;
  const bare = name.startsWith('[') ? name.slice(1, -1) : name;
  if (isIP(bare) !== 0) return true;
  if (name === 'localhost' || name.endsWith('.localhost')) return true;
  return allowed.some((each) => each === '*' || isListed(name, each));
}

/** Whether the page that makes a request is one of this server: it has the same host, or one that is listed. */
export function isOwnOrigin({ host, origin }: Address, allowed: readonly string[]): boolean {
  if (origin === undefined) return true;
  const page = parsed(origin);
  if (page === undefined || !/^https?:$/.test(page.protocol)) return false;
  // With the scheme of the origin, so that its standard port is left out in both.
  const own = parsed(`${page.protocol}//${host}`);
  if (own?.host === page.host) return true;
  // A proxy may have a different name from the server behind it.
  return allowed.some((each) => isListed(page.hostname, each));
}

function isListed(name: string, allowed: string): boolean {
  return allowed.startsWith('.') ? name.endsWith(allowed) : name === allowed;
}

function parsed(url: string): URL | undefined {
  return URL.canParse(url) ? new URL(url) : undefined;
}
