import { BullModule, getQueueToken } from '@nestjs/bullmq';
import type { Job, Queue } from 'bullmq';
import { OwnRedis } from '../processes/sample/redis/redis-under-test.js';
import { type Booted, boot, closeAll } from '../support/boot.js';
import { describeWithRedis } from '../support/redis.js';
import { MailsProcessor, Mailer } from './bullmq.js';
import { answerFetch } from '../support/fetches.js';

describeWithRedis('the recipe for jobs', () => {
  let redis: OwnRedis;
  let booted: Booted;

  beforeAll(async () => {
    redis = (await OwnRedis.create())!;
    await redis.start();
    const { hostname: host, port } = new URL(redis.url);
    booted = await boot({
      imports: [
        BullModule.forRoot({ connection: { host, port: Number(port) } }),
        BullModule.registerQueue({ name: 'mails' }),
      ],
      providers: [MailsProcessor, Mailer],
    });
  });

  afterAll(async () => {
    jest.restoreAllMocks();
    await closeAll();
    await redis.stop();
  });

  it('puts jobs off while the circuit is open, which uses up no attempt', async () => {
    const sent: unknown[] = [];
    answerFetch((_, { body }) => (sent.push(body), new Response()));
    const breaker = booted.registry.get('mail');
    breaker.forceOpen();
    const queue = booted.app.get<Queue>(getQueueToken('mails'));
    const { id } = await queue.add('welcome', { to: 'anna' }, { attempts: 1 });
    const job = async (): Promise<Job> => (await queue.getJob(id!)) as Job;
    while ((await job()).attemptsStarted < 1 || (await (await job()).getState()) !== 'delayed');
    expect(await job()).toMatchObject({ attemptsMade: 0 });
    expect(sent).toEqual([]);
    breaker.clearOverride();
    await (await job()).promote();
    while ((await (await job()).getState()) !== 'completed');
    expect(sent).toEqual(['anna']);
    expect(await job()).toMatchObject({ attemptsMade: 1 });
  });
});
