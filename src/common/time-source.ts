import { performance } from 'node:perf_hooks';
import * as timers from 'node:timers';
import { shared } from './brand.js';

type SetTimeout = typeof globalThis.setTimeout;

/** Timers, and the time that they go by. */
export interface TimeSource {
  readonly setTimeout: SetTimeout;
  /** Clears a timer of its own. */
  clear(handle: NodeJS.Timeout): void;
  /** Whether these are Node's own timers, whose time is that of {@link performance}. */
  readonly real: boolean;
  /** Milliseconds; only differences mean anything. */
  read(): number;
  /** Whether it is still the one to use. */
  inForce(): boolean;
}

/** How Sinon's fake timers, which Jest and vitest use too, mark the functions that they put in place. */
interface SinonClock {
  readonly now: number;
  readonly performance?: { now(): number };
}

const { setInterval, clearInterval } = timers;

/** The time of Node's own timers. Bound, because Sinon replaces the method; from the prototype, in case it has already. */
export const realNow: () => number = (
  Object.getPrototypeOf(performance) as typeof performance
).now.bind(performance);

const realTimers = new Set<unknown>(
  // Tools for tracing wrap the global one. What is there from the start is Node's, unless it is marked as a fake.
  [timers.setTimeout, globalThis.setTimeout].filter((timer) => !('clock' in timer)),
);

/** The source that is in force: Node's, or a test framework's while its fake timers are on. */
export function currentSource(): TimeSource {
  const { setTimeout, clearTimeout, Date } = globalThis;
  const real = realTimers.has(setTimeout);
  // The timers of node:test are the same functions each time; its `Date` is a new one.
  const inForce = (): boolean =>
    globalThis.setTimeout === setTimeout && (real || globalThis.Date === Date);
  // Timers of node:test that are cleared after they were switched off take others with them.
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

/** The time has to come from where the timers do. Nothing of theirs is touched later: Jest takes it apart at the end. */
function fakeTime(): () => number {
  const clock = sinonClock();
  if (clock?.performance !== undefined) return clock.performance.now.bind(clock.performance);
  if (clock !== undefined) return () => clock.now;
  const { Date } = globalThis;
  // The mark of node:test. With timers that tell no time at all, real time passes.
  return (Date as { isMock?: unknown }).isMock === true ? Date.now.bind(Date) : realNow;
}

/** Any of them may be spied on, which hides the mark. */
function sinonClock(): SinonClock | undefined {
  const { setTimeout, clearTimeout, setInterval } = globalThis as unknown as Record<
    string,
    { clock?: SinonClock } | undefined
  >;
  return setTimeout?.clock ?? clearTimeout?.clock ?? setInterval?.clock;
}

const canary = shared('canary', () => ({ sings: true }));

/**
 * Whether the test file that we were loaded for has ended: Jest then takes apart what was put on its globals. What has
 * been left behind under fake timers is not to come alive again.
 */
export function isTakenDown(): boolean {
  return Object.getOwnPropertyDescriptor(canary, 'sings')?.value !== true;
}

/** Looks every few milliseconds of real time, without keeping the process alive, until `look` says that it is enough. */
export function watch(look: () => boolean): void {
  const watching = setInterval(() => {
    if (look()) clearInterval(watching);
  }, 10);
  watching.unref();
}
