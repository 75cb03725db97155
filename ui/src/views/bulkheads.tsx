import { joined, shareOf, useSearch } from '../search.js';
import { drawnOnce } from '../parts/drawn-once.js';
import { SearchBar, searched } from '../parts/search-bar.js';
import { count, plural } from '../format.js';
import type { Bulkhead } from '../model.js';
import { href } from '../router.js';
import { bulkheads, totals } from '../store.js';

/** All bulkheads, the fullest first. */
export function Bulkheads() {
  const text = searched();
  const total = totals.value.bulkheads;
  const told = bulkheads.value.length;
  const beyond = useSearch('bulkheads', text, { told, total }, (each) => each);
  const found = joined(bulkheads.value, beyond).filter(({ name }) =>
    name.toLowerCase().includes(text.toLowerCase()),
  );
  const rows = found.sort(
    (a, b) => b.waiting - a.waiting || b.running / b.maxConcurrent - a.running / a.maxConcurrent,
  );
  return (
    <>
      <h2 class="summary">Bulkheads</h2>
      <SearchBar />
      <p class="quiet" role="status">
        {shareOf(rows.length, total, (amount) => plural(amount, 'bulkhead'))}
      </p>
      <div class="scroll">
        <table class="list">
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">In use</th>
              <th scope="col" class="number">
                Waiting
              </th>
              <th scope="col" class="number">
                Rejected since the start
              </th>
            </tr>
          </thead>
          <tbody>{rows.map(drawn)}</tbody>
        </table>
      </div>
    </>
  );
}

const drawn = drawnOnce((bulkhead: Bulkhead) => <Row key={bulkhead.name} {...bulkhead} />);

function Row({ name, running, maxConcurrent, waiting, maxQueue, rejected }: Bulkhead) {
  return (
    <tr class={running >= maxConcurrent ? 'warn' : ''}>
      <th scope="row">
        <a href={href('bulkheads', undefined, { q: name })}>{name}</a>
      </th>
      <td class="gauge">
        <meter value={running} max={maxConcurrent} aria-label={`Places of ${name} in use`} />{' '}
        {running} of {maxConcurrent}
      </td>
      <td class="number" data-label="Waiting">
        {waiting} of {maxQueue}
      </td>
      <td class="number" data-label="Rejected">
        {count(rejected)}
      </td>
    </tr>
  );
}
