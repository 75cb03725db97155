import { breakerAt, settingsOf } from '../../../test/support/breaker.js';
import { Episodes } from '../events/episodes.js';
import { BreakerViews } from '../views/breaker-view.js';
import type { Parts } from '../views/parts.js';
import { RateLimitViews } from '../views/views.js';
import { Selection } from './selection.js';

/** More breakers than views remember. */
const MANY = 5_000;

describe('a selection', () => {
  it('lets views forget keys that are not watched, so that those of new ones stay the same', async () => {
    let now = 1_000_000;
    const breakers = new BreakerViews(new Episodes(), () => now);
    const watched = breakerAt(() => 0, settingsOf({}), 'watched');
    const snapshot = watched.snapshot();
    for (let key = 0; key < MANY; key++) breakers.view({ ...snapshot, name: `key[${key}]` });
    const none = { size: 0, list: () => [], byName: () => [] };
    const parts = {
      breakers: { ...none, size: 1, list: () => [watched] },
      bulkheads: none,
      rateLimits: none,
    } as unknown as Parts;
    const rateLimits = new RateLimitViews(() => undefined);
    await new Selection(parts, 100, { breakers, rateLimits }).renew();
    const before = breakers.view(watched.snapshot());
    now += 1;
    expect(breakers.view(watched.snapshot())).toEqual(before);
  });
});
