import { isResilienceError } from './errors.js';

interface HttpErrorLike {
  getStatus?: () => unknown;
  status?: unknown;
  statusCode?: unknown;
  response?: { status?: unknown; statusCode?: unknown; headers?: unknown };
  headers?: unknown;
}

function asHttpStatus(value: unknown): number | undefined {
  return typeof value === 'number' && value >= 300 && value <= 599 ? value : undefined;
}

/**
 * The HTTP status that an error stands for: Nest's `HttpException`, or the error of an HTTP client (axios, got,
 * superagent, ky, undici: a `response` with a status, or a status of its own).
 */
export function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { getStatus, status, statusCode, response } = error as HttpErrorLike;
  if (typeof getStatus === 'function') return asHttpStatus(getStatus.call(error));
  return (
    asHttpStatus(response?.status) ??
    asHttpStatus(response?.statusCode) ??
    asHttpStatus(status) ??
    asHttpStatus(statusCode)
  );
}

function header(headers: unknown, name: string): unknown {
  if (typeof headers !== 'object' || headers === null) return undefined;
  const { get } = headers as { get?: unknown };
  if (typeof get === 'function') return (get as (name: string) => unknown).call(headers, name);
  const key = Object.keys(headers).find((candidate) => candidate.toLowerCase() === name);
  return key === undefined ? undefined : (headers as Record<string, unknown>)[key];
}

/**
 * How many milliseconds the error asks to wait: `retryAfterMs` of our own rejections, or the `Retry-After`
 * header of an HTTP client's error (seconds or a date, RFC 9110, 10.2.3). A date in the past is 0; garbage is
 * `undefined`.
 *
 * @param wall the time now, milliseconds since the epoch
 */
export function retryAfterOf(error: unknown, wall: number): number | undefined {
  if (isResilienceError(error)) return error.retryAfterMs;
  if (typeof error !== 'object' || error === null) return undefined;
  const { response, headers } = error as HttpErrorLike;
  const value = header(response?.headers, 'retry-after') ?? header(headers, 'retry-after');
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text !== 'string') return undefined;
  if (/^\s*\d+(\.\d+)?\s*$/.test(text)) return Number(text) * 1_000;
  const date = /[a-z]/i.test(text) ? Date.parse(text) : NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - wall);
}
