import http from 'node:http';
import { Controller, Get, Injectable } from '@nestjs/common';
import { SpanKind, context, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import axios from 'axios';
import { Retry } from '../src/index.js';
import { ResilienceOpenTelemetryModule } from '../src/opentelemetry/index.js';
import { type Served, closeAll, everyPlatform, serve } from './support/boot.js';
import { until } from './support/wait.js';

const exporter = new InMemorySpanExporter();
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
const undici = new UndiciInstrumentation();
const instrumentation = new HttpInstrumentation();

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(provider);
  undici.setTracerProvider(provider);
  instrumentation.setTracerProvider(provider);
  undici.enable();
  // It waits for the module to be required, which Jest does in a way of its own.
  for (const { name, patch } of (instrumentation as unknown as Instrumented).init()) {
    if (name === 'http') patch(http);
  }
});

afterAll(() => {
  undici.disable();
  instrumentation.disable();
  trace.disable();
  context.disable();
  propagation.disable();
});

afterEach(closeAll);
beforeEach(() => exporter.reset());

interface Instrumented {
  init(): { readonly name: string; readonly patch: (module: unknown) => unknown }[];
}

/** Fails each second request. */
@Controller()
class Storage {
  private requests = 0;

  @Get('books')
  books(): string[] {
    this.requests += 1;
    if (this.requests % 2 === 1) throw new Error('not yet');
    return ['a book'];
  }
}

@Injectable()
class StorageClient {
  url = '';

  @Retry({ maxRetries: 1, backoff: () => 10 })
  async byAxios(): Promise<unknown> {
    return (await axios.get<unknown>(`${this.url}/books`, { adapter: 'http' })).data;
  }

  @Retry({ maxRetries: 1, backoff: () => 10 })
  async byFetch(): Promise<unknown> {
    const response = await fetch(`${this.url}/books`);
    if (!response.ok) throw new Error(`status ${response.status}`);
    return response.json();
  }
}

@Controller()
class Books {
  constructor(private readonly storage: StorageClient) {}

  @Get('axios')
  byAxios(): Promise<unknown> {
    return this.storage.byAxios();
  }

  @Get('fetch')
  byFetch(): Promise<unknown> {
    return this.storage.byFetch();
  }

  @Retry({ maxRetries: 1, backoff: () => 10 })
  @Get('handler')
  async handler(): Promise<unknown> {
    const response = await fetch(`${this.storage.url}/books`);
    if (!response.ok) throw new Error(`status ${response.status}`);
    return response.json();
  }
}

const spans = (): ReadableSpan[] => exporter.getFinishedSpans();

/** The names of the span and of those around it, with their kinds. */
const line = (span: ReadableSpan): string[] => {
  const shown = `${span.instrumentationScope.name.split('/').pop()} ${['internal', 'server', 'client'][span.kind]}`;
  const parent = spans().find(
    (each) => each.spanContext().spanId === span.parentSpanContext?.spanId,
  );
  return parent === undefined ? [shown] : [shown, ...line(parent)];
};

describe.each(everyPlatform)('a trace through a server on %s', (platform) => {
  let storage: Served;
  let shop: Served;

  beforeEach(async () => {
    storage = await serve(platform, { controllers: [Storage] });
    shop = await serve(platform, {
      controllers: [Books],
      providers: [StorageClient],
      imports: [ResilienceOpenTelemetryModule.forRoot({ metrics: false })],
    });
    shop.app.get(StorageClient).url = storage.url;
  });

  it.each([
    ['axios', 'instrumentation-http client'],
    ['fetch', 'instrumentation-undici client'],
    ['handler', 'instrumentation-undici client'],
  ])('has each request by %s in the attempt that made it', async (client, shown) => {
    const answer = new Promise<number | undefined>((resolve, reject) => {
      http
        .get(`${shop.url}/${client}`, (response) => {
          response.resume().on('end', () => resolve(response.statusCode));
        })
        .on('error', reject);
    });
    await until(() => spans().some(({ name }) => name === 'attempt'));
    await shop.clock.advance(10);
    expect(await answer).toBe(200);
    await until(() => spans().filter(({ kind }) => kind === SpanKind.SERVER).length === 3);

    const requests = spans().filter((span) => line(span)[0] === shown && line(span).length > 2);
    const inside = [
      shown,
      'nest-resilience internal',
      'nest-resilience internal',
      'instrumentation-http server',
    ];
    expect(requests.map(line)).toEqual([inside, inside]);
    const [first, second] = requests.map(({ parentSpanContext }) => parentSpanContext!.spanId);
    expect(first).not.toBe(second);
  });
});
