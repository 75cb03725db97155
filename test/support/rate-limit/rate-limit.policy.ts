import type { OptionsReader } from '../../../src/common/options-reader.js';
import { ResilienceError } from '../../../src/common/errors.js';
import type { Call } from '../../../src/pipeline/call.js';
import { Stage } from '../../../src/pipeline/stage.js';
import type { Policy, PolicySite } from '../../../src/policies/policy.js';

/** A minimal rate limit: a number of calls per period of the clock, separate for each method. */
export interface RateLimitOptions {
  readonly limit?: number;
  readonly period?: { readonly seconds?: number; readonly offset?: number };
}

interface RateLimitSettings {
  readonly limit: number;
  /** Milliseconds. */
  readonly period: number;
}

export class RateLimitedError extends ResilienceError {
  constructor(name: string, retryAfterMs: number) {
    super({
      code: 'RATE_LIMITED',
      policy: 'rateLimit',
      policyName: name,
      status: 429,
      title: 'Too Many Requests',
      message: `${name} is called too often`,
      retryAfterMs,
    });
  }
}

class RateLimitStage extends Stage {
  private period = -1;
  private used = 0;

  constructor(
    private readonly settings: RateLimitSettings,
    private readonly site: PolicySite,
  ) {
    super();
  }

  override enter(call: Call): undefined {
    const now = call.now();
    const { limit, period } = this.settings;
    const current = Math.floor(now / period);
    if (current !== this.period) this.used = 0;
    this.period = current;
    this.used += 1;
    if (this.used <= limit) return;
    const { name, events } = this.site;
    if (events.active) {
      events.emit({ type: 'rejected', name, policy: 'rateLimit', code: 'RATE_LIMITED' });
    }
    throw new RateLimitedError(name, (current + 1) * period - now);
  }
}

export const rateLimitPolicy: Policy<
  'rateLimit',
  RateLimitOptions,
  RateLimitSettings,
  number | RateLimitOptions
> = {
  kind: 'rateLimit',
  label: '@RateLimit',
  normalize: (given) => (typeof given === 'number' ? { limit: given } : given),
  nested: ['period'],
  boundToSubject: true,
  read: (read: OptionsReader<RateLimitOptions>, site) => {
    if (site.method === undefined && site.anyWork && read.raw('limit') === 13) {
      read.contradiction('13 brings bad luck to work of all kinds');
    }
    const period = read.inside('period', read.raw('period') ?? {});
    const seconds = period.integer('seconds', { min: 1 }) ?? 1;
    period.integer('offset', { min: 0 });
    period.done();
    return { limit: read.integer('limit', { min: 1 }) ?? 100, period: seconds * 1_000 };
  },
  stages: (settings, site) => ({ 'rate limit': () => new RateLimitStage(settings, site) }),
  snapshot: ({ limit }) => ({ limit }) as object,
};
