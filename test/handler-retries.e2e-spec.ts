import {
  type ArgumentsHost,
  BadGatewayException,
  type CallHandler,
  Controller,
  type ExceptionFilter,
  type ExecutionContext,
  Get,
  type NestInterceptor,
  NotFoundException,
  Param,
  ParseIntPipe,
  type PipeTransform,
  Res,
  UseFilters,
  UseInterceptors,
} from '@nestjs/common';
import { Observable, retry } from 'rxjs';
import { CircuitBreaker, Retry, constant } from '../src/index.js';
import { type Platform, closeAll, everyPlatform, of, withAttempts } from './support/boot.js';
import { attemptsOf, servingOn } from './support/handlers.js';
import { request } from './support/http.js';
import { Visits, until } from './support/wait.js';

afterEach(closeAll);

/** Responses of Express and Fastify. */
interface AnyResponse {
  readonly raw?: AnyResponse;
  write(part: string): void;
  end(): void;
}

/** Nest's own would send a second head. */
class EndOfResponse implements ExceptionFilter {
  catch(_: unknown, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<AnyResponse>();
    (response.raw ?? response).end();
  }
}

describe.each(everyPlatform)('a decorated handler on %s', (platform: Platform) => {
  const serving = servingOn(platform);

  describe('retries', () => {
    it('cover inner interceptors, pipes and the handler', async () => {
      const trace: string[] = [];
      class Inner implements NestInterceptor {
        intercept(_: ExecutionContext, next: CallHandler): Observable<unknown> {
          trace.push('interceptor');
          return next.handle();
        }
      }
      class Pipe implements PipeTransform<string> {
        transform(given: string): string {
          trace.push('pipe');
          return given;
        }
      }
      @Controller()
      class K {
        @Get(':id')
        @Retry({ maxRetries: 1, backoff: constant(0) })
        @UseInterceptors(Inner)
        async get(@Param('id', Pipe) id: string): Promise<object> {
          trace.push('handler');
          if (trace.length < 4) throw new BadGatewayException();
          return { id };
        }
      }
      const { url, clock } = await serving(K);
      const answer = fetch(`${url}/5`);
      await until(() => clock.pending > 0);
      await clock.advance(0);
      expect(await (await answer).json()).toEqual({ id: '5' });
      expect(trace).toEqual(['interceptor', 'pipe', 'handler', 'interceptor', 'pipe', 'handler']);
    });

    it('wait between attempts', async () => {
      const visits = new Visits();
      @Controller()
      class K {
        @Get()
        @Retry({ backoff: constant('2s') })
        async get(): Promise<object> {
          if (visits.visit() < 3) throw new BadGatewayException();
          return { attempts: visits.count };
        }
      }
      const { url, clock } = await serving(K);
      const answer = fetch(url);
      await visits.reached(1);
      await clock.advance(1_999);
      expect(visits.count).toBe(1);
      await clock.advance(1);
      expect(visits.count).toBe(2);
      await clock.advance(2_000);
      expect(await (await answer).json()).toEqual({ attempts: 3 });
    });

    it('are not made for 4xx of a pipe or the handler, which count as successes', async () => {
      const visits = new Visits();
      @Controller()
      class K {
        @Get(':id')
        @Retry({ backoff: constant(0) })
        @CircuitBreaker({ name: 'books', consecutiveFailures: 1 })
        async get(@Param('id', ParseIntPipe) _id: number): Promise<never> {
          visits.visit();
          throw new NotFoundException();
        }
      }
      const { url, registry } = await serving(K);
      expect((await fetch(`${url}/five`)).status).toBe(400);
      expect(visits.count).toBe(0);
      expect((await fetch(`${url}/5`)).status).toBe(404);
      expect(visits.count).toBe(1);
      expect(registry.get('books')).toMatchObject({
        state: 'closed',
        counts: { successes: 2, failures: 0, ignored: 0 },
      });
    });

    it('end with the last error unchanged', async () => {
      @Controller()
      class K {
        @Get()
        @Retry({ maxRetries: 0 })
        async get(): Promise<never> {
          throw new BadGatewayException('the shelf is empty');
        }
      }
      const { url } = await serving(K);
      const response = await fetch(url);
      expect(response.status).toBe(502);
      expect(await response.json()).toMatchObject({ message: 'the shelf is empty' });
    });

    it('of an inner interceptor happen too, within each attempt', async () => {
      const visits = new Visits();
      class Again implements NestInterceptor {
        intercept(_: ExecutionContext, next: CallHandler): Observable<unknown> {
          return next.handle().pipe(retry(1));
        }
      }
      @Controller()
      class K {
        @Get()
        @UseInterceptors(Again)
        @Retry({ maxRetries: 1, backoff: constant('1s') })
        async get(): Promise<never> {
          visits.visit();
          throw new BadGatewayException();
        }
      }
      const { url, clock } = await serving(K);
      const answer = fetch(url);
      await until(() => clock.pending === 1);
      expect(visits.count).toBe(2);
      await clock.advance(1_000);
      expect((await answer).status).toBe(502);
      expect(visits.count).toBe(4);
    });

    it('are not made once the handler has begun to send its response (@Res())', async () => {
      const visits = new Visits();
      @Controller()
      class K {
        @Get()
        @UseFilters(EndOfResponse)
        @Retry({ backoff: constant(0) })
        async get(@Res() response: AnyResponse): Promise<void> {
          visits.visit();
          (response.raw ?? response).write('part');
          throw new BadGatewayException();
        }
      }
      const { url, events, clock } = await serving(K);
      const { answer } = request(url);
      expect((await answer).body).toBe('part');
      await until(() => of('retries-exhausted', events).length === 1);
      await clock.advance(1_000);
      expect(of('retries-exhausted', events)[0]!.reason).toBe('answered');
      expect(visits.count).toBe(1);
    });
  });

  it('is reported as one call, however often its policies ran it', async () => {
    const visits = new Visits();
    @Controller()
    class K {
      @Get()
      @Retry({ backoff: constant('1s') })
      async get(): Promise<string> {
        if (visits.visit() < 3) throw new BadGatewayException();
        return 'done';
      }
    }
    const { app, url, clock } = await serving(K);
    const events = withAttempts(app);
    const answer = fetch(url);
    for (const attempt of [1, 2]) {
      await visits.reached(attempt);
      await until(() => clock.pending === 1);
      await clock.advance(1_000);
    }
    expect(await (await answer).text()).toBe('done');
    expect(attemptsOf(events, 'K.get')).toBe(3);
  });
});

describe('a decorated handler on Fastify', () => {
  it('is not retried once it has taken the response over (hijack())', async () => {
    const visits = new Visits();
    @Controller()
    class K {
      @Get()
      @UseFilters(EndOfResponse)
      @Retry({ backoff: constant(0) })
      async get(@Res({ passthrough: true }) reply: { hijack(): void }): Promise<void> {
        visits.visit();
        reply.hijack();
        throw new BadGatewayException();
      }
    }
    const { url, events } = await servingOn('Fastify')(K);
    await request(url).answer;
    await until(() => of('retries-exhausted', events).length === 1);
    expect(of('retries-exhausted', events)[0]!.reason).toBe('answered');
    expect(visits.count).toBe(1);
  });
});
