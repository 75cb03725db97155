// A small app as a user has it, compiled as ESM and as CommonJS and run in a real Node process on each Nest
// major by `npm run check:package`. Its exit code is the verdict.
import 'reflect-metadata';
import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { Controller, Get, Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  CircuitBreaker,
  CircuitBreakerRegistry,
  ResilienceModule,
  ResilienceService,
  Retry,
  hystrix,
  isResilienceError,
  fallbackValue,
} from 'nest-resilience';
import { type AdminOverview, ResilienceAdminModule } from 'nest-resilience/admin';
import { HystrixStreamModule } from 'nest-resilience/hystrix-stream';
import { ManualClock } from 'nest-resilience/testing';

@Injectable()
class BooksClient {
  calls = 0;

  @Retry({ maxRetries: 2, backoff: () => 1 })
  async books(): Promise<string[]> {
    this.calls += 1;
    if (this.calls < 3) throw new Error('not yet');
    return ['Gophers at Sea'];
  }
}

@Controller()
class BooksController {
  constructor(private readonly client: BooksClient) {}

  @Get('books')
  books(): Promise<string[]> {
    return this.client.books();
  }

  @CircuitBreaker({ name: 'cellar', consecutiveFailures: 1, openFor: '5s' })
  @Get('cellar')
  async cellar(): Promise<string[]> {
    throw new Error('flooded');
  }
}

@Module({
  imports: [
    ResilienceModule.forRoot(),
    HystrixStreamModule.forRoot({ interval: '20ms' }),
    ResilienceAdminModule.forRoot(),
  ],
  controllers: [BooksController],
  providers: [BooksClient],
})
class AppModule {}

async function main(): Promise<void> {
  const app = await NestFactory.create(AppModule, { logger: false });
  await app.listen(0, '127.0.0.1');
  const { port } = (app.getHttpServer() as { address(): AddressInfo }).address();
  const get = (path: string) => fetch(`http://127.0.0.1:${port}${path}`);

  const books = await get('/books');
  assert.equal(books.status, 200);
  assert.deepEqual(await books.json(), ['Gophers at Sea']);
  assert.equal(app.get(BooksClient).calls, 3, 'the decorated method is retried');

  assert.equal((await get('/cellar')).status, 500, 'the error of the handler itself');
  const rejected = await get('/cellar');
  assert.equal(rejected.status, 503, 'the open circuit answers');
  assert.match(rejected.headers.get('retry-after') ?? '', /^[1-5]$/);
  assert.equal(app.get(CircuitBreakerRegistry).get('cellar')?.state, 'open');

  const rejection: unknown = await app
    .get(CircuitBreakerRegistry)
    .get('cellar')
    ?.execute(() => Promise.resolve('never'))
    .catch((error: unknown) => error);
  assert.ok(isResilienceError(rejection, 'CIRCUIT_OPEN'));

  const command = app.get(ResilienceService).command('shelf', {
    run: async ({ attempt }, shelf: number) => {
      if (shelf > 1) throw new Error('no such shelf');
      return [`book ${attempt}`];
    },
    ...hystrix({ fallback: fallbackValue(['none']) }),
  });
  assert.deepEqual(await command.execute(1), ['book 1']);
  assert.deepEqual(await command.queue(2).result, ['none']);
  assert.equal(command.snapshot().metrics.counts.fallback.success, 1);

  const stream = await get('/hystrix.stream');
  assert.match(stream.headers.get('content-type') ?? '', /^text\/event-stream/);
  const chunk = await stream.body!.getReader().read();
  assert.match(new TextDecoder().decode(chunk.value), /^data: .*"name":"shelf"/);

  const overview = (await (await get('/resilience')).json()) as AdminOverview;
  const page = await get('/resilience/ui');
  if (!(await page.text()).includes('<title>Resilience</title>')) throw new Error('no page');
  assert.deepEqual(
    overview.troubles.map(({ name, kind }) => [name, kind]),
    [['cellar', 'open']],
  );

  await new ManualClock().advance(1);
  await app.close();
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
