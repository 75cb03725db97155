import { HttpException } from '@nestjs/common';
import { brand } from './brand.js';
import { look } from './outcomes/look.js';

const BRAND = brand('error');

/** The details of a rejection made by this library. */
export interface ResilienceErrorDetails {
  /** Stable identifier for programs, such as `CIRCUIT_OPEN`. */
  readonly code: string;
  /** The kind of policy that rejected the call, such as `circuitBreaker`. */
  readonly policy: string;
  /** The name of the policy's instance: a breaker's name, or `Class.method`. */
  readonly policyName: string;
  /** HTTP status of the answer when nobody handles the error. */
  readonly status: number;
  /** Short phrase for the HTTP body; it must not tell callers about the inside of the service. */
  readonly title: string;
  /** For logs: what happened, with names. */
  readonly message: string;
  /** Milliseconds after which trying again may succeed; becomes the `Retry-After` header. */
  readonly retryAfterMs?: number | undefined;
  /** The error behind it. */
  readonly cause?: unknown;
}

/**
 * Base of all errors that this library makes itself. The errors of your methods are never wrapped: they reach
 * the caller as they are.
 *
 * Extends `HttpException`, so an unhandled one becomes a 503, 504 or 429 answer instead of a logged 500. The
 * body holds `statusCode`, `message`, `error` and `code`, nothing of the inside.
 */
export abstract class ResilienceError extends HttpException {
  /** Stable identifier for programs, such as `CIRCUIT_OPEN`. */
  readonly code: string;
  /** The kind of policy that rejected the call, such as `circuitBreaker`. */
  readonly policy: string;
  /** A breaker's or a bulkhead's name, or `Class.method`. */
  readonly policyName: string;
  /** Milliseconds after which trying again may succeed; `undefined` when that is not known. */
  readonly retryAfterMs: number | undefined;

  constructor(details: ResilienceErrorDetails) {
    const { status, title, code, cause } = details;
    const body = { statusCode: status, message: title, error: title, code };
    // The stack of a rejection says nothing that its name does not, and costs more than the rejection itself.
    const limit = forbidStacks();
    try {
      super(body, status, cause === undefined ? undefined : { cause });
    } finally {
      if (limit !== undefined) allowStacks(limit);
    }
    this.message = details.message;
    this.code = code;
    this.policy = details.policy;
    this.policyName = details.policyName;
    this.retryAfterMs = details.retryAfterMs;
  }
}

/** @returns the limit to set again; `undefined` when it is not for us to change (frozen, deleted, guarded) */
function forbidStacks(): number | undefined {
  try {
    const limit: unknown = Error.stackTraceLimit;
    if (typeof limit !== 'number') return undefined;
    Error.stackTraceLimit = 0;
    return limit;
  } catch {
    return undefined;
  }
}

function allowStacks(limit: number): void {
  try {
    Error.stackTraceLimit = limit;
  } catch {
    // somebody has guarded it meanwhile
  }
}

Object.defineProperty(ResilienceError.prototype, BRAND, { value: true });

/**
 * Whether `error` was made by this library (by any copy of it in the process), and, when `code` is given,
 * whether it is of that kind.
 *
 * @example
 * if (isResilienceError(error, 'CIRCUIT_OPEN')) return cached;
 */
export function isResilienceError(error: unknown, code?: string): error is ResilienceError {
  if (typeof error !== 'object' || error === null) return false;
  return look(error, BRAND) === true && (code === undefined || look(error, 'code') === code);
}

/** Thrown at bootstrap: every problem in the configuration, one per line. */
export class ResilienceConfigurationError extends Error {
  /** The name of the class. */
  override readonly name = 'ResilienceConfigurationError';

  constructor(readonly problems: readonly string[]) {
    const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
    super(
      `nest-resilience found ${count} in the configuration:\n` +
        problems.map((problem) => `  - ${problem}`).join('\n'),
    );
  }
}
