import { ResilienceError } from '../common/errors.js';
import { type Substitute, isPromiseLike } from '../pipeline/call.js';
import { CommandCall } from './command-call.js';

/** The command has been cancelled, without a reason given. 499, code `CANCELLED`. */
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

/** Where a call made by `Command.queue()` is. */
export type CommandCallState =
  /** For a place in a bulkhead, or for another attempt. */
  'waiting' | 'running' | 'succeeded' | 'failed' | 'cancelled';

/** A call that tells where it is. */
export class QueuedCall extends CommandCall {
  override interruptible = true;
  /** Executions that are running and have not been abandoned. */
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

/** A call of a command that is under way. Made by `Command.queue()`. */
export class CommandHandle<Result> {
  /** @internal */
  constructor(
    private readonly call: QueuedCall,
    /** Its outcome; rejects with the reason when it is cancelled. */
    readonly result: Promise<Result>,
    private readonly commandName: string,
  ) {}

  get state(): CommandCallState {
    return this.call.state;
  }

  /**
   * Stops it, whatever it waits for: it leaves the queue of a bulkhead, makes no further attempt, and the signal of
   * its context is aborted. No fallback answers. No effect when it has ended.
   *
   * @param reason what `result` rejects with. Default: a {@link CommandCancelledError}
   * @returns whether it was in time
   */
  cancel(reason: unknown = new CommandCancelledError(this.commandName)): boolean {
    const before = this.state;
    if (before !== 'waiting' && before !== 'running') return false;
    this.result.catch(() => {}); // who cancels need not look at the result
    this.call.abort(reason);
    return true;
  }
}
