import type { ArgumentsHost } from '@nestjs/common';
import type { ResilienceError } from '../common/errors.js';
import { look } from '../common/outcomes/look.js';

/** The part of `Metadata` of @grpc/grpc-js that is used here. */
interface Metadata {
  set(key: string, value: string): void;
}

/** A status as gRPC clients get it. */
interface GrpcStatus {
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
  const call: unknown = host.getArgByIndex(2);
  if (typeof look(call, 'sendMetadata') !== 'function') return undefined;
  const metadata = emptyLike(look(call, 'metadata'));
  metadata?.set(CODE, code);
  if (Number.isFinite(retryAfterMs)) metadata?.set(PUSHBACK, String(Math.ceil(retryAfterMs!)));
  return { code: STATUSES[code] ?? UNAVAILABLE, details: title, message: title, metadata };
}

/** Metadata of the same class as the client's: the package is the application's own. */
function emptyLike(sent: unknown): Metadata | undefined {
  const type = look(sent, 'constructor');
  if (typeof type !== 'function' || typeof look(sent, 'set') !== 'function') return undefined;
  return new (type as new () => Metadata)();
}
