import type { Duration } from '../../common/duration.js';
import { isPlainObject } from '../../common/objects.js';
import type { OptionsReader } from '../../common/options-reader.js';
import { TimeWindow } from './time-window.js';
import { CountWindow, CumulativeWindow, type Window } from './windows.js';

/** The calls that a breaker considers. */
export type WindowOptions =
  /** The calls that ended within this time. */
  | Duration
  | {
      /** How long an ended call is considered. */
      readonly duration: Duration;
      /** Number of buckets. Default: one per 100 ms, at least 10 and at most 60. */
      readonly buckets?: number;
      /** Whether a call counts at the time of its end or of its start (and not at all if that is too long ago). Default `'end'`. */
      readonly countAt?: 'start' | 'end';
      /** The other kind of window. */
      readonly calls?: never;
    }
  /** The last calls that ended as success or failure, however old. */
  | {
      /** How many ended calls are considered. */
      readonly calls: number;
      /** The other kind of window. */
      readonly duration?: never;
      /** Only for a window of time. */
      readonly buckets?: never;
      /** Only for a window of time. */
      readonly countAt?: never;
    };

/** A window that has been read and checked. */
export interface WindowSettings {
  create(now: number): Window;
  /** How many ended calls it can hold. */
  readonly capacity: number;
  /** Equal for windows with equal options. */
  readonly id: string;
}

const DEFAULT_DURATION = 10_000;

const cumulative: WindowSettings = {
  create: () => new CumulativeWindow(),
  capacity: Infinity,
  id: 'cumulative',
};

/** Reads `window` and `resetInterval`, which exclude each other. @param rated whether there is a rate: then 10 s is the default */
export function readWindow(
  read: OptionsReader<{ window?: WindowOptions; resetInterval?: Duration }>,
  rated: boolean,
): WindowSettings {
  const window: unknown = read.raw('window');
  const isReset = read.raw('resetInterval') !== undefined;
  if (window === undefined) return rated && !isReset ? timeWindow({}) : cumulative;
  if (isReset) read.contradiction('window and resetInterval exclude each other');
  if (!isPlainObject(window)) {
    return timeWindow({ duration: read.duration('window', { above: 0 }) });
  }
  return 'calls' in window ? readCountWindow(read) : readTimeWindow(read);
}

function readCountWindow(read: OptionsReader<{ window?: WindowOptions }>): WindowSettings {
  const window = read.nested<{ calls?: number }>('window');
  const calls = window.integer('calls', { min: 1, max: 1_000_000 });
  window.done();
  return calls === undefined
    ? cumulative
    : { create: () => new CountWindow(calls), capacity: calls, id: `${calls} calls` };
}

function readTimeWindow(read: OptionsReader<{ window?: WindowOptions }>): WindowSettings {
  const window = read.nested<{ duration?: Duration; buckets?: number; countAt?: unknown }>(
    'window',
  );
  const duration = window.duration('duration', { above: 0 });
  if (window.raw('duration') === undefined) {
    read.mistake('window has neither duration nor calls; use one of them');
  }
  const buckets = window.integer('buckets', { min: 1, max: 10_000 });
  const countAt = window.raw('countAt');
  if (countAt !== undefined && countAt !== 'start' && countAt !== 'end') {
    window.wrong('countAt', countAt, `'start' or 'end'`);
  }
  window.done();
  return timeWindow({ duration, buckets, countAt: countAt === 'start' ? 'start' : 'end' });
}

function timeWindow({
  duration = DEFAULT_DURATION,
  buckets = Math.min(60, Math.max(10, Math.round(duration / 100))),
  countAt = 'end',
}: {
  duration?: number | undefined;
  buckets?: number | undefined;
  countAt?: 'start' | 'end';
}): WindowSettings {
  return {
    create: (now) => new TimeWindow(duration, buckets, countAt, now),
    capacity: Infinity,
    id: `${duration} ms in ${buckets} by ${countAt}`,
  };
}
