import { shared } from '../common/brand.js';
import type { Runtime } from './runtime.js';

interface Entry {
  readonly runtime: WeakRef<Runtime>;
  started: boolean;
}

/**
 * The applications of this process that are starting or running, for calls that belong to none of them by themselves.
 * Held weakly: Nest closes no application whose start has failed, and nobody hears of the failure.
 */
class LiveRuntimes {
  private entries: Entry[] = [];

  /** The application is starting. */
  add(runtime: Runtime): void {
    this.entries = [...this.alive(), { runtime: new WeakRef(runtime), started: false }];
  }

  /** All modules of the application have been initialized. */
  started(runtime: Runtime): void {
    for (const entry of this.entries) if (entry.runtime.deref() === runtime) entry.started = true;
  }

  /** The application is closing. */
  delete(runtime: Runtime): void {
    this.entries = this.alive().filter((entry) => entry.runtime.deref() !== runtime);
  }

  /**
   * The only one that is running. While none is, the one that has begun to start last: one before it has failed.
   *
   * @returns `'several'` when there is more than one
   */
  get only(): Runtime | 'several' | undefined {
    const alive = this.alive();
    const running = alive.filter(({ started }) => started);
    if (running.length > 1) return 'several';
    return (running[0] ?? alive.at(-1))?.runtime.deref();
  }

  private alive(): Entry[] {
    return this.entries.filter(({ runtime }) => runtime.deref() !== undefined);
  }
}

export const liveRuntimes = shared('live-applications', () => new LiveRuntimes());
