import type { Call } from '../../../src/pipeline/call.js';
import { Stage } from '../../../src/pipeline/stage.js';
import type { PolicySite } from '../../../src/policies/policy.js';
import type { QuotaSettings } from './options.js';
import { QuotaExceededError } from './quota-exceeded-error.js';

/**
 * Rejects a call when there were enough in this period. Counts by itself, so each method, command and user of a pipeline
 * has a quota of its own; one that several share would be a part.
 */
export class QuotaStage extends Stage {
  private period = -1;
  private begun = 0;

  constructor(
    private readonly settings: QuotaSettings,
    private readonly site: PolicySite,
  ) {
    super();
  }

  override enter(call: Call): undefined {
    const { limit, per } = this.settings;
    const now = call.now();
    const period = Math.floor(now / per);
    if (period !== this.period) this.begun = 0;
    this.period = period;
    if (this.begun >= limit) throw this.reject((period + 1) * per - now);
    this.begun += 1;
  }

  private reject(retryAfterMs: number): QuotaExceededError {
    const { name, events } = this.site;
    const error = new QuotaExceededError(name, this.settings.limit, retryAfterMs);
    if (events.active('rejected')) {
      const { policy, code } = error;
      events.emit({ type: 'rejected', name, policy, code, retryAfterMs });
    }
    return error;
  }
}
