import { isFailure } from '../common/outcomes/default-outcome.js';
import { statusOf } from '../common/outcomes/status.js';

/** The details of an HTTP request that policies see: without credentials, query and body. */
export interface HttpRequest {
  /** In upper case. */
  readonly method: string;
  /** Host and port, the port only if it is not the scheme's own: `api.example.com:8443`, `[::1]:3000`. */
  readonly host: string;
  /** The path of the URL. */
  readonly path: string;
}

/** An answer of `fetch` or axios. */
export interface HttpAnswer {
  /** The status code, such as 503. */
  readonly status: number;
  /** `Headers` of `fetch`, or the headers of axios. */
  readonly headers: unknown;
}

/** Idempotent methods (RFC 9110, 9.2.2), whose requests may be sent again. */
export const IDEMPOTENT_METHODS: readonly string[] = [
  'GET',
  'HEAD',
  'OPTIONS',
  'TRACE',
  'PUT',
  'DELETE',
];

/** The header by which a client declares that a request may be sent again. */
export const IDEMPOTENCY_KEY = 'idempotency-key';

/**
 * An answer with a failure status (5xx, 408, 425, 429), as policies see it. The caller gets it as an answer again,
 * unless a fallback answers.
 */
export class FailedAnswerError extends Error {
  /** For logs. */
  override readonly name = 'FailedAnswerError';

  constructor(
    /** The answer; its body has not been read. */
    readonly response: HttpAnswer,
    host: string,
  ) {
    super(`${host} answered ${response.status}`);
  }
}

/** The answer as an error, if its status is a failure by the default rule. */
export function failureIn(answer: HttpAnswer, host: string): FailedAnswerError | undefined {
  if (statusOf(answer) === undefined) return undefined;
  const error = new FailedAnswerError(answer, host);
  return isFailure(error) ? error : undefined;
}

/** `undefined` for a URL without policies: it is invalid, or not of HTTP. */
export function requestTo(
  url: string,
  base: string | undefined,
  method: string,
): HttpRequest | undefined {
  if (!URL.canParse(url, base)) return undefined;
  const { protocol, host, pathname } = new URL(url, base);
  if (protocol !== 'http:' && protocol !== 'https:') return undefined;
  return { method: method.toUpperCase(), host, path: pathname };
}
