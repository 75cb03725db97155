import { finished } from 'node:stream';
import { types } from 'node:util';
import { ask, look } from '../common/outcomes/look.js';
import type { Runtime } from '../execution/runtime.js';
import { isSignal } from '../pipeline/abort-signals.js';
import type { Sender, Terms } from './http-call.js';
import { HttpClient, type HttpPolicies } from './http-client.js';
import { IDEMPOTENCY_KEY, requestTo } from './http-rules.js';

/** The type of the platform's `fetch`. */
type Fetch = typeof globalThis.fetch;
type Input = Parameters<Fetch>[0];
type Init = Parameters<Fetch>[1];

/** Options of `ResilienceService.createFetch()`. */
export interface FetchOptions extends HttpPolicies {
  /** Sends the requests. Default: the global `fetch` at the time of the call. */
  readonly fetch?: Fetch;
}

/** A `fetch` whose requests run by policies. */
export function createFetch(runtime: Runtime, options: FetchOptions): Fetch {
  const { fetch: given, ...policies } = { ...options };
  const client = new HttpClient(runtime, policies, 'fetch');
  const send = (input: Input, init: Init): Promise<Response> =>
    (given ?? globalThis.fetch)(input, init);
  const resilientFetch = (input: Input, init?: Init): Promise<Response> => {
    const terms = ask(() => termsOf(input, init, client), undefined);
    // `fetch` itself rejects anything but a request to a host.
    if (terms === undefined) return send(input, init);
    return client.run(new FetchSender(send, input, init), terms);
  };
  return Object.defineProperty(resilientFetch, 'name', { value: 'fetch' });
}

class FetchSender implements Sender<Response> {
  constructor(
    private readonly fetch: (input: Input, init: Init) => Promise<Response>,
    private readonly input: Input,
    private readonly init: Init,
  ) {}

  send(signal: AbortSignal): Promise<Response> {
    return this.fetch(this.input, { ...this.init, signal });
  }

  bodyOf({ body }: Response): object | undefined {
    return body ?? undefined;
  }

  watch({ body }: Response, broken: (error: unknown) => void): void {
    if (!(body instanceof ReadableStream)) return;
    finished(body as unknown as NodeJS.ReadableStream, (error) => {
      if (error) broken(error);
    });
  }

  discard({ body, bodyUsed }: Response): void {
    if (body === null || bodyUsed) return;
    body.cancel().catch(() => {});
  }
}

function termsOf(input: Input, init: Init, client: HttpClient): Terms | undefined {
  const given = isRequest(input) ? input : undefined;
  const url = given?.url ?? `${input as string | URL}`;
  // `fetch` refuses credentials with an error that shows them, which must not get into events.
  if (hasCredentials(url)) return undefined;
  const request = requestTo(url, undefined, init?.method ?? given?.method ?? 'GET');
  if (request === undefined) return undefined;
  const headers = new Headers(init?.headers ?? given?.headers);
  const body: unknown = init?.body ?? given?.body;
  const signal: unknown = init?.signal === undefined ? given?.signal : init.signal;
  const wanted = client.mayRetry(request.method) || headers.has(IDEMPOTENCY_KEY);
  return {
    request,
    repeatable: wanted && isRepeatable(body),
    signal: isSignal(signal) ? signal : undefined,
  };
}

function hasCredentials(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { username, password } = new URL(url);
  return username !== '' || password !== '';
}

/** Also true for a `Request` of another copy of undici. */
function isRequest(input: unknown): input is Request {
  return typeof look(input, 'url') === 'string' && typeof look(input, 'method') === 'string';
}

/** Whether a body can be sent again; the body of a `Request` is a stream. */
function isRepeatable(body: unknown): boolean {
  if (body === undefined || body === null || typeof body === 'string') return true;
  if (types.isAnyArrayBuffer(body) || ArrayBuffer.isView(body)) return true;
  return [URLSearchParams, Blob, FormData].some((type) => body instanceof type);
}
