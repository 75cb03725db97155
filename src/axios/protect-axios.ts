import axios, {
  type AxiosInstance,
  type AxiosResponse,
  CanceledError,
  type InternalAxiosRequestConfig,
} from 'axios';
import { look } from '../common/outcomes/look.js';
import { show } from '../common/printable.js';
import { brand } from '../common/brand.js';
import type { ResilienceService } from '../commands/resilience.service.js';
import { whenRead } from '../http/attempt-signal.js';
import { discardBody, isStreamBody } from '../common/bodies.js';
import type { Sender } from '../http/http-call.js';
import type { HttpClient, HttpPolicies } from '../http/http-client.js';
import { IDEMPOTENCY_KEY, type HttpRequest, requestTo } from '../http/http-rules.js';
import { isSignal, obey } from '../pipeline/abort-signals.js';

type Adapter = (config: InternalAxiosRequestConfig) => Promise<AxiosResponse>;

/** Marks the adapters made here: an interceptor that retries may send a configuration that already has one. */
const OURS = brand('axios-adapter');

/**
 * Adds policies to an instance of axios: a circuit breaker per host, retries of requests that may be sent again, time
 * limits. They apply to all of its requests, however these are made. Interceptors run once per request, outside the
 * policies; errors are those of axios.
 *
 * @returns the same instance
 * @throws {ResilienceConfigurationError} once the application has started, when the policies are wrong
 * @throws {TypeError} when the first argument is not an axios instance, or the second not a `ResilienceService`
 */
export function protectAxios<Instance extends AxiosInstance>(
  instance: Instance,
  resilience: ResilienceService,
  policies: HttpPolicies = {},
): Instance {
  const interceptors: unknown = look(look(instance, 'interceptors'), 'request');
  if (typeof look(interceptors, 'use') !== 'function') {
    throw new TypeError(`protectAxios(${show(instance)}): use an instance, such as axios.create()`);
  }
  if (typeof look(resilience, 'httpClient') !== 'function') {
    const right = 'use the ResilienceService of the application';
    throw new TypeError(`protectAxios(instance, ${show(resilience)}): ${right}`);
  }
  const client = resilience.httpClient(policies, 'http');
  // The first interceptor runs last, and sees the adapter that would send the request, however it was chosen.
  useForGood(instance.interceptors.request, (config) => {
    const adapter = config.adapter as unknown;
    if (look(adapter, OURS) !== true) config.adapter = protectedAdapter(client, config.adapter);
    return config;
  });
  return instance;
}

/** Adds an interceptor that `clear()`, which is meant for the user's own, does not remove. */
function useForGood(
  requests: AxiosInstance['interceptors']['request'],
  interceptor: (config: InternalAxiosRequestConfig) => InternalAxiosRequestConfig,
): void {
  const clear = requests.clear.bind(requests);
  // A synchronous one, so that a request is sent as it was at the time of the call, as without policies.
  const add = (): unknown => requests.use(interceptor, undefined, { synchronous: true });
  add();
  requests.clear = () => {
    clear();
    add();
  };
}

function protectedAdapter(
  client: HttpClient,
  chosen: InternalAxiosRequestConfig['adapter'],
): Adapter {
  const adapter = async (config: InternalAxiosRequestConfig): Promise<AxiosResponse> => {
    const send = adapterFor(chosen, config);
    const request = requestOf(config);
    // axios itself reports a wrong signal.
    if (request === undefined || !isSignalOrNone(config.signal)) return send(config);
    const stop = new Stop(config);
    const sender = new AxiosSender(send, config);
    let body: object | undefined;
    try {
      const wanted = client.mayRetry(request.method) || config.headers.has(IDEMPOTENCY_KEY);
      const answer = await client.run(sender, {
        request,
        repeatable: wanted && isRepeatable(config.data),
        signal: stop.signal,
      });
      body = sender.bodyOf(answer);
      return answer;
    } catch (error) {
      const answer = sender.answerIn(error);
      body = answer && sender.bodyOf(answer);
      throw error;
    } finally {
      sender.restore();
      if (body === undefined) stop.release();
      else whenRead(body, () => stop.release());
    }
  };
  return Object.assign(adapter, { [OURS]: true });
}

/** As axios chooses it: some adapters read the configuration, such as the `fetch` in its `env`. */
function adapterFor(chosen: InternalAxiosRequestConfig['adapter'], config: object): Adapter {
  const choose = axios.getAdapter as (chosen: unknown, config: object) => Adapter;
  return choose(chosen || axios.defaults.adapter, config);
}

/** Falsy values mean none to axios. */
function isSignalOrNone(signal: unknown): boolean {
  return !signal || isSignal(signal);
}

/** The caller's signal or token (axios has both; falsy values mean none), as a signal whose reason is axios' own error. */
class Stop {
  readonly signal: AbortSignal | undefined = undefined;
  private ignoreCaller: (() => void) | undefined = undefined;
  private ignoreToken: (() => void) | undefined = undefined;

  constructor(config: InternalAxiosRequestConfig) {
    const { signal, cancelToken } = config;
    if (!signal && !cancelToken) return;
    const controller = new AbortController();
    this.signal = controller.signal;
    if (isSignal(signal)) {
      const abort = (): void => controller.abort(new CanceledError(undefined, undefined, config));
      this.ignoreCaller = obey(signal, { abort });
    }
    if (!cancelToken) return;
    if (cancelToken.reason !== undefined) controller.abort(cancelToken.reason);
    else {
      // The promise of a token's `then()` can be cancelled, which removes its listener from the token.
      const subscription = cancelToken.promise.then((reason) => controller.abort(reason));
      this.ignoreToken = () => (subscription as { cancel?: () => void }).cancel?.();
    }
  }

  /** Call it when nothing is left to stop. */
  release(): void {
    this.ignoreCaller?.();
    this.ignoreToken?.();
  }
}

class AxiosSender implements Sender<AxiosResponse> {
  /** The configuration of the last attempt. */
  private sent: InternalAxiosRequestConfig | undefined = undefined;

  constructor(
    private readonly adapter: Adapter,
    private readonly config: InternalAxiosRequestConfig,
  ) {}

  /** The signal replaces the caller's own signal and token. */
  send(signal: AbortSignal): Promise<AxiosResponse> {
    const { cancelToken: _known, ...config } = this.config;
    this.sent = { ...config, headers: this.config.headers.concat(), signal };
    return this.adapter(this.sent);
  }

  /**
   * Gives the configuration in the answer or error the caller's signal and token back, if there were any: an interceptor may
   * send it again, and the signal of an attempt that has ended stops nothing.
   */
  restore(): void {
    if (this.sent === undefined) return;
    delete this.sent.signal;
    const { signal, cancelToken } = this.config;
    if ('signal' in this.config) Object.assign(this.sent, { signal });
    if ('cancelToken' in this.config) Object.assign(this.sent, { cancelToken });
  }

  bodyOf({ data }: AxiosResponse): object | undefined {
    return isStreamBody(data) ? data : undefined;
  }

  discard({ data }: AxiosResponse): void {
    discardBody(data);
  }

  answerIn(error: unknown): AxiosResponse | undefined {
    return axios.isAxiosError(error) ? error.response : undefined;
  }
}

function requestOf(config: InternalAxiosRequestConfig): HttpRequest | undefined {
  const { url = '', baseURL, allowAbsoluteUrls = true, method = 'GET' } = config;
  const full = axios.getUri({ url, allowAbsoluteUrls, ...(baseURL !== undefined && { baseURL }) });
  return requestTo(full, undefined, method);
}

function isRepeatable(data: unknown): boolean {
  if (data === undefined || data === null || typeof data !== 'object') return true;
  return !isStreamBody(data) && typeof look(data, Symbol.asyncIterator) !== 'function';
}
