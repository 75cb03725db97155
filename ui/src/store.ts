import { computed, signal } from '@preact/signals';
import { Reader } from './api.js';
import { Connection } from './connection.js';
import type { Bulkhead, Dependency, Happening, Method } from './model.js';

/*
 * All that the page knows. The connection writes it, the views read it.
 */

export const dependencies = signal<readonly Dependency[]>([]);
/** How many breakers there are; more than are shown when there are very many keys. */
export const total = signal(0);
export const bulkheads = signal<readonly Bulkhead[]>([]);
export const methods = signal<readonly Method[]>([]);
/** The newest first. */
export const events = signal<readonly Happening[]>([]);
export const access = signal<{ readonly writable: boolean; readonly why: string }>({
  writable: false,
  why: '',
});

/** How the connection is; `since`: milliseconds since 1970. */
export interface Link {
  readonly state: 'connecting' | 'live' | 'lost' | 'refused';
  readonly since: number;
  readonly reason: string;
}
export const link = signal<Link>({ state: 'connecting', since: Date.now(), reason: '' });

/** When the server was heard last, by the clock of this machine. */
export const heard = signal(0);
/** The server's clock minus this machine's, milliseconds. */
export const skew = signal(0);
const tick = signal(Date.now());
setInterval(() => (tick.value = Date.now()), 1_000);
/** The server's time; ticks each second. */
export const now = computed(() => tick.value + skew.value);
/** Older data than this is called stale, milliseconds. */
const STALE_MS = 20_000;
export const stale = computed(
  () => heard.value > 0 && (link.value.state !== 'live' || tick.value - heard.value > STALE_MS),
);

export const theme = signal(localStorage.getItem('resilience:theme') ?? 'auto');

/** A bearer token, for guards that want one. */
export const token = signal(sessionStorage.getItem('resilience:token') ?? '');
token.subscribe((value) => sessionStorage.setItem('resilience:token', value));
export const askForToken = signal(false);

/** One dependency; `undefined` when there is none of that name. */
export function dependency(name: string): Dependency | undefined {
  return dependencies.value.find((known) => known.name === name);
}

const change = (state: Link['state'], reason = ''): void => {
  if (link.value.state !== state) link.value = { state, since: Date.now(), reason };
};

const reader = new Reader();
const connection = new Connection('./resilience/stream', authorization, {
  opened: () => change('live'),
  message: (message) => {
    heard.value = Date.now();
    change('live');
    reader.read(message);
  },
  lost: (reason) => change('lost', reason),
  refused: (status) => {
    change('refused', `status ${status}`);
    askForToken.value = status === 401;
  },
});

/** Connects, or connects anew. */
export function connect(): void {
  connection.start();
}

/** The headers by which the server knows who asks. */
export function authorization(): Record<string, string> {
  return token.value === '' ? {} : { authorization: `Bearer ${token.value}` };
}
