import { shared } from '../common/brand.js';
import type { Runtime } from './runtime.js';

/** An application, held weakly: Nest closes none whose start has failed, and nobody hears of the failure. */
interface Live {
  readonly runtime: WeakRef<Runtime>;
  started: boolean;
}

/** The applications of this process that are starting or running, in the order in which they have begun to. */
const all = shared('live-applications', () => new Set<Live>());

/** For calls that belong to none of the applications by themselves. */
export const liveRuntimes = {
  /** The application is starting. */
  add(runtime: Runtime): void {
    all.add({ runtime: new WeakRef(runtime), started: false });
  },

  /** All modules of the application have been initialized. */
  started(runtime: Runtime): void {
    for (const live of all) if (live.runtime.deref() === runtime) live.started = true;
  },

  /** The application is closing. */
  delete(runtime: Runtime): void {
    for (const live of all) if (live.runtime.deref() === runtime) all.delete(live);
  },

  /**
   * The only one that is running. While none is, the one that has begun to start last: those before it have failed.
   *
   * @returns `'several'` when there is more than one
   */
  get only(): Runtime | 'several' | undefined {
    let running: Runtime | undefined;
    let starting: Runtime | undefined;
    for (const live of all) {
      const runtime = live.runtime.deref();
      if (runtime === undefined) all.delete(live);
      else if (!live.started) starting = runtime;
      else if (running !== undefined) return 'several';
      else running = runtime;
    }
    return running ?? starting;
  },
};
