import { finished } from 'node:stream';
import { types } from 'node:util';
import { legibleThroughout } from '../common/legible.js';
import { isPlainObject } from '../common/objects.js';
import { show } from '../common/printable.js';
import { ask, look } from '../common/outcomes/look.js';
import type { Runtime } from '../execution/runtime.js';
import { isSignal } from '../pipeline/abort-signals.js';
import { discardBody } from '../common/bodies.js';
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
  const read = legibleThroughout(options);
  const { fetch: given, ...policies } = isPlainObject(read) ? (read as FetchOptions) : {};
  const isRight = given === undefined || typeof given === 'function';
  const problems = isRight
    ? []
    : [`fetch is ${show(given)}; use a function with the parameters of fetch`];
  const client = new HttpClient(runtime, isPlainObject(read) ? policies : read, 'fetch', problems);
  const send = (input: Input, init: Init): Promise<Response> =>
    (given ?? globalThis.fetch)(input, init);
  const resilientFetch = (input: Input, init?: Init): Promise<Response> => {
    const sender = ask(() => new FetchSender(send, input, init), undefined);
    const terms = sender && ask(() => termsOf(sender.input, sender.init, client), undefined);
    // `fetch` itself rejects anything but a request to a host.
    if (terms === undefined) return send(sender?.input ?? input, sender?.init ?? init);
    return client.run(sender!, terms);
  };
  return Object.defineProperty(resilientFetch, 'name', { value: 'fetch' });
}

class FetchSender implements Sender<Response> {
  readonly input: Input;
  readonly init: RequestInit;

  constructor(
    private readonly fetch: (input: Input, init: Init) => Promise<Response>,
    input: Input,
    init: Init,
  ) {
    this.input = copyOfInput(input);
    this.init = snapshotOf(init);
  }

  send(signal: AbortSignal): Promise<Response> {
    return this.fetch(this.input, { ...this.init, signal });
  }

  bodyOf(answer: Response): object | undefined {
    return bodyIn(answer);
  }

  watch(answer: Response, broken: (error: unknown) => void): void {
    const body = bodyIn(answer);
    if (!(body instanceof ReadableStream)) return;
    finished(body as unknown as NodeJS.ReadableStream, (error) => {
      if (error) broken(error);
    });
  }

  discard(answer: Response): void {
    if (look(answer, 'bodyUsed') !== true) discardBody(bodyIn(answer));
  }
}

/** An answer of another `fetch`, or of a test, may have no body, or one that is a stream of Node. */
function bodyIn(answer: Response): object | undefined {
  const body = look(answer, 'body');
  return typeof body === 'object' && body !== null ? body : undefined;
}

/**
 * The options as they are at the time of the call: `fetch` too reads its arguments then, and a request may be sent later, or
 * again. Also reads what is inherited: a `Request` may be given as `init`.
 */
function snapshotOf(init: Init): RequestInit {
  const snapshot: Record<string, unknown> = {};
  for (const key in init) snapshot[key] = init[key as keyof RequestInit];
  if (init !== undefined && init !== null && !isPlainObject(init)) addAccessors(snapshot, init);
  const { headers, body } = snapshot as RequestInit;
  if (headers !== undefined && headers !== null) snapshot.headers = copyOf(headers);
  if (body instanceof URLSearchParams) snapshot.body = new URLSearchParams(body);
  return snapshot;
}

/** The members of `RequestInit` that `fetch` reads of any object. */
const MEMBERS = [
  ...['method', 'headers', 'body', 'mode', 'credentials', 'cache', 'redirect', 'referrer'],
  ...['referrerPolicy', 'integrity', 'keepalive', 'signal', 'window', 'duplex', 'priority'],
  'dispatcher',
] as const;

/** Adds what no loop sees: the accessors of a user's class. @throws for what are no options, which `fetch` refuses */
function addAccessors(snapshot: Record<string, unknown>, init: object): void {
  for (const key of MEMBERS) {
    if (key in init) snapshot[key] ??= (init as Record<string, unknown>)[key];
  }
}

/** Lists and plain objects keep their form, since a user's `fetch` may depend on it. */
function copyOf(headers: HeadersInit): HeadersInit {
  if (Array.isArray(headers)) return headers.map((pair) => [...pair] as [string, string]);
  return isPlainObject(headers) ? { ...headers } : new Headers(headers);
}

/** The body of a `Request` is a stream, which a copy would consume. */
function copyOfInput(input: Input): Input {
  if (input instanceof URL) return new URL(input);
  return input instanceof Request && input.body === null ? new Request(input) : input;
}

function termsOf(input: Input, init: RequestInit, client: HttpClient): Terms | undefined {
  const given = isRequest(input) ? input : undefined;
  const url = given?.url ?? `${input as string | URL}`;
  // `fetch` refuses credentials with an error that contains them, which must not get into events.
  if (hasCredentials(url)) return undefined;
  const request = requestTo(url, undefined, init.method ?? given?.method ?? 'GET');
  if (request === undefined) return undefined;
  const headers = new Headers(init.headers ?? given?.headers);
  const body: unknown = init.body ?? given?.body;
  const signal: unknown = init.signal === undefined ? given?.signal : init.signal;
  // `fetch` itself refuses a wrong signal, such as a controller.
  if (signal !== undefined && signal !== null && !isSignal(signal)) return undefined;
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

/** Bodies that can be sent again, also those of another copy of undici. */
const REPEATABLE: readonly unknown[] = ['Blob', 'File', 'FormData', 'URLSearchParams'];

/** Whether a body can be sent again; the body of a `Request` is a stream. */
function isRepeatable(body: unknown): boolean {
  if (body === undefined || body === null || typeof body === 'string') return true;
  if (types.isAnyArrayBuffer(body) || ArrayBuffer.isView(body)) return true;
  return REPEATABLE.includes(look(body, Symbol.toStringTag));
}
