import { textOf } from '../describe.js';
import { timeOf } from '../format.js';
import type { Happening } from '../model.js';
import { today } from '../store.js';
import { drawnOnce } from './drawn-once.js';
import { Name } from './name.js';

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
      {events.slice(0, MOST).map(named ? drawnWithName : drawn)}
    </ol>
  );
}

const drawn = drawnOnce((event: Happening) => <Row key={event.sequence} event={event} />);
const drawnWithName = drawnOnce((event: Happening) => (
  <Row key={event.sequence} event={event} named />
));

function Row({ event, named = false }: { readonly event: Happening; readonly named?: boolean }) {
  return (
    <li>
      <time dateTime={new Date(event.at).toISOString()} class="quiet">
        {timeOf(event.at, today.value)}
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
  );
}
