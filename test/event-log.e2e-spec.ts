import {
  ConsoleLogger,
  type INestApplicationContext,
  Injectable,
  type LoggerService,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import fc from 'fast-check';
import {
  Bulkhead,
  CircuitBreaker,
  CircuitBreakerRegistry,
  ResilienceEvents,
  type ResilienceModuleOptions,
  ResilienceService,
} from '../src/index.js';
import { ManualClock, MemoryStore } from '../src/testing/index.js';
import { type Booted, appModule, boot, closeAll, nestMajor, quiet } from './support/boot.js';
import { outcome } from './support/wait.js';

const contexts: INestApplicationContext[] = [];

afterEach(async () => {
  await closeAll();
  for (const app of contexts.splice(0)) await app.close();
});

@Injectable()
class Books {
  @CircuitBreaker({ name: 'storagesvc', consecutiveFailures: 1, openFor: '1m' })
  async list(fail = false): Promise<string> {
    if (fail) throw new Error('down');
    return 'books';
  }

  @Bulkhead({ maxConcurrent: 1, maxQueue: 0 })
  async hang(): Promise<void> {
    await new Promise(() => {});
  }

  @CircuitBreaker({ consecutiveFailures: 1, openFor: '1m', key: (key: string) => key })
  async ofTenant(_key: string): Promise<void> {
    throw new Error('down');
  }
}

interface Line {
  readonly level: string;
  readonly message: unknown;
}

async function logged(
  logging?: ResilienceModuleOptions['logging'],
  shared: ResilienceModuleOptions = {},
): Promise<Booted & { books: Books; lines: Line[]; texts(): unknown[] }> {
  const lines: Line[] = [];
  const writer = (level: string) => (message: unknown) => void lines.push({ level, message });
  const logger = {
    log: writer('log'),
    warn: writer('warn'),
    error: writer('error'),
    debug: writer('debug'),
  };
  const booted = await boot({ providers: [Books], resilience: { logger, logging, ...shared } });
  lines.length = 0; // what it says while it starts
  const texts = (): unknown[] => lines.map(({ message }) => message);
  return { ...booted, books: booted.app.get(Books), lines, texts };
}

/** Without the listener that `boot()` adds for all tests. */
async function unwatched(logging?: ResilienceModuleOptions['logging']) {
  const logger = { log: () => {}, warn: () => {}, error: () => {} };
  const { AppModule, clock } = appModule({ providers: [Books], resilience: { logger, logging } });
  const app = await NestFactory.createApplicationContext(AppModule, quiet);
  contexts.push(app);
  return { app, clock, books: app.get(Books) };
}

describe('the log of the events', () => {
  it('has one warning per opening, however many probes fail, and one line per recovery', async () => {
    const { books, lines, clock } = await logged();
    await outcome(books.list(true));
    for (let probes = 0; probes < 3; probes++) {
      await clock.advance(60_000);
      await outcome(books.list(true));
    }
    await clock.advance(60_000);
    await books.list();
    expect(lines.filter(({ level }) => level !== 'debug')).toEqual([
      {
        level: 'warn',
        message: expect.stringMatching(/is open, was closed: consecutive-failures/),
      },
      { level: 'log', message: 'circuit "storagesvc" is closed, was half-open: probes-succeeded' },
    ]);
    expect(lines.filter(({ level }) => level === 'debug')).toHaveLength(2 * 3 + 1);
    expect(lines).toContainEqual({
      level: 'debug',
      message: expect.stringMatching(/is open, was half-open: probe-failed;.*; until 2026-01-01T/),
    });
  });

  it('warns of the opening after a recovery, and logs a reset', async () => {
    const { app, books, lines } = await logged();
    const breaker = app.get(CircuitBreakerRegistry).get('storagesvc');
    for (let openings = 0; openings < 2; openings++) {
      await outcome(books.list(true));
      breaker.reset();
    }
    expect(lines.map(({ level }) => level)).toEqual(['warn', 'log', 'warn', 'log']);
  });

  it('omits probes before more important lines', async () => {
    const { books, lines, clock } = await logged({ maxEventsPerSecond: 3 });
    for (let i = 0; i < 5; i++) await outcome(books.ofTenant(`tenant-${i}`));
    await clock.advance(60_000);
    for (let i = 0; i < 5; i++) await outcome(books.ofTenant(`tenant-${i}`));
    await outcome(books.list(true));
    await clock.advance(1_000);
    const since = lines.slice(4);
    expect(since.map(({ level }) => level)).toEqual(['debug', 'debug', 'debug', 'warn', 'debug']);
    expect(since.at(-1)!.message).toBe(
      'left out of the log within a second: 0 rejections, 7 other events',
    );
  });

  it('logs who has overridden a circuit, why and until when, and the end of the override', async () => {
    const { app, texts, clock } = await logged();
    const breaker = app.get(CircuitBreakerRegistry).get('storagesvc');
    const until = new Date(clock.wall() + 60_000);
    breaker.forceOpen({ by: 'anna', reason: 'migration', until });
    breaker.clearOverride();
    breaker.disable();
    expect(texts()).toEqual([
      'circuit "storagesvc" is overridden: forced-open by anna (migration), until 2026-01-01T00:01:00.000Z',
      'circuit "storagesvc" is no longer overridden',
      'circuit "storagesvc" is overridden: disabled, until it is cleared',
    ]);
  });

  it('has one line for each change of the configuration', async () => {
    const { app, texts } = await logged();
    const patch = { circuitBreaker: { openFor: '5s' } } as const;
    app.get(ResilienceService).configure('storagesvc', patch, { by: 'bob', reason: 'too slow' });
    expect(texts()).toEqual([
      'options of "storagesvc" have been changed by bob (too slow): {"circuitBreaker":{"openFor":"5s"}}',
    ]);
  });

  it('logs when the store is away and back, within the limit of lines', async () => {
    const { app, texts, clock } = await logged({ maxEventsPerSecond: 2 });
    const events = app.get(ResilienceEvents);
    const error = new Error('READONLY');
    for (let i = 0; i < 3; i++) {
      events.emit({ type: 'store-degraded', name: 'redis', error });
      events.emit({ type: 'store-recovered', name: 'redis', degradedForMs: 250.4 });
    }
    await clock.advance(1_000);
    expect(texts()).toEqual([
      'store redis does not answer: Error: READONLY; shared breakers and limits act as local ones',
      'store redis answers again after 250 ms',
      'left out of the log within a second: 0 rejections, 4 other events',
    ]);
  });

  it('logs the duration of a change for all instances, and its end', async () => {
    const clock = new ManualClock();
    const { app, texts } = await logged(undefined, { clock, store: new MemoryStore({ clock }) });
    const note = { by: 'bob', scope: 'shared', until: new Date(clock.wall() + 60_000) } as const;
    app.get(ResilienceService).configure('storagesvc', { circuitBreaker: { openFor: '5s' } }, note);
    await clock.advance(60_001);
    expect(texts()).toEqual([
      'options of "storagesvc" have been changed for all instances by bob: {"circuitBreaker":{"openFor":"5s"}}, until 2026-01-01T00:01:00.000Z',
      'a change of "storagesvc" for all instances by bob has expired: {"circuitBreaker":null}',
    ]);
  });

  it('has a sample of the rejections, and their number once per second', async () => {
    const { books, texts, clock } = await logged();
    await outcome(books.list(true));
    for (let i = 0; i < 100; i++) await outcome(books.list());
    expect(texts().slice(1)).toEqual([
      'circuitBreaker "storagesvc" has rejected a call: CIRCUIT_OPEN',
    ]);
    await clock.advance(1_000);
    expect(texts().slice(2)).toEqual([
      'left out of the log within a second: 99 rejections, 0 other events',
    ]);
    await outcome(books.list());
    expect(texts()).toHaveLength(4);
    await clock.advance(10_000);
    expect(texts()).toHaveLength(4);
  });

  it('counts omitted lines correctly, even if others listen to rejections too', async () => {
    const { app, books, texts, clock } = await logged();
    const heard = jest.fn();
    app.get(ResilienceEvents).on('rejected', heard);
    void books.hang();
    for (let i = 0; i < 10; i++) await outcome(books.hang());
    await clock.advance(1_000);
    expect(heard).toHaveBeenCalledTimes(10);
    expect(texts()).toEqual([
      'bulkhead "Books.hang" has rejected a call: BULKHEAD_FULL',
      'left out of the log within a second: 9 rejections, 0 other events',
    ]);
  });

  it('requests no further events of rejections at its limit', async () => {
    const { app, books, clock } = await unwatched();
    const events = app.get(ResilienceEvents);
    const emit = jest.spyOn(events, 'emit');
    await outcome(books.list(true));
    emit.mockClear();
    for (let i = 0; i < 100; i++) await outcome(books.list());
    expect(emit).toHaveBeenCalledTimes(1);
    expect(events.active('rejected')).toBe(false);
    await clock.advance(1_000);
    await outcome(books.list());
    expect(emit).toHaveBeenCalledTimes(2);
  });

  it('has no rejections with maxRejectionsPerSecond: 0', async () => {
    const { books, lines } = await logged({ maxRejectionsPerSecond: 0 });
    await outcome(books.list(true));
    await outcome(books.list());
    expect(lines.map(({ level }) => level)).toEqual(['warn']);
  });

  it('omits lines in a storm, and warns with their number', async () => {
    const { books, lines, clock } = await logged({ maxEventsPerSecond: 3 });
    for (let i = 0; i < 50; i++) await outcome(books.ofTenant(`tenant-${i}`));
    expect(lines).toHaveLength(3);
    await clock.advance(1_000);
    expect(lines.slice(3)).toEqual([
      {
        level: 'warn',
        message: 'left out of the log within a second: 0 rejections, 47 other events',
      },
    ]);
  });

  it('logs the number of omitted lines when the application closes', async () => {
    const { app, books, texts } = await logged();
    await outcome(books.list(true));
    for (let i = 0; i < 5; i++) await outcome(books.list());
    await app.close();
    expect(texts().at(-1)).toBe(
      'left out of the log within a second: 4 rejections, 0 other events',
    );
  });

  it('is silent with logging: false', async () => {
    const { app, books, lines } = await logged(false);
    await outcome(books.list(true));
    await outcome(books.list());
    expect(lines).toEqual([]);
    await app.close();
  });

  it('adds no listener with logging: false', async () => {
    const { app } = await unwatched(false);
    expect(app.get(ResilienceEvents).active('override')).toBe(false);
  });

  it('has fields if so configured', async () => {
    const { books, texts } = await logged({ fields: true });
    await outcome(books.list(true));
    expect(texts()).toEqual([
      {
        message: expect.stringMatching(/^circuit "storagesvc" is open/),
        event: 'state-change',
        name: 'storagesvc',
        from: 'closed',
        to: 'open',
        reason: 'consecutive-failures',
        counts: expect.objectContaining({ failures: 1, consecutiveFailures: 1 }),
        limits: { minimumCalls: expect.any(Number), consecutiveFailures: 1 },
        until: '2026-01-01T00:01:00.000Z',
      },
    ]);
  });

  it('has fields automatically with the JSON logger of Nest', async () => {
    const logger = new ConsoleLogger({ json: true } as never);
    const write = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
    const { app } = await boot({ providers: [Books], resilience: { logger } });
    await outcome(app.get(Books).list(true));
    const written = write.mock.calls.map(([text]) => String(text)).join('');
    write.mockRestore();
    if (nestMajor === 10) return; // has no JSON logger
    expect(JSON.parse(written.trim().split('\n').at(-1)!)).toMatchObject({
      level: 'warn',
      message: { event: 'state-change', name: 'storagesvc', to: 'open' },
    });
  });

  it.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('disk full');
      },
    ],
    ['rejects', () => Promise.reject(new Error('disk full'))],
    ['never answers', () => new Promise(() => {})],
  ])('does not affect calls when the logger %s', async (_how, write) => {
    const logger = { log: write, warn: write, error: write } as LoggerService;
    const { app } = await boot({ providers: [Books], resilience: { logger } });
    const books = app.get(Books);
    await expect(books.list(true)).rejects.toThrow('down');
    await expect(books.list()).rejects.toMatchObject({ code: 'CIRCUIT_OPEN' });
    app.get(CircuitBreakerRegistry).get('storagesvc').reset();
    await expect(books.list()).resolves.toBe('books');
  });

  it('is one line of printable text per event, whatever names, keys and reasons are', async () => {
    const { app, books, lines } = await logged({ maxEventsPerSecond: 1_000_000 });
    const fielded = await logged({ maxEventsPerSecond: 1_000_000, fields: true });
    const hostile = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        'a\nb',
        '\u001b[2J',
        '\u202egpj',
        '\u2028',
        '\r\n',
        '\u009b31m',
        '\ud800',
        '\0',
      ),
    );
    const registry = app.get(CircuitBreakerRegistry);
    const unprintable = /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/u;
    await fc.assert(
      fc.asyncProperty(hostile, hostile, async (one, other) => {
        lines.length = fielded.lines.length = 0;
        await outcome(books.ofTenant(one));
        await outcome(fielded.books.ofTenant(one));
        registry.get('storagesvc').forceOpen({ by: `x${one}`, reason: `x${other}` });
        fielded.app
          .get(CircuitBreakerRegistry)
          .get('storagesvc')
          .forceOpen({ by: `x${other}`, reason: `x${one}` });
        expect(lines.length).toBeGreaterThan(0);
        for (const { message } of lines) expect(message).not.toMatch(unprintable);
        for (const { message } of fielded.lines) {
          JSON.parse(JSON.stringify(message), (_key, value: unknown) => {
            if (typeof value === 'string') expect(value).not.toMatch(unprintable);
            return value;
          });
        }
      }),
    );
  });
});
