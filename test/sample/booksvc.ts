import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  BulkheadRegistry,
  CircuitBreakerRegistry,
  RESILIENCE_MODULE_OPTIONS,
  type ResilienceEvent,
  ResilienceEvents,
} from 'nest-resilience';
import { ManualClock } from 'nest-resilience/testing';
import { get, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setImmediate as turn } from 'node:timers/promises';
import { AppModule } from '../../sample/booksvc/src/app.module.js';
import { type BooksvcConfig, booksvcConfig, readConfig } from '../../sample/booksvc/src/config.js';
import { resilienceOptions } from '../../sample/booksvc/src/resilience.options.js';
import { JsonLogger } from '../../sample/common/src/json-logger.js';
import type { StorageDouble } from './storage-double.js';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
  /** The duration on the virtual clock. */
  readonly tookMs: number;
}

/** booksvc on a virtual clock, in front of a double of storagesvc; by default with its default settings. */
export class Booksvc {
  readonly events: ResilienceEvent[] = [];

  private constructor(
    private readonly app: INestApplication,
    readonly clock: ManualClock,
  ) {
    app.get(ResilienceEvents).subscribe((event) => {
      this.events.push(event);
      if (event.type === 'retry') {
        // Tests do not wait: the wait that begins now is over at once.
        void turn().then(() => clock.advance(event.delayMs));
      }
    });
  }

  static async start(storage: StorageDouble, env: NodeJS.ProcessEnv = {}): Promise<Booksvc> {
    const clock = new ManualClock();
    const moduleRef = await Test.createTestingModule({ imports: [AppModule] })
      .overrideProvider(booksvcConfig.KEY)
      .useValue(readConfig({ STORAGE_URL: storage.url, ...env }))
      .overrideProvider(JsonLogger)
      .useValue(new JsonLogger('booksvc', 'silent'))
      .overrideProvider(RESILIENCE_MODULE_OPTIONS)
      .useFactory({
        inject: [booksvcConfig.KEY, JsonLogger],
        factory: (config: BooksvcConfig, logger: JsonLogger) => ({
          ...resilienceOptions(config, logger),
          clock,
          // The middle of the jitter: waits are 500, 750, 1125 ms …
          random: () => 0.5,
        }),
      })
      .compile();
    const app = moduleRef.createNestApplication({ logger: false });
    await app.listen(0, '127.0.0.1');
    return new Booksvc(app, clock);
  }

  get bulkhead() {
    return this.app.get(BulkheadRegistry).get('storagesvc');
  }

  get breaker() {
    return this.app.get(CircuitBreakerRegistry).get('storagesvc');
  }

  get url(): string {
    const { port } = (this.app.getHttpServer() as { address(): AddressInfo }).address();
    return `http://127.0.0.1:${port}`;
  }

  async ask(path = '/'): Promise<Answer> {
    const start = this.clock.now();
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      get(`${this.url}${path}`, resolve).on('error', reject);
    });
    const body = await text(response);
    const { statusCode = 0, headers } = response;
    return {
      status: statusCode,
      headers,
      body: JSON.parse(body),
      tookMs: this.clock.now() - start,
    };
  }

  count(type: ResilienceEvent['type']): number {
    return this.events.filter((event) => event.type === type).length;
  }

  async close(): Promise<void> {
    await this.app.close();
  }
}
