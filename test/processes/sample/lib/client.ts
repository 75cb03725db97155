import { Agent, get, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';

/** An answer of booksvc as its client sees it. */
export interface Answer {
  readonly status: number;
  readonly kind: 'live' | 'stale' | 'error';
  /** The age of a stale answer, seconds. */
  readonly ageSeconds: number | undefined;
  readonly latencyMs: number;
  readonly retryAfter: string | undefined;
  readonly contentType: string;
  readonly body: string;
}

/** Idle connections end here first: booksvc ends them after 5 s, perhaps while a request is on its way. */
const agent = new Agent({ keepAlive: true, timeout: 4_000 });

export function closeClient(): void {
  agent.destroy();
}

/** @throws when there is no answer, or the signal is aborted */
export async function ask(url: string, signal?: AbortSignal): Promise<Answer> {
  const start = performance.now();
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(url, { agent, ...(signal === undefined ? {} : { signal }) }, resolve).on('error', reject);
  });
  const body = await text(response);
  const { headers, statusCode: status = 0 } = response;
  return {
    status,
    kind: kindOf(status, String(headers['cache-status'] ?? '')),
    ageSeconds: headers.age === undefined ? undefined : Number(headers.age),
    latencyMs: performance.now() - start,
    retryAfter: headers['retry-after'],
    contentType: headers['content-type'] ?? '',
    body,
  };
}

function kindOf(status: number, cacheStatus: string): Answer['kind'] {
  if (status !== 200) {
    return 'error';
  }
  return /;\s*hit\b/.test(cacheStatus) ? 'stale' : 'live';
}
