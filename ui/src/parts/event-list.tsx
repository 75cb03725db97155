import { textOf } from '../describe.js';
import { timeOf } from '../format.js';
import type { Happening } from '../model.js';
import { href } from '../router.js';
import { dependency, methods, now } from '../store.js';

interface Props {
  readonly events: readonly Happening[];
  /** Whether the name of the thing is shown with each event. */
  readonly named?: boolean;
}

const MOST = 300;

/** A timeline, the newest first. */
export function EventList({ events, named = false }: Props) {
  if (events.length === 0)
    return (
      <p class="quiet">Nothing has happened since the page was opened or the server started.</p>
    );
  return (
    <ol class="events" reversed>
      {events.slice(0, MOST).map((event) => (
        <li key={event.sequence}>
          <time dateTime={new Date(event.at).toISOString()} class="quiet">
            {timeOf(event.at, now.value)}
          </time>
          <span>{event.type.replace('-', ' ')}</span>
          <span>
            {named && (
              <>
                <Name name={event.name} />{' '}
              </>
            )}
            {textOf(event)}
          </span>
        </li>
      ))}
    </ol>
  );
}

/** A link, if there is something of that name to be looked at. */
function Name({ name }: { readonly name: string }) {
  if (dependency(name) !== undefined) return <a href={href('dependencies', name)}>{name}</a>;
  const known = methods.value.some((method) => method.name === name);
  return known ? <a href={href('methods', name)}>{name}</a> : <>{name}</>;
}
