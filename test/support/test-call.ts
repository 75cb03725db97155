import type { Clock } from '../../src/common/clock.js';
import { Call, type Substitute } from '../../src/pipeline/call.js';
import { ManualClock } from '../../src/testing/index.js';

/** The work of each attempt of a call. */
export type Work = (call: TestCall) => unknown;

interface Given {
  readonly clock?: Clock;
  readonly args?: readonly unknown[];
  readonly self?: unknown;
  readonly interruptible?: boolean;
}

/** A call whose protected method is a function of the test. */
export class TestCall extends Call {
  /** How often its work has begun. */
  started = 0;
  /** The result of `wantsAnotherAttempt()`. */
  wanted = true;

  constructor(
    private readonly work: Work = () => undefined,
    { clock = new ManualClock(), args = [], self, interruptible = false }: Given = {},
  ) {
    super(args, clock, self);
    this.interruptible = interruptible;
  }

  protected override get mayStream(): boolean {
    return true;
  }

  protected override perform(): unknown {
    this.started += 1;
    return this.work(this);
  }

  protected override performInstead(run: Substitute): unknown {
    return run(this.self, this.args);
  }

  override wantsAnotherAttempt(): boolean {
    return this.wanted && super.wantsAnotherAttempt();
  }
}
