import { performance } from 'node:perf_hooks';
import * as timers from 'node:timers';
import { shared } from './brand.js';

type SetTimeout = typeof globalThis.setTimeout;

/** Timers, and the time that belongs to them. */
export interface TimeSource {
  readonly setTimeout: SetTimeout;
  /** Clears a timer of its own. */
  clear(handle: NodeJS.Timeout): void;
  /** Whether these are Node's own timers, whose time is that of {@link performance}. */
  readonly real: boolean;
  /** The time in milliseconds; only differences are meaningful. */
  read(): number;
  /** Whether it is still in force. */
  inForce(): boolean;
}

/** Found as `clock` on the functions of Sinon's fake timers, which Jest and vitest use too. */
interface SinonClock {
  readonly now: number;
  readonly performance?: { now(): number };
}

const { setInterval, clearInterval } = timers;

/**
 * The time of Node's own timers. From the prototype and bound, because Sinon replaces the method, perhaps before now. In Bun
 * the prototype has none.
 */
export const realNow: () => number = (
  (Object.getPrototypeOf(performance) as Partial<typeof performance>).now ?? performance.now
).bind(performance);

const realTimers = new Set<unknown>(
  // Tracing tools wrap the global one, so the one found at load counts as Node's, unless it is marked as a fake.
  [timers.setTimeout, globalThis.setTimeout].filter((timer) => !('clock' in timer)),
);

/** The source that is in force: Node's, or a test framework's while its fake timers are on. */
export function currentSource(): TimeSource {
  const { setTimeout, clearTimeout, Date } = globalThis;
  const real = realTimers.has(setTimeout);
  // node:test uses the same timer functions each time, but a new `Date`.
  const inForce = (): boolean =>
    globalThis.setTimeout === setTimeout && (real || globalThis.Date === Date);
  // Clearing a timer of node:test after its timers were switched off would clear others too.
  const forgiving = real || sinonClock() !== undefined;
  return {
    setTimeout,
    real,
    inForce,
    read: real ? realNow : fakeTime(),
    clear: (handle) => {
      if (forgiving || inForce()) clearTimeout(handle);
    },
  };
}

/** The time that belongs to the fake timers. Its source is looked up once: Jest takes the globals apart at the end. */
function fakeTime(): () => number {
  const clock = sinonClock();
  if (clock?.performance !== undefined) return clock.performance.now.bind(clock.performance);
  if (clock !== undefined) return () => clock.now;
  const { Date } = globalThis;
  // `isMock` marks the `Date` of node:test. Fake timers without a time of their own run in real time.
  return (Date as { isMock?: unknown }).isMock === true ? Date.now.bind(Date) : realNow;
}

/** Looks at all three, since a spy on one of them hides the mark. */
function sinonClock(): SinonClock | undefined {
  const { setTimeout, clearTimeout, setInterval } = globalThis as unknown as Record<
    string,
    { clock?: SinonClock } | undefined
  >;
  return setTimeout?.clock ?? clearTimeout?.clock ?? setInterval?.clock;
}

const canary = shared('canary', () => ({ sings: true }));

/**
 * Whether the test file that loaded this module has ended: Jest then takes apart the objects on its globals. Timers left
 * behind under fake timers must not be set again.
 */
export function isTakenDown(): boolean {
  return Object.getOwnPropertyDescriptor(canary, 'sings')?.value !== true;
}

/** Calls `look` every 10 ms of real time, without keeping the process alive, until it returns true. */
export function watch(look: () => boolean): void {
  const watching = setInterval(() => {
    if (look()) clearInterval(watching);
  }, 10);
  watching.unref();
}
