import { printable } from '../../common/printable.js';
import type { Policy, PolicySite } from '../policy.js';
import { KeyedRateLimiters } from './keyed-rate-limiters.js';
import type { Limiter } from './limiter.js';
import {
  OF_SUBJECT,
  type RateLimitOptions,
  type RateLimitSettings,
  readRateLimitOptions,
} from './options.js';
import { RateLimitStage } from './rate-limit-stage.js';
import { RateLimiter } from './rate-limiter.js';
import { SharedRateLimiter } from './shared-rate-limiter.js';
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
  reconfigure: (part, settings) => (part as Limiter | KeyedRateLimiters).reconfigure(settings),
  stages: (settings, site) => ({
    'rate limit': () => {
      const limiters = obtainLimiters(settings.name ?? site.partNameOf(KIND), site);
      warnOfCost(settings, limiters, site);
      return new RateLimitStage(limiters, settings);
    },
  }),
  inForce: ({ limit, perMs, burst, maxWait, cost, key, maxKeys, scope }) => ({
    limit,
    per: perMs,
    burst,
    maxWait,
    ...(typeof cost === 'number' && { cost }),
    scope,
    ...(key !== undefined && { maxKeys }),
  }),
};

/** The limiter or limiters of that name, made with the settings of the subject that defines the name. */
function obtainLimiters(name: string, site: PolicySite): Limiter | KeyedRateLimiters {
  return site.named.obtain(KIND, name, (settings: RateLimitSettings) => {
    const { fleet } = site;
    const onOtherRates = once(() => warnOfRates(name, site));
    const create = (own: string, { limit, perMs, burst } = settings): Limiter =>
      settings.scope === 'local' || fleet === undefined
        ? new RateLimiter(own, { limit, perMs, burst }, site)
        : new SharedRateLimiter(own, { limit, perMs, burst }, site, fleet.store, onOtherRates);
    const part =
      settings.key === undefined
        ? create(name)
        : new KeyedRateLimiters(name, settings, create, (message) => site.warn(message));
    site.onClose(() => part.close());
    return part;
  });
}

function once(tell: () => void): () => void {
  let told = false;
  return () => {
    if (!told) tell();
    told = true;
  };
}

/** A deployment has old and new instances for a while; nothing is wrong with that, if it is meant. */
function warnOfRates(name: string, site: PolicySite): void {
  site.warn(
    `rate limit "${printable(name)}": other instances ask for it with another limit, period or burst; each request goes by its own, so more calls may go than any of them allows`,
  );
}

/** Where the limit is only named, its burst is not known before. */
function warnOfCost(
  { cost }: RateLimitSettings,
  { name, burst }: Limiter | KeyedRateLimiters,
  site: PolicySite,
): void {
  if (typeof cost !== 'number' || cost <= burst) return;
  site.warn(
    `${site.name} @RateLimit: a cost of ${cost} is more than the burst of ${burst} of rate limit "${printable(name)}", so that each call is rejected`,
  );
}
