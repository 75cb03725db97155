import {
  type ArgumentsHost,
  BadGatewayException,
  Catch,
  Controller,
  type ExceptionFilter,
  Injectable,
  UseFilters,
} from '@nestjs/common';
import { type ClientGrpcProxy, GrpcMethod } from '@nestjs/microservices';
import { Observable, firstValueFrom, throwError, toArray } from 'rxjs';
import {
  Bulkhead,
  CircuitBreaker,
  ResilienceError,
  ResilienceExceptionFilter,
  Retry,
  Signal,
  Timeout,
  constant,
} from '../../src/index.js';
import { type Booted, boot, closeAll } from '../support/boot.js';
import { startGrpc } from '../support/grpc.js';
import { hang } from '../support/handlers.js';
import { type Deferred, Visits, deferred, outcome, until } from '../support/wait.js';

interface Book {
  readonly title: string;
}

/** The parts of an error of @grpc/grpc-js that are looked at here. */
interface ServiceError {
  readonly code: number;
  readonly details: string;
  readonly metadata: { getMap(): Record<string, unknown> };
}

const SECRET = 'secret-upstream';
const failing = { consecutiveFailures: 1, openFor: '4s' } as const;
const visits = new Visits();
let entered: Deferred<AbortSignal>;
let unsubscribed: Deferred;

@Catch(ResilienceError)
class TeamFilter implements ExceptionFilter {
  catch(error: ResilienceError, _host: ArgumentsHost): Observable<never> {
    return throwError(() => ({ code: 9, message: `the team: ${error.code}` }));
  }
}

@Injectable()
class Shelf {
  @CircuitBreaker({ name: `${SECRET}-shelf`, ...failing })
  async books(): Promise<never> {
    throw new BadGatewayException();
  }
}

@Controller()
class Books {
  constructor(readonly shelf: Shelf) {}

  @GrpcMethod()
  @Retry()
  @CircuitBreaker('good')
  async good(): Promise<Book> {
    visits.visit();
    return { title: 'Emma' };
  }

  @GrpcMethod()
  @CircuitBreaker({ name: SECRET, ...failing })
  async rejected(): Promise<Book> {
    throw new BadGatewayException();
  }

  @GrpcMethod()
  @UseFilters(ResilienceExceptionFilter)
  undecorated(): Promise<Book> {
    return this.shelf.books();
  }

  @GrpcMethod()
  @UseFilters(TeamFilter)
  @CircuitBreaker({ name: `${SECRET}-team`, ...failing })
  async team(): Promise<Book> {
    throw new BadGatewayException();
  }

  @GrpcMethod()
  @CircuitBreaker('hanging')
  async hanging(_ask: object, @Signal() signal: AbortSignal): Promise<Book> {
    entered.resolve(signal);
    return hang(signal);
  }

  @GrpcMethod()
  async hangingBare(_ask: object, @Signal() signal: AbortSignal): Promise<Book> {
    entered.resolve(signal);
    return hang(signal);
  }

  @GrpcMethod()
  @Bulkhead({ name: `${SECRET}-places`, maxConcurrent: 1 })
  async full(_ask: object, @Signal() signal: AbortSignal): Promise<Book> {
    entered.resolve(signal);
    return hang(signal);
  }

  @GrpcMethod()
  @Timeout('1s')
  async slow(_ask: object, @Signal() signal: AbortSignal): Promise<Book> {
    return hang(signal);
  }

  @GrpcMethod()
  @Retry({ maxRetries: 2, backoff: constant('1s') })
  @CircuitBreaker({ name: 'stream', consecutiveFailures: 3, openFor: '4s' })
  stream(): Observable<Book> {
    if (visits.visit() === 1) return throwError(() => new BadGatewayException());
    return new Observable((subscriber) => {
      subscriber.next({ title: 'one' });
      subscriber.next({ title: 'two' });
      subscriber.error(new BadGatewayException('midway'));
    });
  }

  @GrpcMethod()
  @CircuitBreaker('endless')
  @Bulkhead({ name: 'endless', maxConcurrent: 1 })
  endless(_ask: object, @Signal() signal: AbortSignal): Observable<Book> {
    entered.resolve(signal);
    return new Observable((subscriber) => {
      subscriber.next({ title: 'one' });
      return () => unsubscribed.resolve();
    });
  }
}

describe('a microservice over gRPC', () => {
  let server: Booted;
  let client: ClientGrpcProxy;
  let books: Record<string, (ask: object) => Observable<Book>>;

  const ask = (method: string): Promise<Book> => firstValueFrom(books[method]!({}));

  /** The status with which a call fails, as its client sees it. */
  async function statusOf(work: Promise<unknown>): Promise<object> {
    const { code, details, metadata } = (await outcome(work)).error as ServiceError;
    const { 'resilience-code': name, 'grpc-retry-pushback-ms': pushback } = metadata.getMap();
    return { code, details, name, pushback };
  }

  const open = { code: 14, details: 'Service Unavailable', name: 'CIRCUIT_OPEN', pushback: '4000' };

  beforeAll(async () => {
    ({ server, client } = await startGrpc('books', { controllers: [Books], providers: [Shelf] }));
    books = client.getService('Books');
  });

  beforeEach(() => {
    visits.count = 0;
    entered = deferred();
    unsubscribed = deferred();
    for (const breaker of server.registry.list()) server.registry.get(breaker.name).reset();
  });

  afterAll(async () => {
    client.close();
    await closeAll();
  });

  describe('a request', () => {
    it('runs its policies exactly once', async () => {
      expect(await ask('good')).toEqual({ title: 'Emma' });
      expect(visits.count).toBe(1);
      expect(server.registry.get('good').counts).toMatchObject({ requests: 1, successes: 1 });
    });

    it('is UNAVAILABLE while its circuit is open, with the retry time, and reveals no internals', async () => {
      await outcome(ask('rejected'));
      expect(await statusOf(ask('rejected'))).toEqual(open);
      const { error } = await outcome(ask('rejected'));
      expect(String((error as Error).message)).not.toMatch(/secret|circuit|Books/);
    });

    it('without policies is so with the filter', async () => {
      await outcome(ask('undecorated'));
      expect(await statusOf(ask('undecorated'))).toEqual(open);
    });

    it('leaves its rejections to a filter of the application', async () => {
      await outcome(ask('team'));
      expect(await statusOf(ask('team'))).toMatchObject({
        code: 9,
        details: 'the team: CIRCUIT_OPEN',
      });
    });

    it('is RESOURCE_EXHAUSTED while its bulkhead is full', async () => {
      const first = books.full!({}).subscribe({ error: () => {} });
      await entered.promise;
      expect(await statusOf(ask('full'))).toMatchObject({ code: 8, name: 'BULKHEAD_FULL' });
      first.unsubscribe();
    });

    it('is DEADLINE_EXCEEDED after a timeout', async () => {
      const status = statusOf(ask('slow'));
      await until(() => server.clock.pending > 0);
      await server.clock.advance(1_000);
      expect(await status).toMatchObject({ code: 4, name: 'TIMEOUT' });
    });

    it('that is rejected is a failure for the calling service, whose retry waits for the given time', async () => {
      const asked = new Visits();
      @Injectable()
      class Caller {
        @Retry({ maxRetries: 1, backoff: constant('1s') })
        @CircuitBreaker({ name: 'called', consecutiveFailures: 2, openFor: '1s' })
        async call(): Promise<unknown> {
          asked.visit();
          return ask('rejected');
        }
      }
      await outcome(ask('rejected'));
      const { app, clock, registry } = await boot({ providers: [Caller] });
      const result = statusOf(app.get(Caller).call());
      await until(() => clock.pending === 1);
      await clock.advance(3_999);
      expect(asked.count).toBe(1);
      await clock.advance(1);
      expect(await result).toEqual(open);
      expect(asked.count).toBe(2);
      expect(registry.get('called').snapshot()).toMatchObject({
        state: 'open',
        retryAfterMs: 4_000,
      });
      await app.close();
    });

    it.each([
      ['with policies', 'hanging'],
      ['without policies', 'hangingBare'],
    ])('%s has its @Signal() aborted when the client cancels', async (_title, method) => {
      const call = books[method]!({}).subscribe({ error: () => {} });
      const signal = await entered.promise;
      expect(signal.aborted).toBe(false);
      call.unsubscribe();
      await until(() => signal.aborted);
    });
  });

  describe('a stream of the server', () => {
    it('is retried up to its first item, sends none twice, and its break is one failure more', async () => {
      const items: string[] = [];
      const ended = new Promise<ServiceError>((resolve) =>
        books.stream!({}).subscribe({
          next: ({ title }) => items.push(title),
          error: resolve,
        }),
      );
      await until(() => server.clock.pending > 0);
      await server.clock.advance(1_000);
      await ended;
      expect(items).toEqual(['one', 'two']);
      expect(visits.count).toBe(2);
      expect(server.registry.get('stream').counts).toMatchObject({ successes: 1, failures: 2 });
    });

    it('is UNAVAILABLE while its circuit is open, with the retry time', async () => {
      const breaker = server.registry.get('stream');
      breaker.forceOpen();
      const status = statusOf(firstValueFrom(books.stream!({}).pipe(toArray())));
      expect(await status).toMatchObject({ code: 14, name: 'CIRCUIT_OPEN' });
      breaker.clearOverride();
    });

    it('ends when the client cancels, with its @Signal(), and gives its place back', async () => {
      for (let i = 0; i < 2; i++) {
        entered = deferred();
        unsubscribed = deferred();
        const got = deferred<Book>();
        const call = books.endless!({}).subscribe({ next: got.resolve, error: () => {} });
        const signal = await entered.promise;
        expect(await got.promise).toEqual({ title: 'one' });
        call.unsubscribe();
        await unsubscribed.promise;
        await until(() => signal.aborted);
      }
      expect(server.registry.get('endless').counts).toMatchObject({ successes: 2, failures: 0 });
    });
  });
});
