import type { OptionsReader } from '../../../src/common/options-reader.js';
import { ResilienceError } from '../../../src/common/errors.js';
import type { Call } from '../../../src/pipeline/call.js';
import { Stage } from '../../../src/pipeline/stage.js';
import type { Policy, PolicySite } from '../../../src/policies/policy.js';

/** A toy: so many calls in each second of the clock. */
export interface RateLimitOptions {
  readonly limit?: number;
}

interface RateLimitSettings {
  readonly limit: number;
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
  private second = -1;
  private used = 0;

  constructor(
    private readonly limit: number,
    private readonly site: PolicySite,
  ) {
    super();
  }

  override enter(call: Call): undefined {
    const now = call.now();
    const second = Math.floor(now / 1_000);
    if (second !== this.second) this.used = 0;
    this.second = second;
    this.used += 1;
    if (this.used <= this.limit) return;
    const { name, events } = this.site;
    if (events.active) {
      events.emit({ type: 'rejected', name, policy: 'rateLimit', code: 'RATE_LIMITED' });
    }
    throw new RateLimitedError(name, (second + 1) * 1_000 - now);
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
  settle: (read: OptionsReader<RateLimitOptions>) => ({
    limit: read.integer('limit', { min: 1 }) ?? 100,
  }),
  stages: ({ limit }, site) => ({ 'rate limit': () => new RateLimitStage(limit, site) }),
};
