import type { EventEmitter } from 'node:events';
import type { ArgumentsHost } from '@nestjs/common';
import type { ResilienceError } from '../../common/errors.js';
import { look } from '../../common/outcomes/look.js';

/** The part of `Metadata` of @grpc/grpc-js that is used here. */
interface Metadata {
  set(key: string, value: string): void;
}

/** A status as gRPC clients get it. */
export interface GrpcStatus {
  readonly code: number;
  /** The text for clients. */
  readonly details: string;
  readonly message: string;
  readonly metadata: Metadata | undefined;
}

const DEADLINE_EXCEEDED = 4;
const RESOURCE_EXHAUSTED = 8;
const UNAVAILABLE = 14;

/** By the code of the rejection. */
const STATUSES: Readonly<Record<string, number>> = {
  BULKHEAD_FULL: RESOURCE_EXHAUSTED,
  RATE_LIMITED: RESOURCE_EXHAUSTED,
  TIMEOUT: DEADLINE_EXCEEDED,
};

/** The time after which a client may ask again, as clients of gRPC know it (gRFC A6). */
const PUSHBACK = 'grpc-retry-pushback-ms';

/** The code of the rejection, for programs. */
const CODE = 'resilience-code';

/** A rejection as a status of gRPC; `undefined` for other transports. @param title reveals no internals */
export function grpcStatusOf(
  { code, retryAfterMs }: ResilienceError,
  host: ArgumentsHost,
  title: string,
): GrpcStatus | undefined {
  const call = grpcCallOf(host);
  if (call === undefined) return undefined;
  const metadata = emptyLike(look(call, 'metadata'));
  metadata?.set(CODE, code);
  if (Number.isFinite(retryAfterMs)) metadata?.set(PUSHBACK, String(Math.ceil(retryAfterMs!)));
  return { code: STATUSES[code] ?? UNAVAILABLE, details: title, message: title, metadata };
}

/** The call behind a method of gRPC; `undefined` for other transports. */
export function grpcCallOf(host: ArgumentsHost): object | undefined {
  const call: unknown = host.getArgByIndex(2);
  if (isGrpcCall(call)) return call;
  const handedOver: unknown = host.getArgByIndex(0);
  return isGrpcCall(handedOver) ? handedOver : undefined;
}

function isGrpcCall(value: unknown): value is object {
  return typeof look(value, 'sendMetadata') === 'function';
}

/**
 * Ends a call that Nest has handed over to the method (`@GrpcStreamCall()`), whose answer it leaves to it: nobody else would.
 *
 * @returns false for other methods, whose errors Nest sends
 */
export function endHandedOver(host: ArgumentsHost, status: GrpcStatus): boolean {
  const call: unknown = host.getArgByIndex(0);
  if (!isGrpcCall(call)) return false;
  const callback: unknown = host.getArgByIndex(1);
  // With a stream of answers, an error of the stream is its status.
  if (typeof callback === 'function') (callback as (status: GrpcStatus) => void)(status);
  else (call as EventEmitter).emit('error', status);
  return true;
}

/** Metadata of the same class as the client's: the package is the application's own. */
function emptyLike(sent: unknown): Metadata | undefined {
  const type = look(sent, 'constructor');
  if (typeof type !== 'function' || typeof look(sent, 'set') !== 'function') return undefined;
  return new (type as new () => Metadata)();
}
