import type { CallHandler, ExecutionContext } from '@nestjs/common';
import type { Clock } from '../common/clock.js';
import type { ReportSink } from '../pipeline/call-report.js';
import { callScope } from '../pipeline/call-scope.js';
import { Call, type Substitute } from '../pipeline/call.js';
import { HandlerAttempt } from '../pipeline/handler-attempt.js';
import { ClientGoneError } from './client-gone-error.js';
import { clientSignalOf } from './client-signals.js';
import { isEventStream } from './handlers.js';
import { type RawResponse, rawResponseOf } from './http-answer.js';
import type { DecoratedMethod } from './decorated-method.js';
import { openerFor } from './answer-streams.js';
import { firstOf } from './streams.js';

/** A call of a decorated handler, run by the interceptor. */
export class HandlerCall extends Call {
  override interruptible = true;
  private readonly response: RawResponse | undefined;
  /** Of another transport than HTTP. */
  private readonly client: AbortSignal | undefined;
  private running: HandlerAttempt | undefined = undefined;

  constructor(
    private readonly decorated: DecoratedMethod,
    controller: unknown,
    private readonly context: ExecutionContext,
    private readonly next: CallHandler,
    clock: Clock,
    reports: ReportSink | undefined,
  ) {
    super(context.getArgs(), clock, controller);
    this.reports = reports;
    this.response = rawResponseOf(context);
    this.client = this.response === undefined ? clientSignalOf(context) : undefined;
    if (this.response?.destroyed || this.client?.aborted) this.onClose();
    else if (this.response !== undefined) this.response.on('close', this.onClose);
    else this.client?.addEventListener('abort', this.onClose);
  }

  protected override get mayStream(): boolean {
    return true;
  }

  protected override perform(): Promise<unknown> {
    return this.runHandler();
  }

  /** Runs the substitute through Nest, which makes its arguments, and treats its answer like the handler's. */
  protected override performInstead(run: Substitute): Promise<unknown> {
    return this.runHandler(run);
  }

  private runHandler(substitute?: Substitute): Promise<unknown> {
    const { decorated, reports, holding } = this;
    const handler = new HandlerAttempt(this, decorated, substitute);
    this.running?.end();
    this.running = handler;
    this.track(undefined);
    return callScope.run({ handler, reports, holding }, () =>
      firstOf(this.next.handle(), this, openerFor(this.context.getType())),
    );
  }

  override interrupt(level: number, error: unknown): void {
    if (!this.finished) this.running?.giveUp(error);
    super.interrupt(level, error);
  }

  override fail(error: unknown): void {
    super.fail(error);
    this.running?.end();
  }

  /** False when the response is being sent, or its client has gone. */
  override wantsAnotherAttempt(): boolean {
    const { response, context } = this;
    if (response === undefined) return true;
    // Nest sends the head of an event stream before its first event.
    return !response.destroyed && (!response.headersSent || isEventStream(context.getHandler()));
  }

  override finish(): void {
    super.finish();
    this.running?.end();
    this.response?.off('close', this.onClose);
    this.client?.removeEventListener('abort', this.onClose);
  }

  private readonly onClose = (): void => {
    // A stream that has not ended by then is one that nobody reads.
    if (this.response?.writableFinished && !this.streaming) return;
    const { context } = this;
    this.abort(new ClientGoneError(`${context.getClass().name}.${context.getHandler().name}`));
  };
}
