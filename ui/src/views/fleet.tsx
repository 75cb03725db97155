import type {
  AdminFleet,
  AdminFleetBreaker,
  AdminFleetChange,
  AdminInstance,
} from '../../../src/admin/contract.js';
import { storeTrouble } from '../../../src/admin/views/troubles.js';
import { patchText } from '../describe.js';
import { drawnOnce } from '../parts/drawn-once.js';
import { Name } from '../parts/name.js';
import { State } from '../parts/state.js';
import { Ticking } from '../parts/ticking.js';
import { count, duration, plural, timeOf } from '../format.js';
import type { Health } from '../model.js';
import { fleet, today } from '../store.js';

/** The instances that share a store, and the combined state of their shared breakers. */
export function Fleet() {
  const found = fleet.value;
  if (found === undefined)
    return <Empty text="This application has no store that instances share." />;
  if (found === null) return <Empty text="Asking the store …" />;
  const instances = found.instances.length + found.moreInstances;
  return (
    <>
      <div class="title">
        <h2>{plural(instances, 'instance')}</h2>
        {found.versions.length > 1 && <State health={MIXED} />}
      </div>
      <Store {...found} />
      <section aria-labelledby="instances">
        <h3 id="instances" class="above">
          Instances
        </h3>
        {found.versions.length > 1 && <p class="quiet">{versionsOf(found)}</p>}
        <Instances {...found} />
      </section>
      <section aria-labelledby="shared">
        <h3 id="shared" class="above">
          Shared breakers, summed over the last {duration(found.windowMs)}
        </h3>
        {found.partial && (
          <p class="quiet">
            There are more breakers than this page is sent, so sums may be too low.
          </p>
        )}
        <Breakers {...found} />
      </section>
      <section aria-labelledby="changes">
        <h3 id="changes" class="above">
          Options changed for all instances
        </h3>
        <Changes {...found} />
      </section>
    </>
  );
}

function Empty({ text }: { readonly text: string }) {
  return (
    <div class="card empty">
      <h2>Fleet</h2>
      <p>{text}</p>
    </div>
  );
}

const MIXED: Health = { level: 'info', word: 'different versions' };

function Store(found: AdminFleet) {
  const { kind, degradedSince } = found;
  if (degradedSince === undefined) {
    return (
      <p>
        They share the store <strong>{kind}</strong>, which answers.
      </p>
    );
  }
  return (
    <div class="notice bad">
      <span role="status">
        <State health={{ level: 'bad', word: `store ${kind} is away` }} />
      </span>{' '}
      since {timeOf(degradedSince, today.value)} (
      <Ticking key={degradedSince} text={(at) => duration(at - degradedSince)} />
      ): {storeTrouble(found)?.why}. The data of other instances is from before.
    </div>
  );
}

function Instances({ instances, moreInstances }: AdminFleet) {
  return (
    <div class="scroll">
      <table class="list">
        <thead>
          <tr>
            <th scope="col">Instance</th>
            <th scope="col">Version</th>
            <th scope="col">Host</th>
            <th scope="col" class="number">
              Runs for
            </th>
            <th scope="col" class="number">
              Circuits not closed
            </th>
          </tr>
        </thead>
        <tbody>
          {instances.map((instance) => (
            <Instance key={instance.id} {...instance} />
          ))}
        </tbody>
      </table>
      {moreInstances > 0 && <p class="more quiet">and {moreInstances} more</p>}
    </div>
  );
}

function Instance({ id, self, version, host, startedAt, open }: AdminInstance) {
  return (
    <tr class={open > 0 ? 'warn' : ''}>
      <th scope="row">
        {id} {self && <span class="tag">this one</span>}
      </th>
      <td>{version ?? 'unknown'}</td>
      <td>{host ?? 'unknown'}</td>
      <td class="number" data-label="Runs for">
        {startedAt === undefined ? (
          'unknown'
        ) : (
          <Ticking key={startedAt} text={(at) => duration(at - startedAt)} />
        )}
      </td>
      <td class="number" data-label="Circuits not closed">
        {open}
      </td>
    </tr>
  );
}

function Breakers({ breakers }: AdminFleet) {
  if (breakers.length === 0) return <p class="card empty">No breaker is shared.</p>;
  return (
    <div class="scroll">
      <table class="list">
        <thead>
          <tr>
            <th scope="col">Breaker</th>
            <th scope="col">Not closed on</th>
            <th scope="col" class="number">
              Calls
            </th>
            <th scope="col" class="number">
              Failures
            </th>
            <th scope="col" class="number">
              Rejected
            </th>
          </tr>
        </thead>
        <tbody>{breakers.map(drawn)}</tbody>
      </table>
    </div>
  );
}

const drawn = drawnOnce((breaker: AdminFleetBreaker) => (
  <Breaker key={breaker.name} {...breaker} />
));

function Breaker(breaker: AdminFleetBreaker) {
  const { name, open, calls, failures, rejections } = breaker;
  return (
    <tr class={open > 0 ? 'warn' : ''}>
      <th scope="row">
        <Name name={name} />
      </th>
      <td class="why">{openOn(breaker)}</td>
      <td class="number" data-label="Calls">
        {count(calls)}
      </td>
      <td class="number" data-label="Failures">
        {count(failures)}
      </td>
      <td class="number" data-label="Rejected">
        {count(rejections)}
      </td>
    </tr>
  );
}

function Changes({ changes }: AdminFleet) {
  if (changes.length === 0) return <p class="card empty">No options are changed for all.</p>;
  return (
    <div class="scroll">
      <table class="list">
        <thead>
          <tr>
            <th scope="col">Target</th>
            <th scope="col">Options</th>
            <th scope="col">By</th>
            <th scope="col">Reason</th>
            <th scope="col" class="number">
              Ends
            </th>
            <th scope="col">On this instance</th>
          </tr>
        </thead>
        <tbody>
          {changes.map((change) => (
            <Change key={change.id} {...change} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Change({ target, patch, by, reason, until, inForce, pending }: AdminFleetChange) {
  return (
    <tr class={inForce ? '' : 'warn'}>
      <th scope="row">
        <Name name={target} />
      </th>
      <td class="why">{patchText(patch)}</td>
      <td>{by ?? 'unknown'}</td>
      <td class="wide">{reason ?? 'not given'}</td>
      <td class="number" data-label="Ends">
        {until === undefined ? 'when removed' : timeOf(until, today.value)}
      </td>
      <td class="wide">
        {inForce ? 'in force' : 'not in force here'}
        {pending && <span class="tag">the others have not heard of it yet</span>}
      </td>
    </tr>
  );
}

/** On how many instances a circuit is open, and on which. */
export function openOn({ open, instances, openOn: ids }: AdminFleetBreaker): string {
  if (open === 0) return `none of ${instances}`;
  const more = open > ids.length ? ` and ${open - ids.length} more` : '';
  return `${open} of ${instances}: ${ids.join(', ')}${more}`;
}

function versionsOf({ versions }: AdminFleet): string {
  return versions
    .map(({ version = 'unknown', instances }) => `${plural(instances, 'instance')} of ${version}`)
    .join(', ');
}
