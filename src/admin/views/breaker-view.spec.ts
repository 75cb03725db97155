import { breakerAt, settingsOf } from '../../../test/support/breaker.js';
import { Episodes } from '../events/episodes.js';
import { BreakerViews } from './breaker-view.js';

describe('the view of a breaker', () => {
  it('stays the same when the process pauses between two readings of the clock', () => {
    let now = 1_000_000;
    const views = new BreakerViews(new Episodes(), () => now);
    const breaker = breakerAt(() => 0, settingsOf({}));
    const before = views.view(breaker.snapshot());
    const snapshot = breaker.snapshot();
    now += 1_000;
    expect(views.view(snapshot)).toEqual(before);
  });

  it('tells since when a breaker that was made anew has its state', () => {
    let now = 1_000_000;
    const views = new BreakerViews(new Episodes(), () => now);
    views.view(breakerAt(() => 0, settingsOf({})).snapshot());
    now += 60_000;
    expect(views.view(breakerAt(() => 0, settingsOf({})).snapshot()).since).toBe(now);
  });
});
