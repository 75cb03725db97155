import { ResilienceError } from '../common/errors.js';
import { isPromiseLike } from '../common/outcomes/look.js';
import type { Substitute } from '../pipeline/call.js';
import { CommandCall } from './command-call.js';

/** The call was cancelled without a reason. 499, code `CANCELLED`. */
export class CommandCancelledError extends ResilienceError {
  constructor(commandName: string) {
    super({
      code: 'CANCELLED',
      policy: 'command',
      policyName: commandName,
      status: 499,
      title: 'Client Closed Request',
      message: `command "${commandName}" has been cancelled`,
    });
  }
}

/** The state of a call made by `Command.queue()`. */
export type CommandCallState =
  /** `waiting`: for a place in a bulkhead, or for another attempt. */
  'waiting' | 'running' | 'succeeded' | 'failed' | 'cancelled';

/** A call with a state that can be read. */
export class QueuedCall extends CommandCall {
  override interruptible = true;
  /** Identifies the work that is running and has not been abandoned. */
  private running: object | undefined = undefined;

  get state(): CommandCallState {
    if (this.cancelled) return 'cancelled';
    if (this.finished) return this.failed ? 'failed' : 'succeeded';
    return this.running === undefined ? 'waiting' : 'running';
  }

  protected override perform(): unknown {
    return this.whileRunning(() => super.perform());
  }

  protected override performInstead(run: Substitute): unknown {
    return this.whileRunning(() => super.performInstead(run));
  }

  override interrupt(level: number, error: unknown): void {
    if (!this.finished) this.running = undefined;
    super.interrupt(level, error);
  }

  private whileRunning(work: () => unknown): unknown {
    const own = {};
    this.running = own;
    const ended = (): void => {
      if (this.running === own) this.running = undefined;
    };
    try {
      const result = work();
      if (isPromiseLike(result)) result.then(ended, ended);
      else ended();
      return result;
    } catch (error) {
      ended();
      throw error;
    }
  }
}

/** A running call of a command. Made by `Command.queue()`. */
export class CommandHandle<Result> {
  /** @internal */
  constructor(
    private readonly call: QueuedCall,
    /** The result of the call; rejects with the reason when the call is cancelled. */
    readonly result: Promise<Result>,
    private readonly commandName: string,
  ) {}

  /** The state of the call now. */
  get state(): CommandCallState {
    return this.call.state;
  }

  /**
   * Stops the call, wherever it is: it leaves the queue of a bulkhead and makes no further attempt, its context's
   * signal is aborted, and no fallback answers. Has no effect when the call has ended.
   *
   * @param reason the error that `result` rejects with. Default: a {@link CommandCancelledError}
   * @returns true when the call had not ended yet
   */
  cancel(reason: unknown = new CommandCancelledError(this.commandName)): boolean {
    const before = this.state;
    if (before !== 'waiting' && before !== 'running') return false;
    this.result.catch(() => {}); // the canceller need not handle the rejection
    this.call.abort(reason);
    return true;
  }
}
