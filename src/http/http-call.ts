import type { Clock } from '../common/clock.js';
import type { SignalLike } from '../pipeline/abort-signals.js';
import { callScope } from '../pipeline/call-scope.js';
import { Call, type Substitute, adopt } from '../pipeline/call.js';
import type { Pipeline } from '../pipeline/pipeline.js';
import { AttemptSignal } from './attempt-signal.js';
import { FailedAnswerError, type HttpAnswer, type HttpRequest, failureIn } from './http-rules.js';

/** The transport of a client: sends requests, and knows their answers. */
export interface Sender<Answer extends HttpAnswer> {
  /** Sends the request once. */
  send(signal: AbortSignal): Promise<Answer>;
  /** The unread body, if it is a stream. */
  bodyOf(answer: Answer): object | undefined;
  /** Calls `broken` if the body of an answer ends with an error, whichever code reads it. */
  watch?(answer: Answer, broken: (error: unknown) => void): void;
  /** Frees the connection of an answer that will not be read. */
  discard(answer: Answer): void;
  /** The answer that belongs to an error. */
  answerIn?(error: unknown): Answer | undefined;
}

/** The details of a request before it is sent. */
export interface Terms {
  readonly request: HttpRequest;
  /** Whether it may be sent again. */
  readonly repeatable: boolean;
  /** The caller's. */
  readonly signal: SignalLike | undefined;
}

/** A call of an HTTP client. */
export class HttpCall<Answer extends HttpAnswer> extends Call {
  private last: Answer | undefined = undefined;

  constructor(
    private readonly sender: Sender<Answer>,
    private readonly terms: Terms,
    clock: Clock,
  ) {
    super([terms.request], clock);
    this.interruptible = true; // each attempt has a signal
    const scope = callScope.getStore();
    if (scope !== undefined) this.reports = scope.reports;
  }

  /** The answer, also one that is a failure. */
  async run(pipeline: Pipeline): Promise<Answer> {
    let given: unknown;
    try {
      given = await pipeline.run(this);
      if (given === this.last && this.awaitsBreak) this.watchBody(this.last!);
      return given as Answer;
    } catch (error) {
      if (error instanceof FailedAnswerError && error.response === this.last) {
        given = this.last;
        return this.last;
      }
      // The caller may read the body of the error's answer.
      if (this.sender.answerIn?.(error) === this.last) given = this.last;
      throw error;
    } finally {
      if (given !== this.last) this.discardLast();
    }
  }

  override get mayBreak(): boolean {
    return !this.failed && this.sender.watch !== undefined;
  }

  override wantsAnotherAttempt(): boolean {
    return this.terms.repeatable;
  }

  private watchBody(answer: Answer): void {
    const { sender, terms } = this;
    sender.watch?.(answer, (error) => {
      if (!terms.signal?.aborted) this.breakOff(error);
    });
  }

  protected override async perform(): Promise<Answer> {
    this.discardLast();
    const { sender, terms } = this;
    const { signal: caller, request } = terms;
    const { signal: ofCall } = this;
    const attempt = caller && new AttemptSignal(ofCall, caller);
    let answer: Answer | undefined;
    try {
      answer = await sender.send(attempt?.signal ?? ofCall);
      if (ofCall.aborted) return this.dropLate(answer);
      this.last = answer;
    } catch (error) {
      const failed = sender.answerIn?.(error);
      if (!ofCall.aborted) this.last = failed;
      else if (failed !== undefined) this.dropLate(failed);
      throw error;
    } finally {
      const body = answer && sender.bodyOf(answer);
      if (body === undefined) attempt?.release();
      else attempt?.keepFor(body);
    }
    const failure = failureIn(answer, request.host);
    if (failure !== undefined) throw failure;
    return answer;
  }

  protected override performInstead(run: Substitute): unknown {
    return adopt(run(this.self, this.args));
  }

  /** Frees the connection of an answer that the call no longer waits for, since its client ignored the signal. */
  private dropLate(answer: Answer): Answer {
    this.sender.discard(answer);
    return answer;
  }

  private discardLast(): void {
    const { last } = this;
    this.last = undefined;
    if (last !== undefined) this.sender.discard(last);
  }
}
