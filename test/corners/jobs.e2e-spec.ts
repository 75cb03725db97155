import { BadGatewayException, Injectable, type LoggerService, Logger } from '@nestjs/common';
import { CommandBus, CommandHandler, CqrsModule, EventBus, EventsHandler } from '@nestjs/cqrs';
import { EventEmitter2, EventEmitterModule, OnEvent } from '@nestjs/event-emitter';
import { Cron, Interval, ScheduleModule, SchedulerRegistry } from '@nestjs/schedule';
import { CircuitBreaker, type CircuitOpenError, Retry } from '../../src/index.js';
import { type Booted, boot, closeAll } from '../support/boot.js';
import { Visits, outcome, until } from '../support/wait.js';

const visits = new Visits();
const ticks = new Visits();

@Injectable()
class Jobs {
  @Cron('0 0 1 1 *', { name: 'cron' })
  @Retry()
  @CircuitBreaker('cron')
  async cron(): Promise<string> {
    visits.visit();
    return 'done';
  }

  @Interval('interval', 2)
  @CircuitBreaker('interval')
  async interval(): Promise<string> {
    ticks.visit();
    return 'done';
  }

  @CircuitBreaker('interval')
  @Interval('broken', 1_000_000)
  async broken(): Promise<string> {
    throw new BadGatewayException();
  }

  @OnEvent('book.sold')
  @Retry()
  @CircuitBreaker('listener')
  async onSold(): Promise<string> {
    visits.visit();
    return 'noted';
  }

  /** Begins a call of another listener while the emitter is still on the stack. */
  @OnEvent('book.ordered')
  onOrdered(asked: { sold?: Promise<string> }): void {
    asked.sold = this.onSold();
    asked.sold.catch(() => {});
  }

  @OnEvent('book.lost', { suppressErrors: false })
  @CircuitBreaker('listener')
  async onLost(): Promise<string> {
    return 'noted';
  }
}

class Restock {}
class Restocked {}

@CommandHandler(Restock)
class RestockHandler {
  @Retry()
  @CircuitBreaker('command')
  async execute(_command: Restock): Promise<string> {
    visits.visit();
    return 'restocked';
  }
}

@EventsHandler(Restocked)
class RestockedHandler {
  @Retry()
  @CircuitBreaker('cqrs')
  async handle(_event: Restocked): Promise<void> {
    visits.visit();
  }
}

const lines: string[] = [];
const logger: LoggerService = {
  log() {},
  error() {},
  warn: (message: unknown) => void lines.push(String(message)),
};
const dumped = jest.fn();
let app: Booted;

/** Lets the schedule run a method now, as its timer does. */
const tick = async (): Promise<void> => {
  const jobs: ReadonlyMap<string, { fireOnTick(): unknown }> = app.app
    .get(SchedulerRegistry)
    .getCronJobs();
  await jobs.get('cron')!.fireOnTick();
};

beforeAll(async () => {
  jest.spyOn(Logger.prototype, 'error').mockImplementation(dumped);
  app = await boot({
    imports: [ScheduleModule.forRoot(), EventEmitterModule.forRoot(), CqrsModule.forRoot()],
    providers: [Jobs, RestockHandler, RestockedHandler],
    resilience: { logger },
  });
});

beforeEach(() => {
  for (const { name } of app.registry.list()) {
    app.registry.get(name).clearOverride();
    app.registry.get(name).reset();
  }
  visits.count = 0;
  lines.length = 0;
  dumped.mockReset();
});

afterAll(async () => {
  await closeAll();
  jest.restoreAllMocks();
});

describe('a method with @Cron', () => {
  it('runs its policies exactly once', async () => {
    await tick();
    await until(() => visits.count === 1);
    await until(() => app.registry.get('cron').counts.successes === 1);
    expect(app.registry.get('cron').counts).toMatchObject({ requests: 1 });
  });

  it('logs one warning of a rejection, without a stack', async () => {
    app.registry.get('cron').forceOpen();
    await tick();
    await until(() => lines.some((line) => line.startsWith('Jobs.cron')));
    expect(lines.filter((line) => line.startsWith('Jobs.cron'))).toEqual([
      'Jobs.cron was rejected: circuit "cron" is open',
    ]);
    expect(dumped).not.toHaveBeenCalled();
    expect(visits.count).toBe(0);
  });

  it('rejects as usual for other callers', async () => {
    app.registry.get('cron').forceOpen();
    const { error } = await outcome(app.app.get(Jobs).cron());
    expect(error).toMatchObject({ code: 'CIRCUIT_OPEN' } satisfies Partial<CircuitOpenError>);
    expect(lines.filter((line) => line.startsWith('Jobs'))).toEqual([]);
  });
});

describe('a method with @Interval', () => {
  it('runs its policies exactly once', async () => {
    ticks.count = 0;
    app.registry.get('interval').reset();
    await ticks.reached(2);
    await until(() => app.registry.get('interval').counts.requests >= 2);
    const { requests } = app.registry.get('interval').counts;
    expect(Math.abs(requests - ticks.count)).toBeLessThanOrEqual(1);
  });

  it('logs one warning of a rejection, without a stack', async () => {
    app.registry.get('interval').forceOpen();
    await until(() => lines.filter((line) => line.startsWith('Jobs')).length >= 2);
    expect(new Set(lines.filter((line) => line.startsWith('Jobs')))).toEqual(
      new Set(['Jobs.interval was rejected: circuit "interval" is open']),
    );
    expect(dumped).not.toHaveBeenCalled();
  });
});

describe('a method with @OnEvent', () => {
  it('runs its policies exactly once', async () => {
    await app.app.get(EventEmitter2).emitAsync('book.sold', {});
    expect(visits.count).toBe(1);
    expect(app.registry.get('listener').counts).toMatchObject({ requests: 1, successes: 1 });
  });

  it('logs one warning with name and reason when it rejects an event', async () => {
    app.registry.get('listener').forceOpen();
    await app.app.get(EventEmitter2).emitAsync('book.sold', {});
    expect(lines.filter((line) => line.startsWith('Jobs'))).toEqual([
      `Jobs.onSold has turned away an event ('book.sold'): circuit "listener" is open`,
    ]);
    expect(dumped).not.toHaveBeenCalled();
  });

  it('rejects as usual for a listener that calls it', async () => {
    app.registry.get('listener').forceOpen();
    const asked: { sold?: Promise<string> } = {};
    await app.app.get(EventEmitter2).emitAsync('book.ordered', asked);
    expect((await outcome(asked.sold!)).error).toMatchObject({ code: 'CIRCUIT_OPEN' });
  });

  it('rejects for an emitter that wants to hear of errors', async () => {
    app.registry.get('listener').forceOpen();
    const { error } = await outcome(app.app.get(EventEmitter2).emitAsync('book.lost', {}));
    expect(error).toMatchObject({ code: 'CIRCUIT_OPEN' });
  });
});

describe('a handler of a CQRS command', () => {
  it('runs its policies exactly once', async () => {
    expect(await app.app.get(CommandBus).execute(new Restock())).toBe('restocked');
    expect(visits.count).toBe(1);
    expect(app.registry.get('command').counts).toMatchObject({ requests: 1, successes: 1 });
  });

  it('rejects for its caller', async () => {
    app.registry.get('command').forceOpen();
    const { error } = await outcome(app.app.get(CommandBus).execute(new Restock()));
    expect(error).toMatchObject({ code: 'CIRCUIT_OPEN' });
  });
});

describe('a handler of a CQRS event', () => {
  it('runs its policies exactly once', async () => {
    app.app.get(EventBus).publish(new Restocked());
    await until(() => app.registry.get('cqrs').counts.successes === 1);
    expect(visits.count).toBe(1);
  });

  it('logs one warning with name and reason when it turns an event away, beside the line of CQRS', async () => {
    app.registry.get('cqrs').forceOpen();
    lines.length = 0;
    app.app.get(EventBus).publish(new Restocked());
    await until(() => dumped.mock.calls.length > 0);
    expect(lines).toEqual([
      'RestockedHandler.handle has turned away an event (Restocked): circuit "cqrs" is open',
    ]);
    expect(visits.count).toBe(0);
  });

  it('rejects as always for others who call it', async () => {
    app.registry.get('cqrs').forceOpen();
    lines.length = 0;
    const { error } = await outcome(app.app.get(RestockedHandler).handle(new Restocked()));
    expect(error).toMatchObject({ code: 'CIRCUIT_OPEN' });
    expect(lines).toEqual([]);
  });
});
