import { useEffect } from 'preact/hooks';
import { ActionDialog } from './parts/actions.js';
import { TokenDialog } from './parts/token-dialog.js';
import { duration } from './format.js';
import { href, route } from './router.js';
import {
  access,
  askForToken,
  connect,
  fleet,
  heard,
  link,
  now,
  skew,
  stale,
  theme,
} from './store.js';
import { Bulkheads } from './views/bulkheads.js';
import { Dependencies } from './views/dependencies.js';
import { Dependency } from './views/dependency.js';
import { Fleet } from './views/fleet.js';
import { Method, Methods } from './views/methods.js';
import { RateLimits } from './views/rate-limits.js';
import { Timeline } from './views/timeline.js';

const VIEWS = [
  ['dependencies', 'Dependencies'],
  ['bulkheads', 'Bulkheads'],
  ['rate-limits', 'Rate limits'],
  ['fleet', 'Fleet'],
  ['methods', 'Methods'],
  ['events', 'Events'],
] as const;

const THEMES: Record<string, string> = { auto: 'light', light: 'dark', dark: 'auto' };

/** The whole page. */
export function App() {
  const { view, name } = route.value;
  useEffect(() => {
    const label = VIEWS.find(([key]) => key === view)?.[1] ?? 'Resilience';
    document.title = name === undefined ? `${label} · Resilience` : `${name} · Resilience`;
  }, [view, name]);
  useEffect(() => {
    document.documentElement.dataset.theme = theme.value;
    localStorage.setItem('resilience:theme', theme.value);
  }, [theme.value]);
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => focusMain(event)}>
        To the content
      </a>
      <header>
        <h1>Resilience</h1>
        <nav aria-label="Views">
          {VIEWS.filter(([key]) => key !== 'fleet' || fleet.value !== undefined).map(
            ([key, label]) => (
              <a key={key} href={href(key)} aria-current={view === key ? 'page' : undefined}>
                {label}
              </a>
            ),
          )}
        </nav>
        <span class="spring" />
        <LinkState />
        {access.value.readOnly && <span class="quiet">read-only</span>}
        <button type="button" class="plain" onClick={() => (askForToken.value = true)}>
          Token
        </button>
        <button
          type="button"
          class="plain"
          onClick={() => (theme.value = THEMES[theme.value] ?? 'auto')}
        >
          Theme: {theme.value}
        </button>
      </header>
      <Notice />
      <main id="main" tabIndex={-1}>
        {heard.value === 0 ? <Waiting /> : <View />}
      </main>
      <ActionDialog />
      <TokenDialog />
    </>
  );
}

function View() {
  const { view, name } = route.value;
  if (view === 'bulkheads') return <Bulkheads />;
  if (view === 'rate-limits') return <RateLimits />;
  if (view === 'fleet') return <Fleet />;
  if (view === 'events') return <Timeline />;
  if (view === 'methods') return name === undefined ? <Methods /> : <Method name={name} />;
  return name === undefined ? <Dependencies /> : <Dependency key={name} name={name} />;
}

function LinkState() {
  const { state } = link.value;
  if (state === 'live' && !stale.value) return <span class="state good">✓ live</span>;
  if (state === 'connecting') return <span class="state info">◆ connecting</span>;
  return <span class="state bad">● not connected</span>;
}

/** Says so when the data is old. */
function Notice() {
  const { state, reason } = link.value;
  const lost = state === 'lost' || state === 'refused';
  if (!stale.value && !lost) return null;
  const told =
    state === 'refused'
      ? `The server denies this page its data (${reason}).`
      : `No connection to the server${reason && ` (${reason})`}; trying again.`;
  return (
    <div class="notice bad">
      <span role="status">{told}</span>{' '}
      {heard.value > 0 && (
        <span>The data shown is {duration(now.value - skew.value - heard.value)} old. </span>
      )}
      <button type="button" onClick={connect}>
        Try now
      </button>
    </div>
  );
}

function Waiting() {
  return <p class="card empty">Waiting for the server …</p>;
}

function focusMain(event: Event): void {
  event.preventDefault();
  document.getElementById('main')?.focus();
}
