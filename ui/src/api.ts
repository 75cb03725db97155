import type {
  AdminAction,
  AdminBreaker,
  AdminBreakerDetails,
  AdminBulkhead,
  AdminChange,
  AdminPage,
  AdminPipelines,
  AdminProblem,
  AdminRateLimit,
} from '../../src/admin/contract.js';
import type { Method } from './model.js';
import { encoded } from './router.js';

/** The page is at `<path>/ui`, the API below `<path>`. Relative, so that a proxy may add a prefix. */
export const BASE = new URL('.', location.href.split(/[?#]/)[0]!.replace(/\/$/, '')).href;

export type { AdminAction };

/** An answer of status 400 or above, or none at all. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** A server that takes longer counts as hanging. */
const LONGEST_MS = 10_000;

type Headers = Record<string, string>;

/** All pipelines, page by page. @throws {ApiError} */
export async function pipelines(headers: Headers): Promise<Method[]> {
  const found: Method[] = [];
  for (let offset: number | undefined = 0; offset !== undefined;) {
    const page = (await ask(`pipelines?limit=200&offset=${offset}`, { headers })) as AdminPipelines;
    found.push(...page.items);
    offset = page.next;
  }
  return found;
}

/** The lists of the server that can be searched, and their items. */
export interface Lists {
  readonly breakers: AdminBreaker;
  readonly bulkheads: AdminBulkhead;
  readonly 'rate-limits': AdminRateLimit;
}

/** The first ones whose names contain the text. @throws {ApiError} */
export async function search<List extends keyof Lists>(
  list: List,
  text: string,
  headers: Headers,
): Promise<AdminPage<Lists[List]>> {
  const path = `${list}?limit=200&search=${encodeURIComponent(text)}`;
  return (await ask(path, { headers })) as AdminPage<Lists[List]>;
}

/** One breaker. @throws {ApiError} with the status 404 when there is none of that name */
export async function breaker(name: string, headers: Headers): Promise<AdminBreaker> {
  const path = `breakers/${encoded(name)}`;
  return ((await ask(path, { headers })) as AdminBreakerDetails).breaker;
}

/** Makes a change. @throws {ApiError} */
export async function change(
  name: string,
  action: AdminAction,
  body: AdminChange,
  headers: Headers,
): Promise<void> {
  await ask(`breakers/${encoded(name)}/${action}`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

async function ask(path: string, init: RequestInit): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(BASE + path, {
      ...init,
      cache: 'no-store',
      signal: AbortSignal.timeout(LONGEST_MS),
    });
  } catch {
    throw new ApiError(0, 'The server does not answer. It may have made the change anyway.');
  }
  const answer = (await response.json().catch(() => ({}))) as Partial<AdminProblem>;
  if (response.ok) return answer;
  const { message = `The server answers with status ${response.status}.`, problems = [] } = answer;
  throw new ApiError(response.status, [message, ...problems].join(' · '));
}
