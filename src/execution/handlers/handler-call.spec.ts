import { EventEmitter } from 'node:events';
import { Readable } from 'node:stream';
import { type ExecutionContext, StreamableFile } from '@nestjs/common';
import { NEVER, type Observable, Subject, concat, of as just } from 'rxjs';
import { heapUsed } from '../../../test/support/let-go.js';
import { outcome } from '../../../test/support/wait.js';
import { Retry } from '../../index.js';
import { ManualClock } from '../../testing/index.js';
import { decoratedMethodOf } from '../methods/decorated-method.js';
import type { ClientGoneError } from '../client-gone-error.js';
import { HandlerCall } from './handler-call.js';
import type { MethodPlan } from '../plan.js';

class Books {
  @Retry()
  async find(): Promise<void> {}
  @Retry()
  async events(): Promise<void> {}
}

Reflect.defineMetadata('__sse__', true, Books.prototype.events);

/** The response of an HTTP request, without a connection. */
class Response extends EventEmitter {
  destroyed = false;
  headersSent = false;
  writableFinished = false;
}

/** Lets the test see whether it has ended. */
class EndingCall extends HandlerCall {
  get hasEnded(): boolean {
    return this.finished;
  }
}

/** A call of a handler; without a response: on another transport. */
function called(
  response?: Response,
  source: Observable<unknown> = NEVER,
  key: keyof Books = 'find',
) {
  const handler = Books.prototype[key];
  const context = {
    getArgs: () => [],
    getArgByIndex: (index: number) => (index === 1 ? response : undefined),
    getClass: () => Books,
    getHandler: () => handler,
    getType: () => (response === undefined ? 'rpc' : 'http'),
  } as unknown as ExecutionContext;
  const call = new EndingCall(
    {
      decorated: decoratedMethodOf(handler)!,
      plan: {} as MethodPlan,
      controller: undefined,
      direct: true,
      takesEvents: false,
      takesMessages: false,
    },
    context,
    { handle: () => source },
    new ManualClock(),
    undefined,
  );
  call.watchClient(); // as the next turn of the event loop does
  return call;
}

const reasonOf = ({ signal }: HandlerCall): unknown => signal.reason;

describe('when the client of a handler has gone', () => {
  it('the call is notified', () => {
    const response = new Response();
    const call = called(response);
    expect(call.signal.aborted).toBe(false);
    response.emit('close');
    const reason = reasonOf(call) as ClientGoneError;
    expect(reason).toMatchObject({
      code: 'CLIENT_GONE',
      policy: 'interceptor',
      policyName: 'Books.find',
      message: 'the client of Books.find has gone',
    });
    expect(reason.getStatus()).toBe(499);
    expect(reason.getResponse()).toMatchObject({ message: 'Client Closed Request' });
  });

  it('before the call has begun, it is notified at once', async () => {
    const call = called(Object.assign(new Response(), { destroyed: true }));
    expect(reasonOf(call)).toMatchObject({ code: 'CLIENT_GONE' });
  });

  it('after the answer, the call is not notified', () => {
    const response = Object.assign(new Response(), { writableFinished: true });
    const call = called(response);
    response.emit('close');
    expect(call.signal.aborted).toBe(false);
  });

  it('after the call has ended, no listener is left', () => {
    const response = new Response();
    const call = called(response);
    expect(response.listenerCount('close')).toBe(1);
    call.finish();
    expect(response.listenerCount('close')).toBe(0);
  });

  it('the work of the handler ends', async () => {
    const [response, source] = [new Response(), new Subject<number>()];
    const call = called(response, source);
    const answer = outcome(Promise.resolve(call.start()));
    expect(source.observed).toBe(true);
    response.emit('close');
    expect(source.observed).toBe(false);
    expect(await answer).toMatchObject({ error: { code: 'CLIENT_GONE' } });
  });
});

describe('another attempt makes sense', () => {
  it('until the answer has begun, or the client has gone', () => {
    const response = new Response();
    const call = called(response);
    expect(call.wantsAnotherAttempt()).toBe(true);
    response.headersSent = true;
    expect(call.wantsAnotherAttempt()).toBe(false);
    Object.assign(response, { headersSent: false, destroyed: true });
    expect(call.wantsAnotherAttempt()).toBe(false);
  });

  it('although the head of an event stream has been sent', () => {
    const response = Object.assign(new Response(), { headersSent: true });
    const call = called(response, undefined, 'events');
    expect(call.wantsAnotherAttempt()).toBe(true);
    response.destroyed = true;
    expect(call.wantsAnotherAttempt()).toBe(false);
  });

  it('on other transports always', () => {
    expect(called().wantsAnotherAttempt()).toBe(true);
  });

  it('with messages of a client until its method has been called', () => {
    const call = called();
    const running = { reached: false };
    Object.assign(call, { site: { takesMessages: true }, running });
    expect(call.wantsAnotherAttempt()).toBe(true);
    running.reached = true;
    expect(call.wantsAnotherAttempt()).toBe(false);
  });
});

describe('the call of a handler', () => {
  it('needs no response, and may end, fail or be interrupted before it has begun', () => {
    for (const end of [
      (call: HandlerCall) => call.fail(new Error('down')),
      (call: HandlerCall) => call.finish(),
      (call: HandlerCall) => call.interrupt(0, new Error('slow')),
      (call: HandlerCall) => call.abort(new Error('gone')),
    ]) {
      expect(() => end(called())).not.toThrow();
    }
  });

  it('may have a stream as its result', async () => {
    const call = called(undefined, concat(just(1), NEVER));
    call.succeed(await call.start());
    expect(call.streaming).toBe(true);
  });

  it.each<[string, (stream: Readable) => unknown]>([
    ['a file', (stream) => new StreamableFile(stream)],
    ['a stream', (stream) => stream],
  ])('ends the answer of an earlier attempt that gives way to another outcome: %s', (_, answer) => {
    for (const next of [
      (call: HandlerCall) => call.succeed('the next one'),
      (call: HandlerCall) => call.fail(new Error('down')),
    ]) {
      const stream = Readable.from(['x']);
      const call = called(new Response());
      const first = answer(stream);
      call.succeed(first);
      call.succeed(first); // by a policy that keeps it
      expect(stream.destroyed).toBe(false);
      next(call);
      expect(stream.destroyed).toBe(true);
    }
  });

  it('can be interrupted', () => {
    expect(called().interruptible).toBe(true);
  });
});

describe('a call of a handler that has ended', () => {
  class LargeResponse extends Response {
    readonly body = new Array<number>(100_000).fill(0.5);
  }

  it('is not kept until the turn of the event loop', () => {
    called(new Response()).finish();
    const before = heapUsed();
    for (let i = 0; i < 20; i++) called(new LargeResponse()).finish();
    expect(heapUsed() - before).toBeLessThan(4 * 800_000);
  });
});
