import { places } from '../store.js';

/** A name; a link if the page has something of that name to show. */
export function Name({ name }: { readonly name: string }) {
  const place = places.value.get(name);
  return place === undefined ? <>{name}</> : <a href={place}>{name}</a>;
}
