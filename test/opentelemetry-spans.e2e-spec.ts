import { Injectable } from '@nestjs/common';
import { context, propagation, trace, SpanStatusCode } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { Registry } from 'prom-client';
import { Bulkhead, CircuitBreaker, Fallback, Retry, Timeout, fallbackValue } from '../src/index.js';
import { ResilienceOpenTelemetryModule, traceExemplar } from '../src/opentelemetry/index.js';
import { ResiliencePrometheusModule } from '../src/prometheus/index.js';
import { type Booted, boot, closeAll } from './support/boot.js';
import { deferred } from './support/wait.js';

const exporter = new InMemorySpanExporter();
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
const tracer = provider.getTracer('test');

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
});

afterAll(() => {
  context.disable();
  propagation.disable();
});

afterEach(closeAll);
beforeEach(() => exporter.reset());

/** Work that leaves a span of its own, as a client that is instrumented does. */
async function client(name: string, fails = false): Promise<string> {
  await Promise.resolve();
  tracer.startSpan(name).end();
  if (fails) throw new TypeError('fetch failed', { cause: { code: 'ECONNREFUSED' } });
  return name;
}

@Injectable()
class Shop {
  calls = 0;
  readonly work = deferred();

  @Retry({ maxRetries: 2, backoff: () => 250 })
  async retried(): Promise<string> {
    this.calls += 1;
    return client(`GET ${this.calls}`, this.calls < 3);
  }

  @Fallback(fallbackValue('none'))
  @CircuitBreaker({ name: 'storage', consecutiveFailures: 1 })
  async answered(): Promise<string> {
    return client('GET', true);
  }

  @Fallback(() => client('GET substitute'))
  async substituted(): Promise<string> {
    return client('GET fails', true);
  }

  @CircuitBreaker({ name: 'cellar' })
  async rejected(): Promise<string> {
    return client('GET');
  }

  @Timeout('1s')
  async hangs(): Promise<void> {
    await new Promise(() => {});
  }

  @Bulkhead({ name: 'reviews', maxConcurrent: 1, maxQueue: 1 })
  async queued(name: string): Promise<string> {
    if (name === 'first') await this.work.promise;
    return client(`GET ${name}`);
  }

  @Retry()
  async outer(): Promise<string> {
    return this.inner();
  }

  @Retry()
  async inner(): Promise<string> {
    return client('GET');
  }

  @Retry()
  async *items(): AsyncGenerator<number> {
    yield 1;
    await Promise.resolve();
    yield 2;
  }
}

const bootWith = (
  options: Parameters<typeof ResilienceOpenTelemetryModule.forRoot>[0] = {},
): Promise<Booted> =>
  boot({
    providers: [Shop],
    imports: [
      ResilienceOpenTelemetryModule.forRoot({
        tracerProvider: provider,
        metrics: false,
        ...options,
      }),
    ],
  });

/** Runs `work` inside a span, as a server that is instrumented does. */
const inServer = <T>(work: () => Promise<T>, name = 'server'): Promise<T> =>
  tracer.startActiveSpan(name, async (span) => {
    try {
      return await work();
    } finally {
      span.end();
    }
  });

const spans = (): ReadableSpan[] => exporter.getFinishedSpans();

const called = (name: string): ReadableSpan => {
  const found = spans().filter((span) => span.name === name);
  if (found.length !== 1) throw new Error(`${found.length} spans are called ${name}`);
  return found[0]!;
};

/** The names of the span and of those around it. */
const line = (span: ReadableSpan): string[] => {
  const parent = spans().find(
    (each) => each.spanContext().spanId === span.parentSpanContext?.spanId,
  );
  return parent === undefined ? [span.name] : [span.name, ...line(parent)];
};

const attempts = (): ReadableSpan[] => spans().filter(({ name }) => name === 'attempt');

describe('a span', () => {
  let booted: Booted;
  let shop: Shop;

  beforeEach(async () => {
    booted = await bootWith();
    shop = booted.app.get(Shop);
  });

  it('is made for a call and for each of its attempts, with the work inside', async () => {
    const call = inServer(() => shop.retried());
    await booted.clock.advance(500);
    await call;
    for (const name of ['GET 1', 'GET 2', 'GET 3']) {
      expect(line(called(name))).toEqual([name, 'attempt', 'Shop.retried', 'server']);
    }
    expect(called('Shop.retried').attributes).toEqual({
      'resilience.name': 'Shop.retried',
      'resilience.attempts': 3,
      'resilience.outcome': 'success',
      'resilience.source': 'live',
    });
    expect(called('Shop.retried').status.code).toBe(SpanStatusCode.UNSET);
    expect(attempts().map(({ attributes }) => attributes)).toEqual([
      { 'resilience.attempt': 1, 'resilience.outcome': 'failure', 'error.type': 'TypeError' },
      { 'resilience.attempt': 2, 'resilience.outcome': 'failure', 'error.type': 'TypeError' },
      { 'resilience.attempt': 3, 'resilience.outcome': 'success' },
    ]);
    expect(attempts().map(({ status }) => status)).toEqual([
      { code: SpanStatusCode.ERROR },
      { code: SpanStatusCode.ERROR },
      { code: SpanStatusCode.UNSET },
    ]);
    expect(called('Shop.retried').events.map(({ name, attributes }) => [name, attributes])).toEqual(
      [
        ['resilience.retry', { 'resilience.attempt': 1, 'resilience.delay': 0.25 }],
        ['resilience.retry', { 'resilience.attempt': 2, 'resilience.delay': 0.25 }],
      ],
    );
  });

  it('of a call that a fallback has answered is not an error, unlike its attempt', async () => {
    await shop.answered();
    expect(called('Shop.answered').status.code).toBe(SpanStatusCode.UNSET);
    expect(called('Shop.answered').attributes).toMatchObject({
      'resilience.outcome': 'success',
      'resilience.source': 'fallback',
    });
    expect(called('Shop.answered').events).toMatchObject([
      {
        name: 'resilience.fallback',
        attributes: { 'resilience.handler': 'value', 'resilience.outcome': 'success' },
      },
    ]);
    expect(attempts()[0]!.status.code).toBe(SpanStatusCode.ERROR);
  });

  it('of a call has the work of its fallback inside, but not in an attempt', async () => {
    await inServer(() => shop.substituted());
    expect(line(called('GET substitute'))).toEqual([
      'GET substitute',
      'Shop.substituted',
      'server',
    ]);
    expect(line(called('GET fails'))).toEqual([
      'GET fails',
      'attempt',
      'Shop.substituted',
      'server',
    ]);
  });

  it('of a rejected call says by what, and has no attempt', async () => {
    booted.registry.get('cellar').forceOpen();
    await expect(inServer(() => shop.rejected())).rejects.toThrow();
    expect(attempts()).toEqual([]);
    const { attributes, events, status } = called('Shop.rejected');
    expect(status).toEqual({ code: SpanStatusCode.ERROR });
    expect(attributes).toMatchObject({
      'error.type': 'CIRCUIT_OPEN',
      'resilience.rejected_by': 'CIRCUIT_OPEN',
    });
    expect(events).toMatchObject([
      {
        name: 'resilience.rejected',
        attributes: {
          'resilience.part': 'cellar',
          'resilience.policy': 'circuitBreaker',
          'resilience.code': 'CIRCUIT_OPEN',
          'resilience.observed': false,
        },
      },
    ]);
  });

  it('of a call that timed out ends then, and so does its attempt', async () => {
    const call = expect(inServer(() => shop.hangs())).rejects.toThrow();
    await booted.clock.advance(1_000);
    await call;
    expect(attempts()).toHaveLength(1);
    for (const span of [attempts()[0]!, called('Shop.hangs')]) {
      expect(span.attributes).toMatchObject({ 'error.type': 'TIMEOUT' });
      expect(span.status).toEqual({ code: SpanStatusCode.ERROR });
    }
  });

  it('of a call that waited in a queue is in its own trace, whichever call freed the place', async () => {
    const first = inServer(() => shop.queued('first'), 'server 1');
    const second = inServer(() => shop.queued('second'), 'server 2');
    await booted.clock.advance(500);
    shop.work.resolve();
    await Promise.all([first, second]);
    expect(line(called('GET first'))).toEqual(['GET first', 'attempt', 'Shop.queued', 'server 1']);
    expect(line(called('GET second'))).toEqual([
      'GET second',
      'attempt',
      'Shop.queued',
      'server 2',
    ]);
    const events = spans().flatMap((span) => span.events.map((event) => [line(span)[1], event]));
    expect(events).toMatchObject([
      [
        'server 2',
        {
          name: 'resilience.queued',
          attributes: { 'resilience.part': 'reviews', 'resilience.wait': 0.5 },
        },
      ],
    ]);
  });

  it('of a call inside another one is inside its attempt', async () => {
    await shop.outer();
    expect(line(called('GET'))).toEqual(['GET', 'attempt', 'Shop.inner', 'attempt', 'Shop.outer']);
  });

  it('does not reach the caller, who goes on in its own span', async () => {
    await inServer(async () => {
      await shop.inner();
      tracer.startSpan('after').end();
    });
    expect(line(called('after'))).toEqual(['after', 'server']);
  });

  it('of a stream ends with it', async () => {
    for await (const item of shop.items()) {
      if (item === 1) expect(spans().map(({ name }) => name)).toEqual(['attempt']);
    }
    expect(called('Shop.items').attributes).toMatchObject({ 'resilience.outcome': 'success' });
  });

  it('is not shown with messages of errors', async () => {
    await shop.answered();
    expect(
      JSON.stringify(spans().map(({ attributes, events, status }) => [attributes, events, status])),
    ).not.toContain('fetch failed');
  });

  it('tells how a call has ended that ends while the application closes', async () => {
    const call = shop.queued('first');
    const beforeApplicationShutdown = async (): Promise<void> => {
      shop.work.resolve();
      await call;
    };
    Object.assign(shop, { beforeApplicationShutdown });
    await booted.app.close();
    expect(called('Shop.queued').attributes).toMatchObject({ 'resilience.outcome': 'success' });
  });

  it('ends when the application closes, and no further ones are made', async () => {
    const call = shop.hangs();
    call.catch(() => {});
    await Promise.resolve();
    await booted.app.close();
    expect(called('Shop.hangs')).toBeDefined();
    exporter.reset();
    await shop.inner().catch(() => {});
    expect(spans().map(({ name }) => name)).toEqual(['GET']);
  });
});

describe('attempts as events', () => {
  it('are events of the span of their call, in which the work is', async () => {
    const { app, clock } = await bootWith({ attempts: 'events' });
    const call = app.get(Shop).retried();
    await clock.advance(500);
    await call;
    expect(line(called('GET 2'))).toEqual(['GET 2', 'Shop.retried']);
    const events = called('Shop.retried').events.filter(
      ({ name }) => name === 'resilience.attempt',
    );
    expect(events.map(({ attributes }) => attributes)).toEqual([
      {
        'resilience.attempt': 1,
        'resilience.duration': 0,
        'resilience.outcome': 'failure',
        'error.type': 'TypeError',
      },
      {
        'resilience.attempt': 2,
        'resilience.duration': 0,
        'resilience.outcome': 'failure',
        'error.type': 'TypeError',
      },
      { 'resilience.attempt': 3, 'resilience.duration': 0, 'resilience.outcome': 'success' },
    ]);
  });
});

describe('an SDK that throws', () => {
  it('does not fail the call', async () => {
    const tracerProvider = {
      getTracer: () => ({
        startSpan: () => {
          throw new Error('no sampler');
        },
      }),
    } as never;
    const { app } = await bootWith({ tracerProvider });
    await expect(app.get(Shop).inner()).resolves.toBe('GET');
  });
});

describe('an exemplar', () => {
  it('leads from the metrics of a call to its span', async () => {
    const exemplars: unknown[] = [];
    const exemplar = (): ReturnType<typeof traceExemplar> => {
      const found = traceExemplar();
      exemplars.push(found);
      return found;
    };
    const { app } = await boot({
      providers: [Shop],
      imports: [
        ResilienceOpenTelemetryModule.forRoot({ tracerProvider: provider, metrics: false }),
        ResiliencePrometheusModule.forRoot({ registry: new Registry(), exemplar }),
      ],
    });
    await app.get(Shop).inner();
    const { traceId, spanId } = called('Shop.inner').spanContext();
    expect(exemplars).toEqual([{ trace_id: traceId, span_id: spanId }]);
  });

  it('is the trace that is going on', async () => {
    expect(traceExemplar()).toBeUndefined();
    await inServer(async () => {
      const { traceId, spanId } = trace.getActiveSpan()!.spanContext();
      expect(traceExemplar()).toEqual({ trace_id: traceId, span_id: spanId });
    });
  });
});
