import { setMaxListeners } from 'node:events';
import { type ExecutionContext } from '@nestjs/common';
import { look } from '../../common/outcomes/look.js';
import { awaitedConnectionOf } from '../../common/queued-responses.js';
import { ClientGoneError } from '../client-gone-error.js';
import { grpcCallOf } from './grpc-status.js';
import { http2StreamOf } from './http2-stream.js';

/** The part of Node's `EventEmitter` that is used here. */
interface Emitter {
  once(event: string, listener: () => void): unknown;
}

/** Something that ends when a client disconnects, and how that can be detected. */
interface Connection {
  readonly emitter: Emitter;
  readonly event: string;
  /** Whether its end means that the client has gone. */
  hasGone(): boolean;
}

/** One for each connection, since many calls may use it one after another: each would leave a listener behind. */
const signals = new WeakMap<object, AbortSignal>();

/**
 * A signal that is aborted when the client of a WebSocket, a GraphQL request or a gRPC call has gone; `undefined` where the
 * transport cannot know it, and for HTTP, where the response shows it.
 */
export function clientSignalOf(context: ExecutionContext): AbortSignal | undefined {
  const connection = connectionOf(context);
  if (connection === undefined) return undefined;
  const { emitter, event } = connection;
  const known = signals.get(emitter);
  if (known !== undefined) return known;
  const controller = new AbortController();
  setMaxListeners(0, controller.signal); // any number of calls may share the connection
  const ended = (): void => {
    if (connection.hasGone()) controller.abort(new ClientGoneError('this connection'));
  };
  if (connection.hasGone()) ended();
  else emitter.once(event, ended);
  signals.set(emitter, controller.signal);
  return controller.signal;
}

function connectionOf(context: ExecutionContext): Connection | undefined {
  switch (context.getType<string>()) {
    case 'ws':
      return ofSocket(context.switchToWs().getClient());
    case 'rpc':
      return ofGrpcCall(context.getArgByIndex(2)) ?? ofGrpcCall(grpcCallOf(context));
    case 'graphql':
      return ofGraphql(context.getArgByIndex(2));
    default:
      return undefined;
  }
}

function isEmitter(value: unknown): value is Emitter {
  return typeof look(value, 'once') === 'function';
}

/** A client of `ws`, which has a `readyState`, or of socket.io. */
function ofSocket(client: unknown): Connection | undefined {
  if (!isEmitter(client)) return undefined;
  if (typeof look(client, 'readyState') === 'number') {
    return {
      emitter: client,
      event: 'close',
      hasGone: () => (look(client, 'readyState') as number) >= CLOSING,
    };
  }
  return {
    emitter: client,
    event: 'disconnect',
    hasGone: () => look(client, 'connected') === false,
  };
}

/** `WebSocket.CLOSING`. */
const CLOSING = 2;

/** Other transports of microservices have no call. */
function ofGrpcCall(call: unknown): Connection | undefined {
  if (!isEmitter(call)) return undefined;
  return { emitter: call, event: 'cancelled', hasGone: () => look(call, 'cancelled') === true };
}

/** @param value GraphQL's context, as the drivers of Nest make it */
function ofGraphql(value: unknown): Connection | undefined {
  const request = look(value, 'req');
  const socket = look(look(request, 'extra'), 'socket');
  if (isEmitter(socket)) return ofSocket(socket); // graphql-ws
  const reply = look(value, 'reply'); // Mercurius
  const responses = [look(value, 'res'), look(request, 'res'), reply];
  for (const response of responses) {
    const raw = look(response, 'raw') ?? response;
    if (isEmitter(raw)) return ofResponse(raw);
  }
  const upgraded = look(reply, 'request') ?? request ?? look(value, 'request');
  return ofRequest(look(upgraded, 'raw') ?? upgraded);
}

/** @param response with HTTP/2 only a facade of a stream; only the stream knows how it has ended */
function ofResponse(response: Emitter): Connection {
  const awaited = awaitedConnectionOf(response);
  if (awaited !== undefined) return ofConnection(awaited);
  const emitter = http2StreamOf(response) ?? response;
  return {
    emitter,
    event: 'close',
    hasGone: () =>
      look(emitter, 'destroyed') === true &&
      (!look(emitter, 'writableFinished') || look(emitter, 'aborted') === true), // of a stream
  };
}

/** A request without access to its response: Mercurius over WebSocket, Apollo on Fastify. */
function ofRequest(request: unknown): Connection | undefined {
  const stream = http2StreamOf(request); // requests share a socket
  if (stream !== undefined) return ofResponse(stream);
  const socket = look(request, 'socket');
  if (!isEmitter(socket)) return undefined;
  return ofConnection(socket);
}

function ofConnection(socket: Emitter): Connection {
  return { emitter: socket, event: 'close', hasGone: () => look(socket, 'destroyed') === true };
}
