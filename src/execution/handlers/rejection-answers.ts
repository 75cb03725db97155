import type { ArgumentsHost } from '@nestjs/common';
import { type Observable, of as just, throwError } from 'rxjs';
import { brand } from '../../common/brand.js';
import { ResilienceError } from '../../common/errors.js';
import { look } from '../../common/outcomes/look.js';
import { endHandedOver, grpcStatusOf } from './grpc-status.js';
import { answer, sayWhenToRetry } from './http-answer.js';

// Rejections as clients see them: never with the message, which has internal names.

/** The details for programs. */
interface ClientDetails {
  readonly code: string;
  readonly retryAfterMs?: number;
}

function detailsOf({ code, retryAfterMs }: ResilienceError): ClientDetails {
  // Infinity would become `null` on its way.
  return Number.isFinite(retryAfterMs)
    ? { code, retryAfterMs: Math.ceil(retryAfterMs!) }
    : { code };
}

/** A short phrase that reveals no internals. */
function titleOf(error: ResilienceError): string {
  const title = look(error.getResponse(), 'error');
  return typeof title === 'string' ? title : 'Service Unavailable';
}

/** The rejection with a message that clients may see, for transports that send it. It is still an instance of its class. */
export function withPublicMessage(rejection: ResilienceError): ResilienceError {
  const [message, cause] = [titleOf(rejection), rejection];
  const error = Object.assign(new Error(message), rejection, { message, cause });
  return Object.setPrototypeOf(
    error,
    Object.getPrototypeOf(rejection) as object,
  ) as ResilienceError;
}

const FOR_GRAPHQL = brand('graphql-rejection');

/**
 * A rejection as GraphQL clients may see it: GraphQL sends the message and the `extensions` of an error. For everyone
 * else it is still the same rejection.
 */
class GraphqlRejection extends ResilienceError {
  /** For the client. */
  readonly extensions: Readonly<Record<string, unknown>>;

  constructor(rejection: ResilienceError) {
    const { code, policy, policyName, retryAfterMs } = rejection;
    const [title, status] = [titleOf(rejection), rejection.getStatus()];
    super({
      code,
      policy,
      policyName,
      retryAfterMs,
      title,
      status,
      message: title,
      cause: rejection,
    });
    this.extensions = { ...detailsOf(rejection) };
    // Nest's Apollo driver takes errors with such a body for those of HTTP, and replaces their code.
    Object.defineProperty(this, 'response', { value: this.extensions });
  }
}

Object.defineProperty(GraphqlRejection.prototype, FOR_GRAPHQL, { value: true });

/** A rejection as GraphQL clients may see it, made once on its way to them. */
export function forGraphql(error: ResilienceError): ResilienceError {
  return look(error, FOR_GRAPHQL) === true ? error : new GraphqlRejection(error);
}

/** Nest waits for an item, and does nothing with it. */
const ended = just(undefined) as Observable<never>;

/** Answers a rejection in the way of its transport. @throws the rejection for GraphQL, as clients may see it */
export function answerRejection(
  error: ResilienceError,
  host: ArgumentsHost,
): Observable<never> | undefined {
  switch (host.getType<string>()) {
    case 'http':
      sayWhenToRetry(host, error);
      answer(host, error.getStatus(), error.getResponse());
      return undefined;
    case 'rpc': {
      const status = grpcStatusOf(error, host, titleOf(error));
      if (status !== undefined && endHandedOver(host, status)) return ended;
      return throwError(() => status ?? detailsOf(error));
    }
    case 'ws':
      tellSocket(host.switchToWs().getClient<SocketClient>(), {
        status: 'error',
        message: titleOf(error),
        ...detailsOf(error),
      });
      return undefined;
    case 'graphql':
      throw forGraphql(error);
    default:
      return undefined;
  }
}

/** The parts of a client of socket.io and of `ws` that are used here. */
interface SocketClient {
  /** Only for `ws`, whose `emit()` reaches only the listeners of the server itself. */
  readonly readyState?: unknown;
  emit?(event: string, payload: object): unknown;
  send?(text: string): unknown;
}

function tellSocket(client: SocketClient, payload: object): void {
  if (typeof client.readyState !== 'number') client.emit?.('exception', payload);
  else client.send?.(JSON.stringify({ event: 'exception', data: payload }));
}
