import { places } from '../store.js';

/** A name: a link, if there is something of that name to be looked at. */
export function Name({ name }: { readonly name: string }) {
  const place = places.value.get(name);
  return place === undefined ? <>{name}</> : <a href={place}>{name}</a>;
}
