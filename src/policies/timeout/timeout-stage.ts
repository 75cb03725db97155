import type { Call } from '../../pipeline/call.js';
import { Stage } from '../../pipeline/stage.js';
import type { PolicySite } from '../policy.js';
import { type Deadline, DeadlineQueue } from '../../common/deadline-queue.js';
import { TimeoutError } from './timeout-error.js';

interface Limit {
  readonly queued: Deadline<Call>;
  /** The call's deadline outside this stage. */
  readonly outer: number;
}

/** Interrupts everything inside it when time is up. */
export class TimeoutStage extends Stage<Limit> {
  override readonly interrupts = true;
  private readonly deadlines: DeadlineQueue<Call>;
  private readonly forget: () => void;

  constructor(
    private readonly scope: 'attempt' | 'total',
    ms: number,
    private readonly site: PolicySite,
  ) {
    super();
    this.deadlines = new DeadlineQueue(site.clock, ms, (call) => this.expire(call));
    this.forget = closeWith(site, this.deadlines, this);
  }

  override retire(): void {
    this.deadlines.close(); // leaves no timer behind once the last call has ended
    this.forget();
  }

  override enter(call: Call): Limit {
    const queued = this.deadlines.add(call, call.now());
    const outer = call.deadline;
    if (queued.at < outer) call.deadline = queued.at;
    return { queued, outer };
  }

  override exit(call: Call, { queued, outer }: Limit): void {
    this.deadlines.remove(queued);
    call.deadline = outer;
  }

  private expire(call: Call): void {
    const { name, events } = this.site;
    const { ms: afterMs } = this.deadlines;
    const { scope } = this;
    const { attempt } = call;
    // The failure of the last attempt is the reason why the call took so long.
    const cause = scope === 'total' && call.failed ? call.error : undefined;
    const error = new TimeoutError(name, scope, afterMs, cause);
    call.interrupt(this.level, error);
    if (!events.active('timeout')) return;
    call.whenInterruptedBy(error, () =>
      events.emit({ type: 'timeout', name, callId: call.callId, scope, attempt, afterMs }),
    );
  }
}

/** The work of a closing application for a stage. */
interface Closing {
  /** Weak, so that it does not keep the stage alive. A queue with a timer is kept alive by the timer. */
  readonly deadlines: WeakRef<DeadlineQueue<Call>>;
  forget: () => void;
}

/** For stages that are no longer used, such as those of a `fetch` that was made for one request. Keeps no application alive. */
const forgotten = new FinalizationRegistry((closing: WeakRef<Closing>) => {
  closing.deref()?.forget();
});

/** Closes the queue with the application, as long as the stage is in use. @returns a function that ends this */
function closeWith(
  site: Pick<PolicySite, 'onClose'>,
  deadlines: DeadlineQueue<Call>,
  stage: TimeoutStage,
): () => void {
  const closing: Closing = { deadlines: new WeakRef(deadlines), forget: () => {} };
  closing.forget = site.onClose(() => closing.deadlines.deref()?.close());
  forgotten.register(stage, new WeakRef(closing));
  return closing.forget;
}
