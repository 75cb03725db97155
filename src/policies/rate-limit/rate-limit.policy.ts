import type { Policy, PolicySite } from '../policy.js';
import { KeyedRateLimiters } from './keyed-rate-limiters.js';
import {
  OF_SUBJECT,
  type RateLimitOptions,
  type RateLimitSettings,
  readRateLimitOptions,
} from './options.js';
import { RateLimitStage } from './rate-limit-stage.js';
import { RateLimiter } from './rate-limiter.js';
import { rateLimitShape } from './shape.js';

const KIND = 'rateLimit';

export const rateLimitPolicy: Policy<
  typeof KIND,
  RateLimitOptions,
  RateLimitSettings,
  number | RateLimitOptions
> = {
  kind: KIND,
  label: '@RateLimit',
  shape: rateLimitShape,
  ofSubject: OF_SUBJECT,
  normalize: (given) => (typeof given === 'number' ? { limit: given } : given),
  read: readRateLimitOptions,
  part: (settings) => ({ name: settings.name, settings }),
  reconfigure: (part, settings) => (part as RateLimiter | KeyedRateLimiters).reconfigure(settings),
  stages: (settings, site) => ({
    'rate limit': () =>
      new RateLimitStage(obtainLimiters(settings.name ?? site.partNameOf(KIND), site), settings),
  }),
  inForce: ({ limit, perMs, burst, maxWait, cost, key, maxKeys }) => ({
    limit,
    per: perMs,
    burst,
    maxWait,
    ...(typeof cost === 'number' && { cost }),
    ...(key !== undefined && { maxKeys }),
  }),
};

/** The limiter or limiters of that name, made with the settings of the subject that defines the name. */
function obtainLimiters(name: string, site: PolicySite): RateLimiter | KeyedRateLimiters {
  return site.named.obtain(KIND, name, (settings: RateLimitSettings) => {
    const create = (own: string, { limit, perMs, burst } = settings): RateLimiter =>
      new RateLimiter(own, { limit, perMs, burst }, site);
    const part =
      settings.key === undefined
        ? create(name)
        : new KeyedRateLimiters(name, settings, create, (message) => site.warn(message));
    site.onClose(() => part.close());
    return part;
  });
}
