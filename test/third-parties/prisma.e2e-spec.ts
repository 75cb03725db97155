import { Client } from 'pg';
import { CircuitOpenError, isFailure } from '../../src/index.js';
import { errorOf } from '../outcomes/support.js';
import { type Booted, boot, closeAll } from '../support/boot.js';
import { OwnPostgres, describeWithPostgres } from '../support/postgres.js';
import { PrismaClient } from '../support/prisma-client.js';

const breaker = { circuitBreaker: { consecutiveFailures: 2, openFor: '5s' } } as const;

describeWithPostgres('a client of Prisma under protect()', () => {
  let postgres: OwnPostgres;
  let prisma: PrismaClient;
  let booted: Booted;

  beforeAll(async () => {
    postgres = await OwnPostgres.create();
    await postgres.start();
    const client = new Client({ connectionString: postgres.url });
    await client.connect();
    await client.query('create table "Book" (id serial primary key, title text unique not null)');
    await client.end();
    process.env.DATABASE_URL = postgres.url;
    prisma = new PrismaClient();
  }, 30_000);

  beforeEach(async () => {
    booted = await boot();
    await prisma.$queryRaw`truncate "Book"`;
  });

  afterEach(closeAll);

  afterAll(async () => {
    await prisma.$disconnect();
    delete process.env.DATABASE_URL;
    await postgres.remove();
  });

  it('has policies on the methods of its models', async () => {
    const p = booted.service.protect(prisma, {
      name: 'prisma',
      members: ['book'],
      methods: { 'book.findMany': breaker },
      '*': breaker,
    });
    await p.book.create({ data: { title: 'One' } });
    expect(await p.book.findMany({ where: { title: 'One' } })).toMatchObject([{ title: 'One' }]);
    expect(await p.$queryRaw`select ${1}::int as n`).toEqual([{ n: 1 }]);
    expect(p.book).toBe(p.book);
    expect(booted.registry.get('prisma.book.findMany').counts.requests).toBe(1);
    expect(booted.registry.get('prisma').counts.requests).toBe(2);
  });

  it('sends each query once', async () => {
    const p = booted.service.protect(prisma, { name: 'prisma', members: ['book'], '*': breaker });
    for (const title of ['One', 'Two']) await p.book.create({ data: { title } });
    expect(await p.book.count()).toBe(2);
  });

  it('has transactions of both forms, whose queries go through the original client', async () => {
    const p = booted.service.protect(prisma, {
      name: 'prisma',
      members: ['book'],
      methods: { $transaction: {} },
      '*': breaker,
    });
    const made = await p.$transaction(async (client) => {
      await client.book.create({ data: { title: 'One' } });
      return client.book.count();
    });
    expect(made).toBe(1);
    const { book } = prisma;
    const queries = [book.create({ data: { title: 'Two' } }), book.count()];
    expect(await p.$transaction(queries)).toEqual([expect.anything(), 2]);
    expect(booted.registry.get('prisma').counts.requests).toBe(0);
    await expect(p.$transaction([p.book.count()])).rejects.toThrow('Prisma Client promises');
  });

  it('takes a violated constraint for an answer', async () => {
    const p = booted.service.protect(prisma, { name: 'prisma', members: ['book'], '*': breaker });
    await p.book.create({ data: { title: 'One' } });
    const again = errorOf(() => p.book.create({ data: { title: 'One' } }));
    expect(await again).toMatchObject({ code: 'P2002' });
    expect(booted.registry.get('prisma').counts).toMatchObject({ successes: 2, failures: 0 });
  });

  it('rejects calls while the server is gone, and recovers with it', async () => {
    const p = booted.service.protect(prisma, { name: 'prisma', members: ['book'], '*': breaker });
    await p.book.count();
    await postgres.stop();
    for (let failed = 0; failed < 2; failed++) {
      expect(isFailure(await errorOf(() => p.book.count()))).toBe(true);
    }
    await expect(p.book.count()).rejects.toBeInstanceOf(CircuitOpenError);
    await postgres.start();
    await booted.clock.advance(5_000);
    expect(await p.book.count()).toBe(0);
    expect(booted.registry.get('prisma').state).toBe('closed');
  }, 20_000);
});
