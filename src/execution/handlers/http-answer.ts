import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ArgumentsHost, ExecutionContext } from '@nestjs/common';
import { type ResilienceError, isResilienceError } from '../../common/errors.js';
import { look } from '../../common/outcomes/look.js';
import { isCutOff } from '../../common/queued-responses.js';
import { http2StreamOf } from './http2-stream.js';

/** The part of Node's `ServerResponse` that is used here. */
export type RawResponse = Pick<
  ServerResponse,
  | 'destroyed'
  | 'end'
  | 'getHeader'
  | 'headersSent'
  | 'off'
  | 'on'
  | 'once'
  | 'setHeader'
  | 'statusCode'
  | 'writableFinished'
> & {
  readonly req?: Pick<IncomingMessage, 'readableDidRead'>;
};

/** The parts of an Express response and of a Fastify reply that are used here. */
interface FrameworkResponse {
  /** Fastify's only. */
  readonly raw?: RawResponse;
  /** Fastify's only: whether the answer has ended, or the handler has taken it over (`hijack()`). */
  readonly sent?: boolean;
  getHeader(name: string): string | string[] | undefined;
  header(name: string, value: string): unknown;
  status(code: number): FrameworkResponse;
  send(body: unknown): unknown;
}

/** The response of an HTTP request, under Express or Fastify; `undefined` for other transports. */
export function rawResponseOf(host: ArgumentsHost): RawResponse | undefined {
  return host.getType() === 'http' ? rawOf(host.switchToHttp().getResponse()) : undefined;
}

/** The same in the context of a call, without the object and the functions that `switchToHttp()` creates. */
export function rawResponseIn(context: ExecutionContext): RawResponse | undefined {
  return context.getType() === 'http' ? rawOf(context.getArgByIndex(1)) : undefined;
}

function rawOf(
  response: (Partial<FrameworkResponse> & RawResponse) | undefined,
): RawResponse | undefined {
  const raw = response?.raw ?? response;
  return typeof raw?.once === 'function' ? raw : undefined;
}

/** Whether the answer has been sent, or its client has gone. */
export function isOver(response: RawResponse): boolean {
  const stream = http2StreamOf(response);
  return stream === undefined ? response.destroyed || isCutOff(response) : stream.destroyed;
}

/** Whether the whole answer has been sent. HTTP/2 also reports cancelled answers as finished. */
export function isSent(response: RawResponse): boolean {
  const stream = http2StreamOf(response);
  return stream === undefined
    ? response.writableFinished
    : stream.writableFinished && !stream.aborted;
}

/** Whether the answer to an HTTP request has begun, or the handler has taken the response over to send it by itself. */
export function isBeingAnswered(context: ExecutionContext): boolean {
  const response: unknown = context.getArgByIndex(1);
  return rawResponseIn(context)?.headersSent === true || look(response, 'sent') === true;
}

/**
 * Sets `Retry-After`, in whole seconds, when the error is a rejection that knows it, and the rejection's own headers, if the
 * answer has not begun.
 */
export function sayWhenToRetry(host: ArgumentsHost, error: unknown): void {
  if (isResilienceError(error)) setHeaders(host, headersOf(error));
}

/** Sets headers of an HTTP answer, if it has not begun. */
export function setHeaders(host: ArgumentsHost, headers: Readonly<Record<string, string>>): void {
  const raw = rawResponseOf(host);
  if (raw === undefined || raw.headersSent) return;
  const response = frameworkResponseOf(host);
  for (const [name, value] of Object.entries(headers)) {
    if (response === undefined) raw.setHeader(name, value);
    else response.header(name, value);
  }
}

function headersOf({ retryAfterMs, httpHeaders }: ResilienceError): Record<string, string> {
  if (!Number.isFinite(retryAfterMs)) return { ...httpHeaders };
  return { ...httpHeaders, 'Retry-After': String(Math.max(1, Math.ceil(retryAfterMs! / 1_000))) };
}

/** Answers an HTTP request with a JSON body; if the answer has begun already, only ends it. */
export function answer(host: ArgumentsHost, status: number, body: unknown): void {
  const raw = rawResponseOf(host);
  if (raw === undefined) return;
  const response = frameworkResponseOf(host);
  if (raw.headersSent || response?.sent) {
    raw.end();
  } else if (response === undefined) {
    raw.statusCode = status;
    raw.setHeader('Content-Type', JSON_TYPE);
    raw.end(JSON.stringify(body));
  } else {
    // Nest sets the type that `@Header()` declares before the handler runs.
    const type = response.getHeader('Content-Type');
    if (type !== undefined && !/json/i.test(type.toString()))
      response.header('Content-Type', JSON_TYPE);
    response.status(status).send(body);
  }
}

const JSON_TYPE = 'application/json; charset=utf-8';

/** `undefined` in Fastify's middleware, which only has Node's response. */
function frameworkResponseOf(host: ArgumentsHost): FrameworkResponse | undefined {
  const response = host.switchToHttp().getResponse<FrameworkResponse>();
  return typeof response.send === 'function' ? response : undefined;
}
