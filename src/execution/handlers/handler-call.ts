import type { CallHandler, ExecutionContext } from '@nestjs/common';
import type { Clock } from '../../common/clock.js';
import { look } from '../../common/outcomes/look.js';
import { whenCutOff } from '../../common/queued-responses.js';
import type { ReportSink } from '../../pipeline/call-report.js';
import { callScope } from '../../pipeline/call-scope.js';
import { Call, type Substitute } from '../../pipeline/call.js';
import { HandlerAttempt } from '../../pipeline/handler-attempt.js';
import { ClientGoneError } from '../client-gone-error.js';
import { clientSignalOf } from './client-signals.js';
import { watchLater, watchNoMore } from './client-watch.js';
import { isEventStream } from './handler-kinds.js';
import {
  type RawResponse,
  isBeingAnswered,
  isOver,
  isSent,
  rawResponseIn,
  setHeaders,
} from './http-answer.js';
import type { HandlerSite } from './handler-sites.js';
import { discardAnswer, openerFor } from '../streams/answer-streams.js';
import { endQuietly, isIteratorHead } from '../streams/iterators.js';
import { firstOf } from '../streams/streams.js';

/** A call of a decorated handler, run by the interceptor. */
export class HandlerCall extends Call {
  /** Asks Nest to run the method, with its pipes and other interceptors. Shared, since each request would make a closure. */
  private static readonly handle = (call: HandlerCall): PromiseLike<unknown> =>
    firstOf(call.next.handle(), call, openerFor(call.context.getType()));

  override interruptible = true;
  private readonly response: RawResponse | undefined;
  /** Whether the body of the request was unread when the call began. */
  private readonly unread: boolean;
  /** For transports other than HTTP. */
  private readonly client: AbortSignal | undefined;
  private running: HandlerAttempt | undefined = undefined;
  private over = false;
  /** For {@link FileCall}. */
  file: object | undefined = undefined;
  /** For {@link watchLater}. */
  place = -1;
  /** Listens for the client's disconnect. */
  private onClose: (() => void) | undefined = undefined;

  constructor(
    private readonly site: HandlerSite,
    private readonly context: ExecutionContext,
    private readonly next: CallHandler,
    clock: Clock,
    reports: ReportSink | undefined,
  ) {
    super(context.getArgs(), clock, site.controller);
    this.reports = reports;
    this.response = rawResponseIn(context);
    this.unread = this.response?.req?.readableDidRead === false;
    this.client = this.response === undefined ? clientSignalOf(context) : undefined;
    if (this.hasNoClient) this.clientGone();
    else if (this.response !== undefined || this.client !== undefined) watchLater(this);
  }

  /** Listens for the client's disconnect, unless the call has ended before that was possible. */
  watchClient(): void {
    const { response, client } = this;
    if (this.over || this.onClose !== undefined) return;
    if (this.hasNoClient) return this.clientGone();
    this.onClose = (): void => this.clientGone();
    if (response !== undefined) {
      response.on('close', this.onClose);
      whenCutOff(response, this.onClose);
    } else client?.addEventListener('abort', this.onClose);
  }

  private get hasNoClient(): boolean {
    const { response, client } = this;
    return response === undefined ? client?.aborted === true : isOver(response);
  }

  protected override get mayStream(): boolean {
    return true;
  }

  get isBodiless(): boolean {
    return look(look(this.response, 'req'), 'method') === 'HEAD';
  }

  override get mayBreak(): boolean {
    return this.streaming || (this.file !== undefined && this.file === this.value);
  }

  /** A file may also break because its client has gone, long after the call has ended. */
  override breakOff(error: unknown): void {
    if (!this.hasNoClient) super.breakOff(error);
  }

  protected override perform(): PromiseLike<unknown> {
    return this.runHandler();
  }

  /** Runs the substitute through Nest, which creates its arguments, and treats its answer like the handler's. */
  protected override performInstead(run: Substitute): PromiseLike<unknown> {
    return this.runHandler(run);
  }

  private runHandler(substitute?: Substitute): PromiseLike<unknown> {
    const { site, reports, holding } = this;
    const handler = new HandlerAttempt(this, site.decorated, substitute, !site.direct);
    this.running?.end();
    this.running = handler;
    this.track(undefined);
    return callScope.run({ handler, reports, holding }, HandlerCall.handle, this);
  }

  override interrupt(level: number, error: unknown): void {
    if (!this.finished) {
      this.running?.giveUp(error);
      this.runningWork?.then(discardAnswer, () => {});
    }
    super.interrupt(level, error);
  }

  override succeed(value: unknown): void {
    if (this.value !== undefined) this.dropFormer(value);
    super.succeed(value);
    if (this.site.direct && !this.interrupted) this.track(undefined);
  }

  override fail(error: unknown): void {
    if (this.value !== undefined) this.dropFormer(undefined);
    super.fail(error);
    if (this.running?.isPending) this.stopWork(error);
    this.running?.end();
    if (this.site.direct && !this.interrupted) this.track(undefined);
  }

  /** Another interceptor has ended the attempt, for example with a timeout of its own, and its work goes on. */
  private stopWork(error: unknown): void {
    const { signalled } = this;
    this.signalled = undefined; // the next attempt has another one
    signalled?.abort(error);
  }

  /** Ends the answer of an earlier attempt, such as a file that `onResult` has refused, when another outcome replaces it. */
  private dropFormer(next: unknown): void {
    const { value } = this;
    if (value === next) return;
    if (isIteratorHead(value)) void endQuietly(value.iterator);
    else discardAnswer(value);
  }

  /** False when the response is being sent, its client has gone, or what that sends has been used up. */
  override wantsAnotherAttempt(): boolean {
    const { response, context, site, running } = this;
    if (site.takesMessages && running?.reached) return false; // Nest hands over each message once
    if (response === undefined) return true;
    if (this.unread && response.req?.readableDidRead === true) return false;
    // Nest sends the head of an event stream before its first event.
    return !isOver(response) && (!isBeingAnswered(context) || isEventStream(context.getHandler()));
  }

  override setHeaders(headers: Readonly<Record<string, string>>): void {
    setHeaders(this.context, headers);
  }

  override finish(): void {
    super.finish();
    this.running?.end();
    this.over = true;
    watchNoMore(this);
    const { onClose } = this;
    if (onClose === undefined) return;
    this.onClose = undefined;
    this.response?.off('close', onClose);
    this.client?.removeEventListener('abort', onClose);
  }

  private clientGone(): void {
    // A stream that has not ended by then has no reader.
    const { response, context } = this;
    if (this.over) return;
    if (response !== undefined && isSent(response) && !this.streaming) return;
    this.abort(new ClientGoneError(`${context.getClass().name}.${context.getHandler().name}`));
  }
}
