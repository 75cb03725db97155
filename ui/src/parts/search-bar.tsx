import type { ComponentChildren } from 'preact';
import { refine, route } from '../router.js';

/** The text that is searched for: part of the address, so that a search can be shared. */
export function searched(): string {
  return route.value.query.get('q') ?? '';
}

/** Searches the view by text; further filters are beside it. */
export function SearchBar({ children }: { readonly children?: ComponentChildren }) {
  return (
    <div class="bar" role="search">
      <label>
        Search
        <input
          type="search"
          value={searched()}
          onInput={(event) => refine({ q: event.currentTarget.value })}
        />
      </label>
      {children}
    </div>
  );
}
