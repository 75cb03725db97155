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
import { RateLimitHeadersStage } from './rate-limit-headers-stage.js';

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
  checkPart: (settings, declared, report) => {
    const { cost, name } = settings;
    const { burst } = declared;
    if (typeof cost !== 'number' || cost <= burst) return;
    const of = settings === declared ? '' : ` of rate limit "${printable(name!)}"`;
    report(
      `a cost of ${cost} is more than the burst of ${burst}${of}, so no call could ever be allowed; use a burst of at least ${cost}`,
    );
  },
  reconfigure: (part, settings) => (part as Limiter | KeyedRateLimiters).reconfigure(settings),
  stages: (settings, site) => ({
    'rate limit': () => {
      const limiters = obtainLimiters(settings.name ?? site.partNameOf(KIND), site);
      const sendsHeaders = settings.headers && site.method?.handler === true;
      return new (sendsHeaders ? RateLimitHeadersStage : RateLimitStage)(limiters, settings);
    },
  }),
  inForce: ({ limit, perMs, burst, maxWait, cost, key, maxKeys, headers, scope }) => ({
    limit,
    per: perMs,
    burst,
    maxWait,
    ...(typeof cost === 'number' && { cost }),
    scope,
    headers,
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

function once(run: () => void): () => void {
  let done = false;
  return () => {
    if (!done) run();
    done = true;
  };
}

/** During a deployment there are old and new instances, so this may be intended. */
function warnOfRates(name: string, site: PolicySite): void {
  site.warn(
    `rate limit "${printable(name)}": other instances use another limit, period or burst; each instance applies its own, so more calls may be allowed than any of them allows`,
  );
}
