import { shared } from '../common/brand.js';
import type { Runtime } from './runtime.js';

/** An application, held weakly: Nest does not close one that failed to start, and the failure cannot be observed. */
interface Live {
  readonly runtime: WeakRef<Runtime>;
  started: boolean;
}

/** The starting and running applications of this process, in the order in which they began to start. */
const all = shared('live-applications', () => new Set<Live>());

/** For calls that do not belong to an application by themselves. */
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
   * The only running application. If none is running, the one that began to start last: earlier ones have failed.
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
