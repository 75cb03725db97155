import { computed, signal } from '@preact/signals';
import { BASE, type ApiError, change, pipelines } from './api.js';
import type { AdminAction, AdminChange, AdminFleet } from '../../src/admin/contract.js';
import { Connection } from './connection.js';
import type { Bulkhead, Dependency, Happening, Method, RateLimit } from './model.js';
import { Reader } from './reader.js';
import { href, isNamed } from './router.js';

/*
 * Everything that the page knows. The connection writes it, the views read it.
 */

export const dependencies = signal<readonly Dependency[]>([]);
/** How many there are of each; with very many keys, more than the stream carries. */
export const totals = signal({ dependencies: 0, bulkheads: 0, rateLimits: 0 });
export const bulkheads = signal<readonly Bulkhead[]>([]);
export const rateLimits = signal<readonly RateLimit[]>([]);
/** The instances that share a store; `null` until the store has answered, `undefined` without a store. */
export const fleet = signal<AdminFleet | null | undefined>(undefined);
export const methods = signal<readonly Method[]>([]);
/** The newest first. */
export const events = signal<readonly Happening[]>([]);
/** The actions that the server allows. */
export const access = signal({ readOnly: true, needsBy: true });

/** The state of the connection; `since`: milliseconds since 1970. */
export interface Link {
  readonly state: 'connecting' | 'live' | 'lost' | 'refused';
  readonly since: number;
  readonly reason: string;
}
export const link = signal<Link>({ state: 'connecting', since: Date.now(), reason: '' });

/** When the server was last heard, by the clock of this machine. */
export const heard = signal(0);
/** The server's clock minus this machine's, milliseconds. */
export const skew = signal(0);
const JITTER_MS = 300;
const tick = signal(Date.now());
setInterval(() => (tick.value = Date.now()), 1_000);
/** The server's time; ticks each second. */
export const now = computed(() => tick.value + skew.value);
/** The day of the server's time. */
export const today = computed(() => new Date(now.value).toDateString());
/** Older data than this is called stale, milliseconds. */
const STALE_MS = 20_000;
export const stale = computed(
  () => heard.value > 0 && (link.value.state !== 'live' || tick.value - heard.value > STALE_MS),
);

export const theme = signal(localStorage.getItem('resilience:theme') ?? 'auto');

const darkness = matchMedia('(prefers-color-scheme: dark)');
const dark = signal(darkness.matches);
darkness.addEventListener('change', () => (dark.value = darkness.matches));
/** A text that changes with the colours, so that plots are redrawn. */
export const colours = computed(() => `${theme.value} ${dark.value}`);

/** A bearer token, for guards that want one. */
export const token = signal(sessionStorage.getItem('resilience:token') ?? '');
token.subscribe((value) => sessionStorage.setItem('resilience:token', value));
export const askForToken = signal(false);

/** The names of all things, as a text: the same one until a name comes or goes. */
const names = computed(() => {
  const namesOf = (all: readonly { readonly name: string }[]) => all.map(({ name }) => name);
  return JSON.stringify(
    [methods, rateLimits, bulkheads, dependencies].map((all) => namesOf(all.value)),
  );
});
/** The address of each thing by its name. */
export const places = computed<ReadonlyMap<string, string>>(() => {
  const [ofMethods, ofLimits, ofBulkheads, ofDependencies] = JSON.parse(names.value) as string[][];
  const found = new Map<string, string>();
  for (const name of ofMethods!) found.set(name, href('methods', name));
  for (const name of ofLimits!) found.set(name, href('rate-limits', undefined, { q: name }));
  for (const name of ofBulkheads!) found.set(name, href('bulkheads', undefined, { q: name }));
  for (const name of ofDependencies!) found.set(name, href('dependencies', name));
  return found;
});

/** One dependency; `undefined` when there is none of that name. */
export function dependency(name: string): Dependency | undefined {
  return dependencies.value.find((known) => isNamed(known, name));
}

const linkIs = (state: Link['state'], reason = ''): void => {
  if (link.value.state !== state) link.value = { state, since: Date.now(), reason };
};

export const reader = new Reader({
  dependencies: (all) => (dependencies.value = all),
  bulkheads: (all) => (bulkheads.value = all),
  rateLimits: (all) => (rateLimits.value = all),
  totals: (all) => (totals.value = all),
  fleet: (known) => (fleet.value = known),
  events: (all) => (events.value = all),
  moment: ({ at, readOnly, needsBy }) => {
    const found = at - Date.now();
    // Messages take a little longer or shorter each time; the clock of the page should not jump with each of them.
    if (Math.abs(found - skew.value) > JITTER_MS) skew.value = found;
    if (access.value.readOnly !== readOnly || access.value.needsBy !== needsBy) {
      access.value = { readOnly, needsBy };
    }
  },
  reconfigured: () => void readPipelines(),
});

/** The recent past of a method, command or bulkhead. */
export const histories = reader.histories;

async function readPipelines(): Promise<void> {
  try {
    methods.value = await pipelines(authorization());
  } catch {
    // The connection says why; the next snapshot tries again.
  }
}

/** Makes a change. @returns the problem, if there is one */
export async function act(
  name: string,
  action: AdminAction,
  body: AdminChange,
): Promise<ApiError | undefined> {
  try {
    await change(name, action, body, authorization());
    return undefined;
  } catch (error) {
    return error as ApiError;
  }
}

const connection = new Connection(`${BASE}stream`, authorization, {
  opened: () => linkIs('live'),
  message: (message) => {
    heard.value = Date.now();
    linkIs('live');
    reader.read(message);
  },
  lost: (reason) => linkIs('lost', reason),
  refused: (status) => {
    linkIs('refused', `status ${status}`);
    if (token.value === '') askForToken.value = true;
  },
});

/** Connects, or reconnects. */
export function connect(): void {
  connection.start();
}

/** The headers by which the server knows who asks. */
export function authorization(): Record<string, string> {
  return token.value === '' ? {} : { authorization: `Bearer ${token.value}` };
}
