import { NotFoundException } from '@nestjs/common';
import {
  type Backoff,
  type BulkheadOptions,
  type CircuitBreakerOptions,
  type ErrorMatcher,
  type RateLimitOptions,
  type RetryOptions,
  type TimeoutOptions,
  constant,
  decorrelated,
  exponential,
  fibonacci,
  linear,
} from '../../src/index.js';
import type { Dice } from './dice.js';
import type { Mischief } from './mischief.js';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function some(dice: Dice, probability: number, set: () => void): void {
  if (dice.chance(probability)) set();
}

function matchers(dice: Dice, mischief: Mischief): ErrorMatcher[] {
  const all: ErrorMatcher[] = [
    TypeError,
    NotFoundException,
    (error) => (error as { status?: number }).status === 404,
    () => mischief.throws('a predicate', dice.chance(0.5)),
    (error) => typeof error !== 'object',
  ];
  return dice.shuffled(all).slice(0, dice.int(1, 2));
}

function outcomes(dice: Dice, mischief: Mischief): object {
  return {
    ...(dice.chance(0.15) && { on: matchers(dice, mischief) }),
    ...(dice.chance(0.15) && { skip: matchers(dice, mischief) }),
    ...(dice.chance(0.2) && { onResult: badResult(mischief) }),
  };
}

function badResult(mischief: Mischief): (result: unknown) => boolean {
  return (result) => {
    mischief.throws('onResult', false);
    return (result as { bad?: boolean } | undefined)?.bad === true;
  };
}

/** Milliseconds, or `undefined` for no further attempt. */
function backoff(dice: Dice, mischief: Mischief): Backoff {
  const initialDelay = dice.pick([1, 5, 20]);
  return dice.pick<() => Backoff>([
    () => constant(dice.pick([0, 1, 10])),
    () => exponential({ initialDelay, maxDelay: 50, jitter: dice.pick(['full', 'none', 0.5]) }),
    () => linear({ initialDelay, maxDelay: 60 }),
    () => fibonacci({ initialDelay, maxDelay: 60 }),
    () => decorrelated({ initialDelay, maxDelay: 40 }),
    () => (attempt: number) => {
      mischief.throws('backoff', false);
      return mischief.strikes('backoff') ? dice.pick([NaN, -1, Infinity]) : attempt * 5;
    },
  ])();
}

export function retryOptions(dice: Dice, mischief: Mischief): RetryOptions {
  return {
    maxRetries: dice.int(0, 4),
    backoff: backoff(dice, mischief),
    respectRetryAfter: dice.pick<boolean | number>([false, 20, 100]),
    ...(dice.chance(0.2) && { maxElapsedTime: dice.int(100, 300) }),
    ...outcomes(dice, mischief),
  };
}

export function timeoutOptions(dice: Dice): TimeoutOptions {
  const attempt = dice.int(10, 100);
  const total = dice.int(150, 400);
  return dice.pick<TimeoutOptions>([{ attempt }, { total }, { attempt, total }]);
}

/** @param bounded whether no call may wait without limit, because the holders of places may wait for this one */
export function bulkheadOptions(dice: Dice, bounded: boolean, name?: string): BulkheadOptions {
  const maxQueue = dice.pick([0, 1, 3, 20]);
  const maxWait = dice.int(5, 100);
  return {
    ...(name !== undefined && { name }),
    maxConcurrent: dice.pick([1, 2, 5]),
    // Of two that share their places by name one lets calls inside its own calls pass.
    ...(name === 'h0' && { reentrant: true }),
    maxQueue,
    ...(maxQueue > 0 && (bounded || dice.chance(0.5)) && { maxWait }),
  };
}

export function rateLimitOptions(dice: Dice, mischief: Mischief, name?: string): RateLimitOptions {
  const burst = dice.int(1, 8);
  const options: Mutable<RateLimitOptions> = {
    ...(name !== undefined && { name }),
    limit: dice.int(1, 20),
    per: dice.pick([10, 100, 1_000]),
    burst,
  };
  some(dice, 0.6, () => (options.maxWait = dice.int(1, 120)));
  some(dice, 0.3, () => (options.cost = dice.int(1, burst)));
  some(dice, 0.2, () => {
    options.cost = () => {
      mischief.throwsKey();
      return mischief.strikes('cost') ? burst + 1 : dice.pick([0, 0.5, 1, burst]);
    };
  });
  some(dice, 0.25, () => {
    options.key = (...args: never[]) => {
      mischief.throwsKey();
      return String(args[1] ?? 'none');
    };
    some(dice, 0.5, () => (options.maxKeys = dice.int(1, 3)));
  });
  return options;
}

export function breakerOptions(
  dice: Dice,
  mischief: Mischief,
  name?: string,
): CircuitBreakerOptions {
  const options: Mutable<CircuitBreakerOptions> = {
    ...(name !== undefined && { name }),
    openFor: openFor(dice, mischief),
    respectRetryAfter: dice.pick<boolean | number>([true, false, 50]),
  };
  some(dice, 0.5, () => {
    options.halfOpen = {
      maxCalls: dice.int(1, 3),
      successThreshold: dice.int(1, 4),
      ...(dice.chance(0.5) && { maxDuration: dice.int(20, 500) }),
    };
  });
  const slow = dice.chance(0.2);
  some(dice, 0.4, () => (options.maxCallDuration = dice.pick([50, 300, Infinity])));
  if (slow) {
    options.slowCallRate = dice.pick([0.2, 1]);
    options.slowCallDuration = dice.int(5, 50);
  }
  const rule = dice.weighted({ rate: 4, streak: 4, trip: 2 });
  if (rule === 'rate') options.failureRate = dice.pick([0.1, 0.5, 1]);
  if (rule === 'streak') options.consecutiveFailures = dice.int(1, 4);
  if (rule === 'trip') {
    options.readyToTrip = (counts) => {
      mischief.throws('readyToTrip', false);
      mischief.acts('readyToTrip');
      return counts.consecutiveFailures >= 2;
    };
  }
  if (slow || rule === 'rate') options.minimumCalls = dice.int(1, 6);
  windows(dice, options);
  Object.assign(
    options,
    dice.chance(0.1) ? { classify: classify(mischief) } : outcomes(dice, mischief),
  );
  some(dice, 0.3, () => (options.onStateChange = mischief.listener('onStateChange')));
  some(dice, 0.25, () => {
    options.key = (...args: never[]) => {
      mischief.throwsKey();
      return String(args[1] ?? 'none');
    };
    some(dice, 0.5, () => (options.maxKeys = dice.int(1, 3)));
  });
  return options;
}

function openFor(dice: Dice, mischief: Mischief): number | Backoff {
  return dice.pick<() => number | Backoff>([
    () => dice.int(10, 300),
    () => exponential({ initialDelay: dice.int(10, 50), maxDelay: 500 }),
    () => () => {
      mischief.throws('openFor', false);
      return mischief.strikes('openFor') ? dice.pick([NaN, Infinity, -5, 0]) : 40;
    },
  ])();
}

function windows(dice: Dice, options: Mutable<CircuitBreakerOptions>): void {
  switch (dice.int(0, 4)) {
    case 0:
      options.window = dice.int(50, 2_000);
      break;
    case 1:
      options.window = { calls: dice.int(6, 20) };
      break;
    case 2:
      options.window = {
        duration: dice.int(50, 2_000),
        buckets: dice.int(1, 12),
        countAt: dice.pick(['start', 'end'] as const),
      };
      break;
    case 3:
      options.resetInterval = dice.pick([100, 1_000, Infinity]);
      break;
    default: // the library's default
  }
}

function classify(mischief: Mischief): CircuitBreakerOptions['classify'] {
  return (error, result) => {
    mischief.throws('classify', false);
    if (result !== undefined || error === undefined) return 'success';
    return typeof error === 'object' ? 'failure' : 'ignored';
  };
}
