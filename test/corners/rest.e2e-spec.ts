import { Readable } from 'node:stream';
import { BadGatewayException, Controller, Get, Res, Sse, StreamableFile } from '@nestjs/common';
import { type Observable, defer, of as just } from 'rxjs';
import { Bulkhead, CircuitBreaker, Retry, Signal, Timeout, constant } from '../../src/index.js';
import {
  type Platform,
  type Served,
  closeAll,
  everyPlatform,
  nestMajor,
  serve,
} from '../support/boot.js';
import { hang } from '../support/handlers.js';
import { request } from '../support/http.js';
import { type Deferred, Visits, deferred, until } from '../support/wait.js';

const visits = new Visits();
const failing = { consecutiveFailures: 1, openFor: '4s' } as const;
let entered: Deferred<AbortSignal>;
let ended: Deferred;

/** Fails at the first attempt. */
function flaky(): void {
  if (visits.visit() === 1) throw new BadGatewayException();
}

@Controller()
@Retry({ maxRetries: 2, backoff: constant('1s') })
class Streams {
  @Get('generator')
  @CircuitBreaker({ name: 'generator', consecutiveFailures: 9 })
  async *generator(): AsyncGenerator<string> {
    flaky();
    yield 'one,';
    yield 'two';
  }

  @Get('web')
  @CircuitBreaker('web')
  async web(): Promise<ReadableStream> {
    const items = ['one,', 'two'];
    return new ReadableStream<Uint8Array>({
      pull: (controller) => {
        if (items.length === 2) flaky();
        const item = items.shift();
        if (item === undefined) controller.close();
        else controller.enqueue(new TextEncoder().encode(item));
      },
    });
  }

  @Get('breaks')
  @CircuitBreaker({ name: 'breaks', consecutiveFailures: 9 })
  async *breaks(): AsyncGenerator<string> {
    visits.visit();
    yield 'one,';
    throw new BadGatewayException('midway');
  }

  @Get('hangs')
  @Timeout('2s')
  async *hangs(@Signal() signal: AbortSignal): AsyncGenerator<string> {
    visits.visit();
    await hang(signal);
    yield 'never';
  }

  @Get('endless')
  @Bulkhead({ name: 'endless', maxConcurrent: 1 })
  async *endless(@Signal() signal: AbortSignal): AsyncGenerator<string> {
    entered.resolve(signal);
    try {
      yield 'one';
      await hang(signal);
    } finally {
      ended.resolve();
    }
  }
}

@Controller()
@CircuitBreaker('plain')
class Plain {
  @Get('promise')
  async promise(): Promise<string> {
    visits.visit();
    return 'books';
  }

  @Get('observable')
  observable(): Observable<string> {
    return defer(() => {
      visits.visit();
      return just('books');
    });
  }

  @Sse('sse')
  sse(): Observable<object> {
    return defer(() => {
      visits.visit();
      return just({ data: 'books' });
    });
  }

  @Get('file')
  async file(): Promise<StreamableFile> {
    visits.visit();
    return new StreamableFile(Readable.from([Buffer.from('books')]));
  }

  @Get('response')
  async response(@Res({ passthrough: true }) _response: unknown): Promise<string> {
    visits.visit();
    return 'books';
  }
}

@Controller()
class Open {
  @Get('open')
  @CircuitBreaker({ name: 'secret-upstream', ...failing })
  async open(): Promise<never> {
    throw new BadGatewayException();
  }
}

/** Nest sends async iterables and web streams since its version 12. */
const since12 = nestMajor >= 12 ? describe : describe.skip;

describe.each(everyPlatform)('REST on %s', (platform: Platform) => {
  let server: Served;

  beforeAll(async () => {
    server = await serve(platform, { controllers: [Streams, Plain, Open] });
  });

  beforeEach(() => {
    entered = deferred();
    ended = deferred();
    visits.count = 0;
    for (const { name } of server.registry.list()) server.registry.get(name).reset();
  });

  afterAll(closeAll);

  describe.each([
    ['a promise', 'promise'],
    ['an Observable', 'observable'],
    ['server-sent events', 'sse'],
    ['a StreamableFile', 'file'],
    ['@Res({ passthrough })', 'response'],
  ])('%s', (_, path) => {
    it('runs its policies exactly once', async () => {
      expect((await request(`${server.url}/${path}`).answer).body).toContain('books');
      expect(visits.count).toBe(1);
      expect(server.registry.get('plain').counts).toMatchObject({ requests: 1, successes: 1 });
    });
  });

  it('gives its client status, code and Retry-After of a rejection, and reveals no internals', async () => {
    await fetch(`${server.url}/open`);
    const response = await fetch(`${server.url}/open`);
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('4');
    const body = await response.text();
    expect(body).toContain('CIRCUIT_OPEN');
    expect(body).not.toContain('secret');
  });

  since12('a stream', () => {
    it.each([
      ['an async generator', 'generator'],
      ['a web stream', 'web'],
    ])('of %s is retried up to its first item, and sends none twice', async (_, path) => {
      const { answer } = request(`${server.url}/${path}`);
      await until(() => visits.count === 1 && server.clock.pending > 0);
      await server.clock.advance(1_000);
      expect(await answer).toMatchObject({ status: 200, body: 'one,two' });
      expect(visits.count).toBe(2);
      expect(server.registry.get(path).counts).toMatchObject({ successes: 1, failures: 1 });
    });

    it('that breaks after its first item is one failure more for the breaker, and not retried', async () => {
      await request(`${server.url}/breaks`).answer.catch(() => {});
      await until(() => server.registry.get('breaks').counts.failures === 1);
      expect(server.registry.get('breaks').counts).toMatchObject({ successes: 1 });
      expect(visits.count).toBe(1);
    });

    it('has a time limit up to its first item', async () => {
      const { answer } = request(`${server.url}/hangs`);
      for (const attempt of [1, 2, 3]) {
        await visits.reached(attempt);
        await until(() => server.clock.pending > 0);
        await server.clock.advance(2_000);
        if (attempt === 3) break;
        await until(() => server.clock.pending > 0);
        await server.clock.advance(1_000);
      }
      expect((await answer).status).toBe(504);
    });

    it('ends when its client goes, and frees its place', async () => {
      for (let client = 0; client < 3; client++) {
        entered = deferred();
        ended = deferred();
        const { begun, disconnect } = request(`${server.url}/endless`);
        const signal = await entered.promise;
        await begun;
        expect(signal.aborted).toBe(false);
        disconnect();
        await ended.promise;
        await until(() => signal.aborted);
      }
    });
  });
});
