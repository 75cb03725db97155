import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';

/** Required by Hystrix' dashboard and Turbine, which skip an event that lacks one of these. */
export const required = {
  type: 'string',
  name: 'string',
  group: 'string',
  isCircuitBreakerOpen: 'boolean',
  errorPercentage: 'integer',
  errorCount: 'integer',
  requestCount: 'integer',
  rollingCountBadRequests: 'integer',
  rollingCountCollapsedRequests: 'integer',
  rollingCountExceptionsThrown: 'integer',
  rollingCountFailure: 'integer',
  rollingCountFallbackFailure: 'integer',
  rollingCountFallbackRejection: 'integer',
  rollingCountFallbackSuccess: 'integer',
  rollingCountResponsesFromCache: 'integer',
  rollingCountSemaphoreRejected: 'integer',
  rollingCountShortCircuited: 'integer',
  rollingCountSuccess: 'integer',
  rollingCountThreadPoolRejected: 'integer',
  rollingCountTimeout: 'integer',
  currentConcurrentExecutionCount: 'integer',
  latencyExecute_mean: 'integer',
  latencyExecute: 'percentiles',
  propertyValue_circuitBreakerRequestVolumeThreshold: 'integer',
  propertyValue_circuitBreakerSleepWindowInMilliseconds: 'integer',
  propertyValue_circuitBreakerErrorThresholdPercentage: 'integer',
  propertyValue_circuitBreakerForceOpen: 'boolean',
  propertyValue_circuitBreakerForceClosed: 'boolean',
  propertyValue_executionIsolationStrategy: 'string',
  propertyValue_executionIsolationThreadTimeoutInMilliseconds: 'integer',
  propertyValue_executionIsolationThreadInterruptOnTimeout: 'boolean',
  propertyValue_executionIsolationSemaphoreMaxConcurrentRequests: 'integer',
  propertyValue_fallbackIsolationSemaphoreMaxConcurrentRequests: 'integer',
  propertyValue_metricsRollingStatisticalWindowInMilliseconds: 'integer',
  propertyValue_requestCacheEnabled: 'boolean',
  propertyValue_requestLogEnabled: 'boolean',
  reportingHosts: 'integer',
};

/** Fields that Hystrix sends too. */
export const others = {
  currentTime: 'integer',
  rollingCountEmit: 'integer',
  rollingCountFallbackEmit: 'integer',
  rollingCountFallbackMissing: 'integer',
  rollingMaxConcurrentExecutionCount: 'integer',
  latencyTotal_mean: 'integer',
  latencyTotal: 'percentiles',
  propertyValue_circuitBreakerEnabled: 'boolean',
  propertyValue_executionTimeoutInMilliseconds: 'integer',
  propertyValue_executionIsolationThreadPoolKeyOverride: 'string',
  threadPool: 'string',
};

const percentiles = ['0', '25', '50', '75', '90', '95', '99', '99.5', '100'];

/** The kinds of an event's values, to be compared with {@link required} and {@link others}. */
export function kindsOf(event: object): Record<string, string> {
  return Object.fromEntries(Object.entries(event).map(([key, value]) => [key, kindOf(value)]));
}

function kindOf(value: unknown): string {
  if (Number.isInteger(value)) return 'integer';
  if (value === null || typeof value !== 'object') return value === null ? 'null' : typeof value;
  const entries = Object.entries(value);
  return entries.length === percentiles.length &&
    entries.every(([key, item]) => percentiles.includes(key) && Number.isInteger(item))
    ? 'percentiles'
    : 'object';
}

/** A client of an event stream. */
export interface Reader {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** The text received so far. */
  readonly text: string;
  /** The data of the complete events received so far. */
  readonly events: Record<string, unknown>[];
  /** Resolves when the server has ended the response, to whether it did so properly. */
  readonly ended: Promise<boolean>;
  disconnect(): void;
}

/** Resolves when the head of the response has arrived. */
export async function read(url: string, options: { method?: string } = {}): Promise<Reader> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request(url, { agent: false, ...options })
      .once('response', resolve)
      .once('error', reject)
      .end();
  });
  let text = '';
  response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  response.on('error', () => {}); // reported by `ended`
  return {
    status: response.statusCode!,
    headers: response.headers,
    get text() {
      return text;
    },
    get events() {
      return text
        .split('\n\n')
        .slice(0, -1)
        .filter((event) => event.startsWith('data: '))
        .map((event) => JSON.parse(event.slice('data: '.length)) as Record<string, unknown>);
    },
    ended: new Promise((resolve) => response.once('close', () => resolve(response.complete))),
    disconnect: () => response.destroy(),
  };
}
