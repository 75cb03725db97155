import type { ServerResponse } from 'node:http';
import {
  BadGatewayException,
  Controller,
  Get,
  type INestApplication,
  Inject,
  Injectable,
  NotFoundException,
  Param,
} from '@nestjs/common';
import { CircuitBreaker } from '../../src/index.js';
import type { Command } from '../../src/commands/command.js';
import {
  RESILIENCE_SERVICE,
  type ResilienceService,
} from '../../src/commands/resilience.service.js';
import { EventStream } from '../../src/hystrix-stream/event-stream.js';
import { HystrixStreamModule, type HystrixStreamOptions } from '../../src/hystrix-stream/index.js';
import { type Parts, type Platform, type Served, serve } from './boot.js';
import type { Reader } from './hystrix.js';
import { until } from './wait.js';

/** Sends often, so that tests do not wait. */
export const often = 2;

@Injectable()
class StorageClient {
  readonly books: Command<[id: string], string>;

  constructor(@Inject(RESILIENCE_SERVICE) resilience: ResilienceService) {
    this.books = resilience.command('shop.books', {
      run: async (_, id: string) => {
        if (id === 'missing') throw new NotFoundException();
        if (id === 'down') throw new BadGatewayException();
        return id;
      },
      timeout: '2s',
      bulkhead: 10,
      circuitBreaker: { name: 'storagesvc', consecutiveFailures: 5, openFor: '7s' },
    });
    resilience.command('shop.authors', { run: async () => 'authors', circuitBreaker: {} });
    resilience.command('shop.covers', { run: async () => 'covers', fallback: () => 'none' });
  }

  @CircuitBreaker('reviews')
  async reviews(): Promise<string> {
    return 'reviews';
  }
}

@Controller('books')
class BooksController {
  constructor(@Inject(StorageClient) private readonly storage: StorageClient) {}

  @Get(':id')
  book(@Param('id') id: string): Promise<string> {
    return this.storage.books.execute(id);
  }
}

/** Internals that tests read: the connected clients, and whether the timer runs. */
interface Inside {
  readonly clients: Map<ServerResponse, { readonly ready: boolean }>;
  readonly timer: NodeJS.Timeout | undefined;
  tick(): void;
}

export const inside = (app: INestApplication): Inside =>
  app.get<unknown>(EventStream, { strict: false }) as Inside;

export const counting = (parts: Parts = {}): Parts => ({
  controllers: [BooksController],
  providers: [StorageClient],
  ...parts,
});

/** Starts servers with a stream that sends often. */
export const streamingOn =
  (platform: Platform) =>
  (options: HystrixStreamOptions = {}, { imports = [], ...parts }: Parts = {}): Promise<Served> =>
    serve(platform, {
      ...parts,
      imports: [...imports, HystrixStreamModule.forRoot({ interval: often, ...options })],
    });

/** Waits for more, `times` times. */
export const sent = async (reader: Reader, times = 2): Promise<void> => {
  for (let time = 0; time < times; time++) {
    const { length } = reader.text;
    await until(() => reader.text.length > length);
  }
};
