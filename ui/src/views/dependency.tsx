import { signal } from '@preact/signals';
import { Actions } from '../parts/actions.js';
import { EventList } from '../parts/event-list.js';
import { Plot } from '../parts/plot.js';
import { State } from '../parts/state.js';
import { count, duration, percent, timeOf } from '../format.js';
import type { Dependency as Model, History } from '../model.js';
import { href } from '../router.js';
import { dependency, events, methods, now, theme } from '../store.js';

/** Whether the plots stand still, so that one can look at them. */
const still = signal(false);
let kept: History | undefined;

/** All that is known of one dependency. */
export function Dependency({ name }: { readonly name: string }) {
  const found = dependency(name);
  if (found === undefined) {
    return (
      <div class="card empty">
        <h2>{name}</h2>
        <p>
          There is no circuit breaker of this name now. Its events, if there are any, are listed
          below.
        </p>
        <p>
          <a href={href('dependencies')}>All dependencies</a>
        </p>
        <EventList events={events.value.filter((event) => event.name === name)} />
      </div>
    );
  }
  return (
    <>
      <p>
        <a href={href('dependencies')}>← All dependencies</a>
      </p>
      <div class="title">
        <h2>{name}</h2>
        <State health={found.health} />
        {found.critical && <span class="quiet">critical</span>}
      </div>
      <Actions name={name} overridden={found.override !== undefined} />
      <div class="cards">
        <Now {...found} />
        <Facts {...found} />
        {found.history && <Plots history={found.history} />}
        <Users name={name} />
        <section class="card wide">
          <h3>Events</h3>
          <EventList events={events.value.filter((event) => event.name === name)} />
        </section>
      </div>
    </>
  );
}

function Now({ since, why, override, nextProbe, state }: Model) {
  return (
    <section class="card">
      <h3>Now</h3>
      <dl>
        <dt>State</dt>
        <dd>{state}</dd>
        <dt>Since</dt>
        <dd>
          {timeOf(since, now.value)} ({duration(now.value - since)})
        </dd>
        <dt>Why</dt>
        <dd>{why}</dd>
        {nextProbe !== undefined && (
          <>
            <dt>Next probe</dt>
            <dd>
              {nextProbe > now.value
                ? `in ${duration(nextProbe - now.value)}`
                : 'with the next call'}
            </dd>
          </>
        )}
        {override && (
          <>
            <dt>Override</dt>
            <dd>{override.kind}</dd>
            <dt>By</dt>
            <dd>{override.by ?? 'unknown'}</dd>
            <dt>Reason</dt>
            <dd>{override.reason ?? 'none given'}</dd>
            <dt>Until</dt>
            <dd>
              {override.until === undefined
                ? 'it is cleared'
                : `${timeOf(override.until, now.value)} (in ${duration(override.until - now.value)})`}
            </dd>
          </>
        )}
      </dl>
    </section>
  );
}

function Facts({ facts }: Model) {
  return (
    <section class="card">
      <h3>Window</h3>
      <dl>
        {facts.map(([label, value]) => (
          <>
            <dt>{label}</dt>
            <dd>{value}</dd>
          </>
        ))}
      </dl>
    </section>
  );
}

function Plots({ history }: { readonly history: History }) {
  if (!still.value) kept = history;
  const shown = kept ?? history;
  const { times } = shown;
  const common = { times, theme: theme.value };
  return (
    <section class="card wide">
      <div class="title">
        <h3>The last 15 minutes</h3>
        <span class="spring" />
        <button
          type="button"
          aria-pressed={still.value}
          onClick={() => (still.value = !still.value)}
        >
          {still.value ? 'Go on' : 'Hold still'}
        </button>
      </div>
      <div class="cards">
        <Plot
          {...common}
          title="Calls per second"
          format={count}
          lines={[
            { label: 'requests', colour: 'first', values: shown.requests },
            { label: 'rejected', colour: 'second', values: shown.rejected, dashed: true },
          ]}
        />
        <Plot
          {...common}
          title="Error rate"
          format={percent}
          lines={[{ label: 'errors', colour: 'second', values: shown.errors }]}
        />
        <Plot
          {...common}
          title="Latency"
          format={duration}
          lines={[
            { label: 'p50', colour: 'first', values: shown.p50 },
            { label: 'p95', colour: 'third', values: shown.p95 },
            { label: 'p99', colour: 'second', values: shown.p99, dashed: true },
          ]}
        />
        <Plot
          {...common}
          title="Concurrency"
          format={count}
          lines={[
            { label: 'running', colour: 'first', values: shown.running },
            { label: 'waiting', colour: 'third', values: shown.waiting, dashed: true },
          ]}
        />
        <Plot
          {...common}
          title="Retries and fallbacks per second"
          format={count}
          lines={[
            { label: 'retries', colour: 'first', values: shown.retries },
            { label: 'fallbacks', colour: 'third', values: shown.fallbacks },
            { label: 'stale answers', colour: 'fourth', values: shown.stale, dashed: true },
          ]}
        />
      </div>
    </section>
  );
}

/** The methods and commands behind this breaker. */
function Users({ name }: { readonly name: string }) {
  const users = methods.value.filter(({ breaker }) => breaker === name);
  if (users.length === 0) return null;
  return (
    <section class="card wide">
      <h3>Used by</h3>
      <ul>
        {users.map((user) => (
          <li key={user.name}>
            <a href={href('methods', user.name)}>{user.name}</a>
          </li>
        ))}
      </ul>
    </section>
  );
}
