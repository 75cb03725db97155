import { BadGatewayException, Injectable } from '@nestjs/common';
import { BullModule, OnWorkerEvent, Processor, WorkerHost, getQueueToken } from '@nestjs/bullmq';
import { DelayedError, type Job, type Queue, UnrecoverableError } from 'bullmq';
import {
  CircuitBreaker,
  CircuitOpenError,
  RateLimit,
  Retry,
  TimeoutError,
} from '../../src/index.js';
import { DelayWhenRejected, delayWhenRejected } from '../../src/bullmq/index.js';
import { type Booted, boot, closeAll } from '../support/boot.js';
import { describeWithRedis } from '../support/redis.js';
import { Visits, outcome, until } from '../support/wait.js';
import { OwnRedis } from '../processes/sample/redis/redis-under-test.js';

const visits = new Visits();
const counted = new Visits();
let down = true;

@Processor('mails')
class Mails extends WorkerHost {
  @CircuitBreaker({ name: 'mail', consecutiveFailures: 1, openFor: '50ms' })
  @DelayWhenRejected({ minDelay: '5ms' })
  async process(_job: Job): Promise<string> {
    visits.visit();
    if (down) throw new BadGatewayException();
    return 'sent';
  }
}

@Injectable()
class Printer {
  @CircuitBreaker({ name: 'printer', consecutiveFailures: 1, openFor: '50ms' })
  async print(): Promise<string> {
    if (down) throw new BadGatewayException();
    return 'printed';
  }
}

@Processor('prints')
class Prints extends WorkerHost {
  constructor(readonly printer: Printer) {
    super();
  }
  @DelayWhenRejected({ minDelay: '5ms' })
  async process(_job: Job): Promise<string> {
    return this.printer.print();
  }
}

@Processor('counted')
class Counted extends WorkerHost {
  @Retry()
  @CircuitBreaker('job')
  async process(job: Job): Promise<string> {
    counted.visit();
    if (job.name === 'hopeless') throw new UnrecoverableError('no such user');
    return 'done';
  }
}

@Processor('costly')
class Costly extends WorkerHost {
  @DelayWhenRejected({ minDelay: '5ms' })
  @RateLimit({
    name: 'costs',
    limit: 10,
    per: '1s',
    cost: ({ data }: Job<{ cost: number }>) => data.cost,
  })
  async process(_job: Job<{ cost: number }>): Promise<string> {
    return 'done';
  }

  @OnWorkerEvent('failed')
  @CircuitBreaker('notices')
  async onFailed(_job: Job): Promise<void> {
    visits.visit();
  }
}

const lines: string[] = [];
const logger = {
  log() {},
  error() {},
  warn: (message: unknown) => void lines.push(String(message)),
};

describeWithRedis('a processor of BullMQ', () => {
  let redis: OwnRedis;
  let booted: Booted;

  const add = async (
    name: string,
    count: number,
    attempts: number,
    title = 'x',
  ): Promise<Job[]> => {
    const queue = booted.app.get<Queue>(getQueueToken(name));
    const opts = { attempts, backoff: 5 };
    return queue.addBulk(Array.from({ length: count }, () => ({ name: title, data: {}, opts })));
  };
  const stateOf = async (job: Job): Promise<Job> =>
    (await booted.app.get<Queue>(getQueueToken(job.queueName)).getJob(job.id!)) as Job;

  beforeAll(async () => {
    const found = await OwnRedis.create();
    if (found === undefined) throw new Error('there is no redis-server in PATH');
    redis = found;
    await redis.start();
    const { hostname: host, port } = new URL(redis.url);
    booted = await boot({
      imports: [
        BullModule.forRoot({ connection: { host, port: Number(port) } }),
        ...['mails', 'prints', 'counted', 'costly'].map((name) =>
          BullModule.registerQueue({ name }),
        ),
      ],
      providers: [Mails, Prints, Printer, Counted, Costly],
      resilience: { logger },
    });
  });

  beforeEach(() => {
    down = true;
    visits.count = 0;
    counted.count = 0;
  });

  afterAll(async () => {
    await closeAll();
    await redis.stop();
  });

  it('runs its policies exactly once', async () => {
    const [job] = await add('counted', 1, 1);
    await until(() => booted.registry.get('job').counts.successes === 1);
    expect(counted.count).toBe(1);
    expect(await (await stateOf(job!)).getState()).toMatch(/completed|active/);
  });

  it('does not take a control error for a failure', async () => {
    const [job] = await add('counted', 1, 3, 'hopeless');
    await until(() => counted.count === 1);
    await until(() => booted.registry.get('job').counts.ignored >= 1);
    expect(booted.registry.get('job').counts.failures).toBe(0);
    for (let tries = 0; (await (await stateOf(job!)).getState()) !== 'failed'; tries++) {
      if (tries > 500) throw new Error('the job has not failed');
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect(counted.count).toBe(1);
  });

  it.each(['mails', 'prints'])(
    'delays jobs while the circuit is open, uses up no attempts, and all are done afterwards: %s',
    async (name) => {
      const breaker = booted.registry.get(name === 'mails' ? 'mail' : 'printer');
      breaker.forceOpen();
      const jobs = await add(name, 5, 1);
      const started = async (): Promise<number[]> =>
        Promise.all(jobs.map(async (job) => (await stateOf(job)).attemptsStarted));
      while (!(await started()).every((count) => count >= 2)) {
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      for (const job of jobs) expect((await stateOf(job)).attemptsMade).toBe(0);
      expect(visits.count).toBe(0);
      down = false;
      breaker.clearOverride();
      breaker.reset();
      for (const job of jobs) {
        while ((await (await stateOf(job)).getState()) !== 'completed') {
          await new Promise((resolve) => setTimeout(resolve, 2));
        }
        expect((await stateOf(job)).attemptsMade).toBe(1);
      }
    },
  );

  it('does not delay a job for ever that costs more than its rate limit admits', async () => {
    const queue = booted.app.get<Queue>(getQueueToken('costly'));
    const job = await queue.add('x', { cost: 11 }, { attempts: 2 });
    while ((await (await stateOf(job)).getState()) !== 'failed') {
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect(await stateOf(job)).toMatchObject({
      attemptsMade: 2,
      failedReason: expect.stringContaining('rate limit "costs"'),
    });
    await visits.reached(2);
  });

  it('whose listener is rejected causes one warning with its name and the reason', async () => {
    booted.registry.get('notices').forceOpen();
    lines.length = 0;
    const queue = booted.app.get<Queue>(getQueueToken('costly'));
    await queue.add('x', { cost: 11 });
    await until(() => lines.some((line) => line.includes('onFailed')));
    expect(lines).toEqual([
      `Costly.onFailed has turned away an event ('failed'): circuit "notices" is open`,
    ]);
    const listener = booted.app.get(Costly).onFailed({} as Job);
    expect((await outcome(listener)).error).toBeInstanceOf(CircuitOpenError);
  });

  it('uses up an attempt for a failure, as always', async () => {
    booted.registry.get('mail').disable();
    const [job] = await add('mails', 1, 2);
    while ((await (await stateOf(job!)).getState()) !== 'failed') {
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect(visits.count).toBe(2);
  });
});

describe('delayWhenRejected()', () => {
  const moved: [number, string | undefined][] = [];
  const job = {
    moveToDelayed: async (at: number, token?: string) => void moved.push([at, token]),
  } as unknown as Job;

  beforeEach(() => {
    moved.length = 0;
    jest.spyOn(Date, 'now').mockReturnValue(1_000_000);
  });
  afterEach(() => jest.restoreAllMocks());

  it.each([
    ['as long as the circuit stays open', new CircuitOpenError('x', 30_000), 30_000],
    ['at least a second', new CircuitOpenError('x', 10), 1_000],
    ['a second when nobody knows how long', new CircuitOpenError('x', undefined), 1_000],
  ])('delays a rejected job for %s', async (_, error, delay) => {
    const { error: thrown } = await outcome(delayWhenRejected(job, 'token', error));
    expect(thrown).toBeInstanceOf(DelayedError);
    expect(moved).toEqual([[1_000_000 + delay, 'token']]);
  });

  it.each([
    ['a failure', new BadGatewayException()],
    ['a timeout, which is one too', new TimeoutError('x', 'total', 5)],
  ])('passes on %s', async (_, error) => {
    expect((await outcome(delayWhenRejected(job, 'token', error))).error).toBe(error);
    expect(moved).toEqual([]);
  });

  it('says so when it is not given a job, and why it has been called', async () => {
    const error = new CircuitOpenError('x', 10);
    const call = delayWhenRejected({ to: 'anna' } as unknown as Job, 'token', error);
    expect((await outcome(call)).error).toMatchObject({
      message: `@DelayWhenRejected: the first argument is { to: 'anna' }, not a job of bullmq; decorate process()`,
      cause: error,
    });
  });

  it('refuses an invalid delay', () => {
    expect(() => DelayWhenRejected({ minDelay: 'soon' as never })).toThrow(
      `minDelay is 'soon'; use milliseconds or a duration`,
    );
  });
});
