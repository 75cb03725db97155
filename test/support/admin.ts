import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http';
import {
  BadGatewayException,
  type CanActivate,
  type ExecutionContext,
  Injectable,
} from '@nestjs/common';
import {
  Bulkhead,
  CircuitBreaker,
  Fallback,
  RateLimit,
  Retry,
  fallbackValue,
} from '../../src/index.js';
import { ResilienceAdminModule, type ResilienceAdminOptions } from '../../src/admin/index.js';
import { settle } from './wait.js';
import { type Parts, type Platform, type Served, serve } from './boot.js';

/** An answer, read whole. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly body: any;
}

export interface Sent {
  readonly method?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: unknown;
}

/** Sends a request as it is: `fetch` would change paths and refuse headers. */
export function send(
  url: string,
  path: string,
  { method, headers, body }: Sent = {},
): Promise<Answer> {
  const { hostname, port } = new URL(url);
  const text = typeof body === 'string' || body === undefined ? body : JSON.stringify(body);
  // Node gives the bodies of DELETE and OPTIONS no length by itself: a server takes them for another request, and refuses that.
  const known = text !== undefined && headers?.['transfer-encoding'] === undefined;
  const framed = known ? { 'content-length': Buffer.byteLength(text) } : {};
  const type = body === undefined ? {} : { 'content-type': 'application/json' };
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        hostname,
        port,
        path,
        method: method ?? (body === undefined ? 'GET' : 'POST'),
        headers: { ...type, ...framed, ...headers },
        agent: false,
      },
      (response) => {
        let received = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (received += chunk));
        response.on('error', reject);
        response.on('end', () => {
          const json = response.headers['content-type']?.startsWith('application/json');
          resolve({
            status: response.statusCode!,
            headers: response.headers,
            text: received,
            body: json && received !== '' ? JSON.parse(received) : undefined,
          });
        });
      },
    );
    sent.on('error', reject);
    sent.end(text);
  });
}

/** Admits those who have the key. */
@Injectable()
export class KeyGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { headers } = context.switchToHttp().getRequest<{ headers: IncomingHttpHeaders }>();
    return headers.authorization === 'key';
  }
}

export const key = { authorization: 'key' };

/** Methods with a breaker, a breaker by key, a bulkhead, a rate limit, and one by key. */
@Injectable()
export class StorageClient {
  failing = false;

  @Fallback(fallbackValue('none'))
  @Retry({ maxRetries: 1, backoff: () => 1 })
  @CircuitBreaker({ name: 'storage/svc', consecutiveFailures: 2, openFor: '30s' })
  async books(): Promise<string> {
    return this.work();
  }

  @CircuitBreaker({ name: 'tenant', key: (tenant: string) => tenant, consecutiveFailures: 1 })
  async ofTenant(tenant: string): Promise<string> {
    return `${tenant} ${await this.work()}`;
  }

  @Bulkhead({ name: 'places', maxConcurrent: 2, maxQueue: 3 })
  async held(until: Promise<void>): Promise<void> {
    await until;
  }

  @RateLimit({ name: 'quota', limit: 60, per: '1m', burst: 3, maxWait: '1s' })
  async counted(): Promise<string> {
    return 'counted';
  }

  @RateLimit({ name: 'client', limit: 20, per: '1s', key: (client: string) => client })
  async ofClient(client: string): Promise<string> {
    return client;
  }

  private async work(): Promise<string> {
    if (this.failing) throw new BadGatewayException('<b>secret body</b>');
    return 'books';
  }
}

/** All routes for current state, below the path of the module; `:name` stands for {@link NAME}. */
export const READS = [
  '',
  '/breakers',
  '/breakers/:name',
  '/bulkheads',
  '/rate-limits',
  '/fleet',
  '/commands',
  '/pipelines',
  '/configuration',
  '/events',
  '/stream',
];

/** The breaker of `books()`, as a component of a path. */
export const NAME = encodeURIComponent('storage/svc');

export interface Administered extends Served {
  readonly storage: StorageClient;
  get(path?: string, headers?: OutgoingHttpHeaders): Promise<Answer>;
  post(path: string, body: unknown, headers?: OutgoingHttpHeaders): Promise<Answer>;
}

/** Starts servers with the management API. */
export const administered =
  (platform: Platform) =>
  async (
    options: ResilienceAdminOptions = {},
    { imports = [], providers = [], ...parts }: Parts = {},
  ): Promise<Administered> => {
    const served = await serve(platform, {
      ...parts,
      providers: [StorageClient, ...providers],
      imports: [...imports, ResilienceAdminModule.forRoot(options)],
    });
    const { url, app } = served;
    await settle(); // the first step of the history
    return {
      ...served,
      storage: app.get(StorageClient, { strict: false }),
      get: (path = '', headers = {}) => send(url, `/resilience${path}`, { headers }),
      post: (path, body, headers = {}) => send(url, `/resilience${path}`, { body, headers }),
    };
  };

/** Opens the circuit of `books()`. */
export async function open({ storage, clock }: Administered): Promise<void> {
  storage.failing = true;
  const call = storage.books();
  await settle();
  await clock.advance(1); // the wait before the second attempt
  await call;
}
