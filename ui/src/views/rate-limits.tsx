import { limitRankOf } from '../../../src/admin/views/rank.js';
import { joined, shareOf, useSearch } from '../search.js';
import { drawnOnce } from '../parts/drawn-once.js';
import { SearchBar, searched } from '../parts/search-bar.js';
import { Spark } from '../parts/spark.js';
import { State } from '../parts/state.js';
import { count, duration, plural } from '../format.js';
import type { History, RateLimit } from '../model.js';
import { href } from '../router.js';
import { rateLimits, reader, totals } from '../store.js';

/** All rate limits: those that reject many calls first, then the most used up. */
export function RateLimits() {
  const text = searched();
  const total = totals.value.rateLimits;
  const told = rateLimits.value.length;
  const beyond = useSearch('rate-limits', text, { told, total }, (each) => reader.showLimit(each));
  const found = joined(rateLimits.value, beyond)
    .filter(({ name }) => name.toLowerCase().includes(text.toLowerCase()))
    .sort((a, b) => limitRankOf(a) - limitRankOf(b) || (a.name < b.name ? -1 : 1));
  return (
    <>
      <h2 class="summary">Rate limits</h2>
      <SearchBar />
      <p class="quiet" role="status">
        {shareOf(found.length, total, (amount) => plural(amount, 'rate limit'))}
      </p>
      <div class="scroll">
        <table class="list">
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">Limit</th>
              <th scope="col">Left</th>
              <th scope="col" class="number">
                Waiting
              </th>
              <th scope="col" class="number">
                Rejected in a minute
              </th>
              <th scope="col" class="number">
                Since the start
              </th>
              <th scope="col">15 minutes</th>
            </tr>
          </thead>
          <tbody>{found.map(drawn)}</tbody>
        </table>
      </div>
    </>
  );
}

const drawn = drawnOnce((limit: RateLimit) => <Row key={limit.name} {...limit} />);

function Row({ name, group, scope, limit, perMs, burst, ...numbers }: RateLimit) {
  const { remaining, waiting, admitted, rejected, recent, health, history } = numbers;
  return (
    <tr class={health === undefined ? '' : health.level}>
      <th scope="row">
        <a href={href('rate-limits', undefined, { q: name })}>{name}</a>
      </th>
      <td class="wide">
        {count(limit)} in {duration(perMs)}, {count(burst)} at once
        <span class="quiet">
          {' '}
          {scope === 'shared' ? 'by all instances' : 'by this instance'}
          {group !== undefined && ', per key'}
        </span>
      </td>
      <td class="gauge">
        <meter value={remaining} max={burst} aria-label={`Calls of ${name} that are left`} />{' '}
        {count(remaining)} of {count(burst)}
      </td>
      <td class="number" data-label="Waiting">
        {count(waiting)}
      </td>
      <td class="number wide" data-label="Rejected in a minute">
        {health !== undefined && <State health={health} />}{' '}
        {recent === undefined ? 'not recorded' : rejectedOf(recent)}
      </td>
      <td class="number wide" data-label="Rejected since the start">
        {rejectedOf({ admitted, rejected })}
      </td>
      <td class="wide">
        <Spark {...curves(history)} label={`Calls of ${name} in the last 15 minutes`} />
      </td>
    </tr>
  );
}

function rejectedOf({ admitted, rejected }: Pick<RateLimit, 'admitted' | 'rejected'>): string {
  return `${count(rejected)} of ${count(admitted + rejected)}`;
}

/** All calls that reached the limit's decision, and the share of them that it rejected. */
function curves(
  history: History | undefined,
): Pick<Parameters<typeof Spark>[0], 'values' | 'shares'> {
  const { requests = [], rejected = [] } = history ?? {};
  const values = requests.map((allowed, at) =>
    allowed === null ? null : allowed + (rejected[at] ?? 0),
  );
  const shares = rejected.map((each, at) => (each === null ? null : each / (values[at] || 1)));
  return { values, shares };
}
