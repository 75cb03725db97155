import { joined, shareOf, useSearch } from '../search.js';
import { drawnOnce } from '../parts/drawn-once.js';
import { SearchBar, searched } from '../parts/search-bar.js';
import { Spark } from '../parts/spark.js';
import { State } from '../parts/state.js';
import { Ticking } from '../parts/ticking.js';
import { count, countdown, duration, percent, plural, roughly } from '../format.js';
import type { Dependency, Health, Values } from '../model.js';
import { href, refine, route } from '../router.js';
import { bulkheads, dependencies, fleet, rateLimits, reader, totals } from '../store.js';

const LEVELS: readonly Health['level'][] = ['bad', 'warn', 'info', 'good'];

const latest = (values: Values | undefined): number => values?.at(-1) ?? 0;

/** Ways to sort; each puts first what needs attention first. */
const ORDERS = new Map<string, (a: Dependency, b: Dependency) => number>([
  ['worst', worstFirst],
  ['name', byName],
  ['requests', (a, b) => latest(b.history?.requests) - latest(a.history?.requests) || byName(a, b)],
  ['errors', (a, b) => latest(b.history?.errors) - latest(a.history?.errors) || byName(a, b)],
  ['latency', (a, b) => latest(b.history?.p99) - latest(a.history?.p99) || byName(a, b)],
]);

/** All dependencies, the worst first. */
export function Dependencies() {
  const { query } = route.value;
  const text = searched();
  const order = query.get('sort') ?? 'worst';
  const only = query.get('only') ?? '';
  const total = totals.value.dependencies;
  const told = dependencies.value.length;
  const beyond = useSearch('breakers', text, { told, total }, (each) => reader.show(each));
  const found = joined(dependencies.value, beyond)
    .filter(({ name }) => name.toLowerCase().includes(text.toLowerCase()))
    .filter(({ health }) => only === '' || health.level !== 'good')
    .sort(ORDERS.get(order) ?? worstFirst);
  return (
    <>
      <Summary />
      <SearchBar>
        <label>
          Sort by
          <select value={order} onChange={(event) => refine({ sort: event.currentTarget.value })}>
            <option value="worst">Worst first</option>
            <option value="name">Name</option>
            <option value="requests">Requests</option>
            <option value="errors">Error rate</option>
            <option value="latency">Latency</option>
          </select>
        </label>
        <label>
          Show
          <select value={only} onChange={(event) => refine({ only: event.currentTarget.value })}>
            <option value="">All</option>
            <option value="ill">Those that need attention</option>
          </select>
        </label>
      </SearchBar>
      <p class="quiet" role="status">
        {shareOf(found.length, total, (amount) => plural(amount, 'circuit breaker'))}
      </p>
      {found.length === 0 ? <Nothing /> : <Table rows={found} />}
    </>
  );
}

function Summary() {
  const ill = dependencies.value.filter(({ health }) => health.level === 'bad').length;
  const watched = dependencies.value.filter(({ health }) => health.level === 'warn').length;
  const parts = [
    ill > 0 && `${plural(ill, 'dependency is', 'dependencies are')} down`,
    watched > 0 && `${plural(watched, 'needs', 'need')} attention`,
  ].filter(Boolean);
  const full = bulkheads.value.filter(
    ({ running, maxConcurrent }) => running >= maxConcurrent,
  ).length;
  const limiting = rateLimits.value.filter(({ health }) => health !== undefined).length;
  return (
    <>
      <h2 class="summary">
        {parts.length > 0 ? `${parts.join(', ')}.` : 'No dependency is down.'}
      </h2>
      {fleet.value?.degradedSince !== undefined && (
        <p class="beside">
          <a href={href('fleet')}>The store of the fleet does not answer</a>
        </p>
      )}
      {full > 0 && (
        <p class="beside">
          <a href={href('bulkheads')}>{plural(full, 'bulkhead is', 'bulkheads are')} full</a>
        </p>
      )}
      {limiting > 0 && (
        <p class="beside">
          <a href={href('rate-limits')}>
            {plural(limiting, 'rate limit rejects', 'rate limits reject')} many calls
          </a>
        </p>
      )}
    </>
  );
}

function Nothing() {
  return (
    <p class="card empty">
      {totals.value.dependencies === 0
        ? 'There is no circuit breaker yet: a breaker with a key appears with its first call.'
        : 'No circuit breaker matches.'}
    </p>
  );
}

function Table({ rows }: { readonly rows: readonly Dependency[] }) {
  return (
    <div class="scroll">
      <table class="list">
        <thead>
          <tr>
            <th scope="col">Dependency</th>
            <th scope="col">State</th>
            <th scope="col">Why</th>
            <th scope="col" class="number">
              Requests/s
            </th>
            <th scope="col" class="number">
              Errors
            </th>
            <th scope="col" class="number">
              p99
            </th>
            <th scope="col">15 minutes</th>
          </tr>
        </thead>
        <tbody>{rows.map(drawn)}</tbody>
      </table>
    </div>
  );
}

const drawn = drawnOnce((row: Dependency) => <Row key={row.name} {...row} />);

function Row({ name, scope, health, troubleSince, why, probeAt, history }: Dependency) {
  // Of 500 rows most are well: they need not tick each second.
  const lasting = health.level === 'good' ? roughly : duration;
  return (
    <tr class={health.level}>
      <th scope="row">
        <a href={href('dependencies', name)}>{name}</a>
        {scope !== 'local' && <span class="tag">{scope}</span>}
      </th>
      <td>
        <State health={health} />
      </td>
      <td class="why">
        {why}
        {troubleSince !== undefined && (
          <span class="quiet">
            {' '}
            for <Ticking key={troubleSince} text={(at) => lasting(at - troubleSince)} />
          </span>
        )}
        {probeAt !== undefined && (
          <span class="quiet">
            {', next probe '}
            <Ticking
              key={probeAt}
              text={(at) => (probeAt > at ? `in ${countdown(probeAt - at)}` : 'with the next call')}
            />
          </span>
        )}
      </td>
      <td class="number" data-label="Requests/s">
        {count(latest(history?.requests))}
      </td>
      <td class="number" data-label="Errors">
        {percent(latest(history?.errors))}
      </td>
      <td class="number" data-label="p99">
        {history ? duration(latest(history.p99)) : '–'}
      </td>
      <td class="wide">
        <Spark
          values={history?.requests ?? []}
          shares={history?.errors ?? []}
          label={`Requests of ${name}: ${count(latest(history?.requests))} a second`}
        />
      </td>
    </tr>
  );
}

function worstFirst(a: Dependency, b: Dependency): number {
  return (
    LEVELS.indexOf(a.health.level) - LEVELS.indexOf(b.health.level) ||
    latest(b.history?.errors) - latest(a.history?.errors) ||
    byName(a, b)
  );
}

function byName(a: Dependency, b: Dependency): number {
  return a.name < b.name ? -1 : 1;
}
