import type { Call } from '../../pipeline/call.js';
import { headersOf } from './headers.js';
import type { Limiter } from './limiter.js';
import { RateLimitStage } from './rate-limit-stage.js';
import { RateLimitedError } from './rate-limited-error.js';
import type { Turn } from './turn.js';

/** The stage of handlers that tell HTTP clients in every answer how many calls are left. */
export class RateLimitHeadersStage extends RateLimitStage {
  protected override take(limiter: Limiter, call: Call): Turn | undefined {
    try {
      const turn = super.take(limiter, call);
      if (turn !== undefined) return new HeadersTurn(turn, limiter, call);
    } catch (error) {
      throw withHeaders(error, call);
    }
    setHeaders(limiter, call);
    return undefined;
  }
}

class HeadersTurn implements Turn {
  readonly ready: Promise<void>;

  constructor(
    private readonly turn: Turn,
    limiter: Limiter,
    call: Call,
  ) {
    this.ready = turn.ready.then(
      () => setHeaders(limiter, call),
      (error: unknown) => {
        throw withHeaders(error, call);
      },
    );
  }

  leave(): void {
    this.turn.leave();
  }
}

function setHeaders(limiter: Limiter, call: Call): void {
  call.setHeaders(headersOf(limiter.quota(), limiter.nextMs()));
}

/** The headers stay even if a fallback answers. @returns the error */
function withHeaders(error: unknown, call: Call): unknown {
  if (error instanceof RateLimitedError) call.setHeaders(error.httpHeaders);
  return error;
}
