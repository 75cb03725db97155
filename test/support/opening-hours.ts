import type { Duration } from '../../src/common/duration.js';
import { ResilienceError } from '../../src/common/errors.js';
import { type PolicyDecorator, definePolicy } from '../../src/decorators/define.js';
import type { Call } from '../../src/pipeline/call.js';
import { Stage } from '../../src/pipeline/stage.js';
import type { Policy } from '../../src/policies/policy.js';

/*
 * A policy for tests of what `test/support/quota/` does not need: nested options, options that only make sense with
 * their subject, a share of a command's snapshot, a stage that has another name than its policy. It is not an example
 * to follow.
 */

export interface OpeningHoursOptions {
  /** Since the start of the application. */
  readonly hours?: { readonly from?: Duration; readonly to?: Duration };
}

/** Milliseconds. */
interface OpeningHours {
  readonly from: number;
  readonly to: number;
}

class ClosedError extends ResilienceError {
  constructor(policyName: string, retryAfterMs: number | undefined) {
    super({
      code: 'CLOSED',
      policy: 'openingHours',
      policyName,
      status: 503,
      title: 'Service Unavailable',
      message: `${policyName} is closed`,
      retryAfterMs,
    });
  }
}

class OpeningHoursStage extends Stage {
  constructor(
    private readonly hours: OpeningHours,
    private readonly name: string,
    private readonly startedAt: number,
  ) {
    super();
  }

  override enter(call: Call): undefined {
    const { from, to } = this.hours;
    const time = call.now() - this.startedAt;
    if (time < from) throw new ClosedError(this.name, from - time);
    if (time >= to) throw new ClosedError(this.name, undefined);
  }
}

export const openingHoursPolicy: Policy<'openingHours', OpeningHoursOptions, OpeningHours> = {
  kind: 'openingHours',
  label: '@OpeningHours',
  normalize: (given) => given,
  nested: ['hours'],
  // Wrong wherever different code may run, which is only known together with the subject.
  boundToSubject: true,
  read: (read, site) => {
    if (site.anyWork) read.contradiction('opening hours are for methods and commands');
    const hours = read.nested<NonNullable<OpeningHoursOptions['hours']>>('hours');
    const from = hours.duration('from') ?? 0;
    const to = hours.duration('to') ?? Infinity;
    hours.done();
    return { from, to };
  },
  stages: (hours, { name, clock }) => ({
    'opening hours': () => new OpeningHoursStage(hours, name, clock.now()),
  }),
  // `as object`: a policy of the library adds its field to `PolicySnapshots`.
  snapshot: ({ from }) => ({ opensAfterMs: from }) as object,
};

export function OpeningHours(options: OpeningHoursOptions): PolicyDecorator {
  return definePolicy(openingHoursPolicy, [options]);
}
