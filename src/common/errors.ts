import { HttpException } from '@nestjs/common';
import { brand } from './brand.js';
import { look } from './outcomes/look.js';
import { limitStacks, restoreStacks } from './stack-limit.js';

const BRAND = brand('error');

/** The details of a rejection made by this library. */
export interface ResilienceErrorDetails {
  /** Stable identifier for programs, such as `CIRCUIT_OPEN`. */
  readonly code: string;
  /** The kind of policy that rejected the call, such as `circuitBreaker`; `command` or `interceptor` when no policy did. */
  readonly policy: string;
  /** The name of the policy's instance: a breaker's name, or `Class.method`. */
  readonly policyName: string;
  /** HTTP status of the answer when the error is not handled. */
  readonly status: number;
  /** Short phrase for the HTTP body; must not reveal internals of the service to callers. */
  readonly title: string;
  /** Message for logs, with names. */
  readonly message: string;
  /** Milliseconds after which another attempt may succeed; becomes the `Retry-After` header. */
  readonly retryAfterMs?: number | undefined;
  /** The error behind it. */
  readonly cause?: unknown;
}

/**
 * Base class of the library's own rejections. The errors of your methods are never wrapped: they reach the caller
 * unchanged.
 *
 * Extends `HttpException`, so an unhandled one becomes the answer of its status (503, 504, …) instead of a logged 500. The body has
 * `statusCode`, `message`, `error` and `code`, and reveals no internals.
 */
export abstract class ResilienceError extends HttpException {
  /** Stable identifier for programs, such as `CIRCUIT_OPEN`. */
  readonly code: string;
  /** The kind of policy that rejected the call, such as `circuitBreaker`; `command` or `interceptor` when no policy did. */
  readonly policy: string;
  /** The name of the breaker or bulkhead, or of the method (`Class.method`), command or pipeline. */
  readonly policyName: string;
  /** Milliseconds after which another attempt may succeed; `undefined` when that is unknown. */
  readonly retryAfterMs: number | undefined;

  constructor(details: ResilienceErrorDetails) {
    const { status, title, code, cause } = details;
    const body = { statusCode: status, message: title, error: title, code };
    // A rejection's stack trace adds nothing to its name, and would cost more than the rejection itself.
    const limit = limitStacks(0);
    try {
      super(body, status, cause === undefined ? undefined : { cause });
    } finally {
      if (limit !== undefined) restoreStacks(limit);
    }
    this.message = details.message;
    this.code = code;
    this.policy = details.policy;
    this.policyName = details.policyName;
    this.retryAfterMs = details.retryAfterMs;
  }

  /** Headers of the HTTP answer beside `Retry-After`; they must not reveal internals of the service to callers. */
  get httpHeaders(): Readonly<Record<string, string>> {
    return {};
  }
}

Object.defineProperty(ResilienceError.prototype, BRAND, { value: true });

/**
 * Whether `error` is a rejection made by this library (by any copy of it in the process) and, if `code` is given, has that
 * code.
 *
 * @example
 * if (isResilienceError(error, 'CIRCUIT_OPEN')) return cached;
 */
export function isResilienceError(error: unknown, code?: string): error is ResilienceError {
  if (typeof error !== 'object' || error === null) return false;
  return look(error, BRAND) === true && (code === undefined || look(error, 'code') === code);
}

/** Thrown at bootstrap, with every problem in the configuration; later, for anything defined or loaded after that. */
export class ResilienceConfigurationError extends Error {
  /** The name of the class. */
  override readonly name = 'ResilienceConfigurationError';

  constructor(
    /** The problems, each with its place, the value and the right form. */
    readonly problems: readonly string[],
  ) {
    const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
    super(
      `nest-resilience found ${count} in the configuration:\n` +
        problems.map((problem) => `  - ${problem}`).join('\n'),
    );
  }
}
