import { computed, signal } from '@preact/signals';

/*
 * Addresses are in the fragment: the server needs to know one path only, whatever its prefix, and each thing
 * has an address that can be shared.
 */

const fragment = signal(location.hash);
addEventListener('hashchange', () => (fragment.value = location.hash));

/** The view, the name of a thing in it, and what filters it. */
export interface Route {
  readonly view: string;
  readonly name: string | undefined;
  readonly query: URLSearchParams;
}

/** The current address. */
export const route = computed<Route>(() => parse(fragment.value));

/** The address of a view, or of a thing in it. */
export function href(view: string, name?: string, query: Record<string, string> = {}): string {
  const search = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== ''));
  const path = name === undefined ? view : `${view}/${encoded(name)}`;
  return `#/${path}${search.size > 0 ? `?${search}` : ''}`;
}

/** Changes a filter of the current view; the address follows without a new entry in the history. */
export function refine(changes: Record<string, string>): void {
  const { view, name, query } = route.value;
  const next = href(view, name, { ...Object.fromEntries(query), ...changes });
  history.replaceState(null, '', next);
  fragment.value = next;
}

function parse(hash: string): Route {
  const [path = '', search = ''] = hash.replace(/^#\/?/, '').split('?');
  const [view = '', ...rest] = path.split('/');
  return {
    view: view || 'dependencies',
    name: rest.length > 0 ? decoded(rest.join('/')) : undefined,
    query: new URLSearchParams(search),
  };
}

/** A name as a part of an address, which cannot contain half a character; keys may come from anywhere. */
export function encoded(name: string): string {
  return encodeURIComponent(name.toWellFormed());
}

/** Whether an address with that name means the thing. */
export function isNamed(thing: { readonly name: string }, name: string): boolean {
  return thing.name.toWellFormed() === name;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
