import { textOf } from '../describe.js';
import { EventList } from '../parts/event-list.js';
import { SearchBar, searched } from '../parts/search-bar.js';
import { refine, route } from '../router.js';
import { events } from '../store.js';

/** The events, the newest first; filtered by kind and by text. */
export function Timeline() {
  const { query } = route.value;
  const kind = query.get('kind') ?? '';
  const text = searched().toLowerCase();
  const kinds = [...new Set(events.value.map((event) => event.type))].sort();
  const found = events.value
    .filter((event) => kind === '' || event.type === kind)
    .filter((event) => `${event.name} ${textOf(event)}`.toLowerCase().includes(text));
  return (
    <>
      <h2 class="summary">Events</h2>
      <SearchBar>
        <label>
          Kind
          <select value={kind} onChange={(event) => refine({ kind: event.currentTarget.value })}>
            <option value="">All</option>
            {(kind === '' || kinds.includes(kind) ? kinds : [...kinds, kind]).map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
      </SearchBar>
      <div class="card">
        <EventList events={found} named />
      </div>
    </>
  );
}
