import type { ArgumentsHost } from '@nestjs/common';
import { isResilienceError } from '../common/errors.js';

/** The part of Node's `ServerResponse` that is used here. */
export interface RawResponse {
  readonly headersSent: boolean;
  readonly destroyed: boolean;
  readonly writableFinished: boolean;
  once(event: 'close', listener: () => void): unknown;
  off(event: 'close', listener: () => void): unknown;
  end(): unknown;
}

/** The methods that responses of Express and replies of Fastify have in common. */
interface FrameworkResponse {
  readonly raw?: RawResponse;
  header(name: string, value: string): unknown;
  status(code: number): FrameworkResponse;
  send(body: unknown): unknown;
}

/** The response of an HTTP request, under Express or Fastify; `undefined` for other transports. */
export function rawResponseOf(host: ArgumentsHost): RawResponse | undefined {
  if (host.getType() !== 'http') return undefined;
  const response = responseOf(host) as (Partial<FrameworkResponse> & RawResponse) | undefined;
  const raw = response?.raw ?? response;
  return typeof raw?.once === 'function' ? raw : undefined;
}

/** Sets `Retry-After`, in whole seconds, when the error is a rejection that knows it and the answer has not begun. */
export function sayWhenToRetry(host: ArgumentsHost, error: unknown): void {
  if (!isResilienceError(error) || !Number.isFinite(error.retryAfterMs)) return;
  if (rawResponseOf(host)?.headersSent) return;
  const seconds = Math.max(1, Math.ceil(error.retryAfterMs! / 1_000));
  responseOf(host).header('Retry-After', String(seconds));
}

/** Answers an HTTP request with a JSON body; only ends the answer when that has begun already. */
export function answer(host: ArgumentsHost, status: number, body: unknown): void {
  const raw = rawResponseOf(host);
  if (raw?.headersSent) raw.end();
  else responseOf(host).status(status).send(body);
}

function responseOf(host: ArgumentsHost): FrameworkResponse {
  return host.switchToHttp().getResponse<FrameworkResponse>();
}
