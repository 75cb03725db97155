import { Readable } from 'node:stream';
import {
  BadGatewayException,
  Controller,
  Get,
  Injectable,
  Query,
  Sse,
  StreamableFile,
} from '@nestjs/common';
import { Observable, from, map } from 'rxjs';
import {
  Bulkhead,
  BulkheadRegistry,
  CircuitBreaker,
  Retry,
  Signal,
  Timeout,
  constant,
} from '../src/index.js';
import { closeAll, everyPlatform, nestMajor, serve } from './support/boot.js';
import { request } from './support/http.js';
import { until } from './support/wait.js';

afterEach(closeAll);
let attempts = 0;
let open = 0;

/** Numbers without end, or two and then an error. The first attempt of all fails. */
async function* numbers(breaks: boolean): AsyncGenerator<number> {
  if (++attempts === 1) throw new BadGatewayException();
  open += 1;
  try {
    for (let n = 0; ; n++) {
      if (breaks && n === 2) throw new BadGatewayException('midway');
      yield n;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  } finally {
    open -= 1;
  }
}

function observed(breaks: boolean): Observable<number> {
  return new Observable((subscriber) => {
    const source = numbers(breaks);
    const listen = async (): Promise<void> => {
      for await (const n of source) subscriber.next(n);
    };
    listen().catch((error: unknown) => subscriber.error(error));
    return () => void source.return(undefined);
  });
}

const event = (n: number): object => ({ data: `#${n};` });
const retry = { maxRetries: 1, backoff: constant(0) };
const breaker = { name: 'stream', consecutiveFailures: 100 };
const places = { name: 'stream', maxConcurrent: 20 };

@Injectable()
class Shop {
  @Retry(retry)
  @CircuitBreaker(breaker)
  @Timeout({ attempt: '1s', total: '5s' })
  @Bulkhead(places)
  async *items(breaks: boolean, @Signal() _signal?: AbortSignal): AsyncGenerator<number> {
    yield* numbers(breaks);
  }
}

@Controller()
class EventStream {
  @Sse()
  @Retry(retry)
  @CircuitBreaker(breaker)
  @Timeout({ attempt: '1s', total: '5s' })
  @Bulkhead(places)
  stream(@Query('breaks') breaks?: string): Observable<object> {
    return observed(breaks !== undefined).pipe(map(event));
  }
}

@Controller()
class Generator {
  @Get()
  @Retry(retry)
  @CircuitBreaker(breaker)
  @Timeout({ attempt: '1s', total: '5s' })
  @Bulkhead(places)
  async *stream(@Query('breaks') breaks?: string): AsyncGenerator<string> {
    for await (const n of numbers(breaks !== undefined)) yield `#${n};`;
  }
}

@Controller()
class OfService {
  constructor(readonly shop: Shop) {}

  @Sse()
  stream(@Signal() signal: AbortSignal, @Query('breaks') breaks?: string): Observable<object> {
    return from(this.shop.items(breaks !== undefined, signal)).pipe(map(event));
  }
}

@Controller()
class File {
  @Get()
  @Retry(retry)
  @CircuitBreaker(breaker)
  @Timeout({ attempt: '1s', total: '5s' })
  @Bulkhead(places)
  async stream(@Query('breaks') breaks?: string): Promise<StreamableFile> {
    const source = numbers(breaks !== undefined);
    return new StreamableFile(Readable.from(this.chunks(source), { highWaterMark: 1 }));
  }

  private async *chunks(source: AsyncGenerator<number>): AsyncGenerator<Buffer> {
    for await (const n of source) yield Buffer.from(`#${n};`);
  }
}

/** Nest sends generators since version 12. */
const kinds = [
  { kind: 'an event stream', controller: EventStream, failures: 3 },
  { kind: 'a generator of a service', controller: OfService, failures: 3 },
  { kind: 'a file', controller: File, failures: 3 },
  ...(nestMajor < 12 ? [] : [{ kind: 'a generator', controller: Generator, failures: 3 }]),
];

const LEAVING = 8;
const BREAKING = 2;

const numbersIn = (text: string): number[] =>
  Array.from(text.matchAll(/#(\d+);/g), ([, n]) => Number(n));

describe.each(everyPlatform)('on %s, clients leave early', (platform) => {
  it.each(kinds)(
    '$kind: no item comes twice, failures are counted, and everything is given back',
    async ({ controller, failures }) => {
      attempts = 0;
      open = 0;
      const { app, url, registry, clock } = await serve(platform, {
        controllers: [controller],
        providers: [Shop],
      });
      const leaving = Array.from({ length: LEAVING }, () => request(url));
      await until(() => clock.pending > 0);
      await clock.advance(1);
      for (const { begun, disconnect } of leaving) {
        const received = numbersIn(await begun);
        expect(received).toEqual(received.map((_, at) => at));
        disconnect();
      }
      for (let i = 0; i < BREAKING; i++) {
        const { begun, answer } = request(`${url}/?breaks`);
        await begun;
        const body = await answer.then(({ body }) => body).catch(() => '#0;#1;'); // cut off
        expect(numbersIn(body)).toEqual([0, 1]);
      }
      const total = LEAVING + BREAKING;
      await until(() => open === 0 && app.get(BulkheadRegistry).get('stream').running === 0);
      expect(attempts).toBe(total + 1);
      expect(registry.get('stream').counts).toMatchObject({
        requests: total + failures, // a break counts as a call of its own
        successes: total,
        failures,
        ignored: 0,
      });
      await clock.advance(5_000); // timers of timeouts are shared, and run out
      expect(clock.pending).toBe(0);
    },
  );
});
