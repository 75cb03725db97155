import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { useBreaker } from '../search.js';
import { Actions } from '../parts/actions.js';
import { EventList } from '../parts/event-list.js';
import { Plot } from '../parts/plot.js';
import { State } from '../parts/state.js';
import { count, countdown, duration, percent, timeOf } from '../format.js';
import { summed } from '../histories.js';
import { openOn } from './fleet.js';
import type { Dependency as Model, History, Method } from '../model.js';
import { href } from '../router.js';
import { dependency, events, fleet, histories, methods, colours, now, today } from '../store.js';

/** Everything that is known about one dependency. */
export function Dependency({ name }: { readonly name: string }) {
  const told = dependency(name);
  const asked = useBreaker(name, told === undefined);
  const found = told ?? asked;
  if (found === undefined) return <p class="card empty">Looking for {name} …</p>;
  if (found === null) {
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
      <p class="back">
        <a href={href('dependencies')}>← All dependencies</a>
      </p>
      <div class="title">
        <h2>{name}</h2>
        <State health={found.health} />
      </div>
      <Actions
        name={name}
        overridden={found.override !== undefined}
        shared={found.scope !== 'local'}
      />
      <div class="cards">
        <Now {...found} />
        <Facts {...found} />
        {found.scope !== 'local' && <InFleet {...found} />}
        {found.history && <Plots name={name} history={found.history} />}
        <Users name={name} />
        <section class="card wide">
          <h3>Events</h3>
          <EventList events={events.value.filter((event) => event.name === name)} />
        </section>
      </div>
    </>
  );
}

function Now({ since, why, troubleSince, override, probeAt, state, health }: Model) {
  return (
    <section class="card">
      <h3>Now</h3>
      <dl>
        <dt>State</dt>
        <dd>{state}</dd>
        <dt>Since</dt>
        <dd>
          {timeOf(since, today.value)} ({duration(now.value - since)})
        </dd>
        <dt>Why</dt>
        <dd>{why}</dd>
        {health.level !== 'good' && troubleSince !== undefined && (
          <>
            <dt>Trouble since</dt>
            <dd>
              {timeOf(troubleSince, today.value)} ({duration(now.value - troubleSince)})
            </dd>
          </>
        )}
        {probeAt !== undefined && (
          <>
            <dt>Next probe</dt>
            <dd>
              {probeAt > now.value ? `in ${countdown(probeAt - now.value)}` : 'with the next call'}
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
                : `${timeOf(override.until, today.value)} (in ${duration(override.until - now.value)})`}
            </dd>
          </>
        )}
      </dl>
    </section>
  );
}

const SCOPES: Record<Model['scope'], string> = {
  local: 'this instance alone',
  shared: 'all instances: the first trip opens it for all',
  quorum: 'all instances: it opens for all when enough of them have opened theirs',
};

/** Its state on the other instances. */
function InFleet({ name, scope, state, cause }: Model) {
  const sums = fleet.value?.breakers.find((breaker) => breaker.name === name);
  return (
    <section class="card">
      <h3>
        <a href={href('fleet')}>Fleet</a>
      </h3>
      <dl>
        <dt>State of</dt>
        <dd>{SCOPES[scope]}</dd>
        {state === 'open' && cause !== undefined && (
          <>
            <dt>Opened by</dt>
            <dd>{cause.reason === 'fleet' ? 'another instance' : 'this instance'}</dd>
          </>
        )}
        {sums === undefined ? (
          <>
            <dt>Sums</dt>
            <dd>not known</dd>
          </>
        ) : (
          <>
            <dt>Not closed on</dt>
            <dd>{openOn(sums)}</dd>
            <dt>Calls in {duration(fleet.value!.windowMs)}</dt>
            <dd>
              {count(sums.calls)}, {count(sums.failures)} failed, {count(sums.rejections)} rejected
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

/** The plots can be paused, so that one can study them. */
function Plots({ name, history }: { readonly name: string; readonly history: History }) {
  const still = useSignal(false);
  const kept = useRef(history);
  if (!still.value) kept.current = { ...history, ...ofUsers(name) };
  const shown = kept.current;
  const { times } = shown;
  const common = { times, theme: colours.value };
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
          {still.value ? 'Resume' : 'Pause'}
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
          title="Retries per second"
          format={count}
          lines={[{ label: 'retries', colour: 'first', values: shown.retries }]}
        />
        <Plot
          {...common}
          title="Fallbacks per second"
          format={count}
          lines={[
            { label: 'all', colour: 'first', values: shown.fallbacks },
            { label: 'stale answers', colour: 'third', values: shown.stale, dashed: true },
          ]}
        />
      </div>
    </section>
  );
}

/** Methods, commands and pipelines whose calls go through a breaker, or through those of all keys of its name. */
function usersOf(name: string): readonly Method[] {
  const group = dependency(name)?.group ?? name;
  return methods.value.filter(({ policies }) =>
    policies.some(({ kind, part }) => kind === 'circuitBreaker' && part === group),
  );
}

/** Retries and fallbacks happen in methods, outside of their breaker; waiting does in their bulkheads. */
function ofUsers(name: string): Partial<History> {
  const users = usersOf(name);
  const found = users.flatMap((user) => histories.of('method', user.name) ?? []);
  const parts = users.flatMap(({ policies }) =>
    policies.flatMap(({ kind, part }) => (kind === 'bulkhead' && part ? [part] : [])),
  );
  const queues = [...new Set(parts)].flatMap((part) => histories.of('bulkhead', part) ?? []);
  return {
    ...(found.length > 0 && {
      retries: summed(found, 'retries'),
      fallbacks: summed(found, 'fallbacks'),
      stale: summed(found, 'stale'),
    }),
    ...(queues.length > 0 && { waiting: summed(queues, 'waiting') }),
  };
}

/** The methods and commands behind this breaker. */
function Users({ name }: { readonly name: string }) {
  const users = usersOf(name);
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
