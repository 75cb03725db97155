import events, { EventEmitter } from 'node:events';
import type { ExecutionContext } from '@nestjs/common';
import { clientSignalOf } from './client-signals.js';

/** The context of a call with the arguments of its transport. */
function contextOf(type: string, ...args: unknown[]): ExecutionContext {
  return {
    getType: () => type,
    getArgByIndex: (at: number) => args[at],
    switchToWs: () => ({ getClient: () => args[0] }),
  } as unknown as ExecutionContext;
}

/** An emitter with some properties. */
function emitter<P extends object>(properties: P): EventEmitter & P {
  return Object.assign(new EventEmitter(), properties);
}

type Case = [title: string, context: (end: EventEmitter) => ExecutionContext, event: string];

const graphql = (context: object): ExecutionContext => contextOf('graphql', {}, {}, context, {});

describe('the signal of a client', () => {
  it.each<Case>([
    ['a gRPC call', (call) => contextOf('rpc', {}, {}, call), 'cancelled'],
    ['socket.io', (client) => contextOf('ws', client), 'disconnect'],
    ['GraphQL by graphql-ws', (socket) => graphql({ req: { extra: { socket } } }), 'disconnect'],
    ['GraphQL on Express', (res) => graphql({ req: { res } }), 'close'],
    ['GraphQL whose context has the response', (res) => graphql({ res }), 'close'],
    [
      'GraphQL on Express, before the turn of the response',
      (socket) => graphql({ res: emitter({ socket: null, req: { socket } }) }),
      'close',
    ],
    ['Mercurius', (raw) => graphql({ reply: { raw } }), 'close'],
    ['Apollo on Fastify', (socket) => graphql({ req: { raw: { socket } } }), 'close'],
    [
      'Mercurius by WebSocket',
      (socket) => graphql({ reply: { request: { raw: { socket } } } }),
      'close',
    ],
    [
      'a query to Mercurius by WebSocket',
      (socket) => graphql({ request: { raw: { socket } } }),
      'close',
    ],
    ['GraphQL over HTTP/2', (stream) => graphql({ res: emitter({ stream }) }), 'close'],
    ['Apollo on Fastify over HTTP/2', (stream) => graphql({ req: { raw: { stream } } }), 'close'],
  ])('of %s is aborted when it has gone', (_, contextWith, event) => {
    const end = emitter({ aborted: false, cancelled: false, connected: true, destroyed: false });
    const signal = clientSignalOf(contextWith(end))!;
    expect(signal.aborted).toBe(false);
    Object.assign(end, { cancelled: true, connected: false, destroyed: true });
    end.emit(event);
    expect(signal.reason).toMatchObject({ code: 'CLIENT_GONE' });
  });

  it('may have a listener for each of the many calls that share a connection', () => {
    const limit = jest.spyOn(events, 'setMaxListeners');
    const signal = clientSignalOf(contextOf('ws', emitter({ connected: true })))!;
    expect(limit.mock.calls).toEqual([[0, signal]]); // Node 20 warns about more than ten
    limit.mockRestore();
  });

  it('is aborted from the start when the client has gone before', () => {
    const call = emitter({ cancelled: true });
    expect(clientSignalOf(contextOf('rpc', {}, {}, call))!.aborted).toBe(true);
  });

  it('is not aborted by the end of an answer that has been sent', () => {
    const res = emitter({ destroyed: true, writableFinished: true });
    const signal = clientSignalOf(graphql({ res }))!;
    res.emit('close');
    expect(signal.aborted).toBe(false);
  });

  it('is aborted when an HTTP/2 stream was cancelled, which counts as finished', () => {
    const stream = emitter({ destroyed: false, writableFinished: false, aborted: false });
    const signal = clientSignalOf(graphql({ res: emitter({ stream }) }))!;
    Object.assign(stream, { destroyed: true, writableFinished: true, aborted: true });
    stream.emit('close');
    expect(signal.aborted).toBe(true);
  });

  it('is one for all calls of a connection, with one listener', () => {
    const client = emitter({ connected: true });
    const first = clientSignalOf(contextOf('ws', client));
    expect(clientSignalOf(contextOf('ws', client))).toBe(first);
    expect(client.listenerCount('disconnect')).toBe(1);
  });

  it.each([
    ['a microservice over TCP', contextOf('rpc', {}, {})],
    ['GraphQL without a context', contextOf('graphql', {}, {}, undefined)],
    ['HTTP, where the response tells it', contextOf('http', {}, {})],
    ['another transport', contextOf('carrier pigeon', {})],
  ])('does not exist for %s', (_, context) => {
    expect(clientSignalOf(context)).toBeUndefined();
  });
});
