import { TypeOrmModule } from '@nestjs/typeorm';
import { Client } from 'pg';
import { CircuitOpenError } from '../../src/index.js';
import { systemClock } from '../../src/common/clock.js';
import { type Booted, boot, closeAll } from '../support/boot.js';
import { OwnPostgres, describeWithPostgres } from '../support/postgres.js';
import { atOnce } from '../support/fetches.js';
import * as prisma from './prisma.js';
import * as typeorm from './typeorm.js';

const resilience = { clock: systemClock, ...atOnce };

describeWithPostgres('the recipe for', () => {
  let postgres: OwnPostgres;
  let booted: Booted;

  const sql = async (text: string): Promise<void> => {
    const client = new Client({ connectionString: postgres.url });
    await client.connect();
    await client.query(text);
    await client.end();
  };

  beforeAll(async () => {
    postgres = await OwnPostgres.create();
    await postgres.start();
    process.env.DATABASE_URL = postgres.url;
  }, 30_000);

  afterEach(closeAll);

  afterAll(async () => {
    delete process.env.DATABASE_URL;
    await postgres.remove();
  });

  const kinds = {
    Prisma: {
      table: 'create table "Book" (id serial primary key, title text unique not null)',
      imports: [prisma.BooksModule],
      titles: async () => booted.app.get(prisma.Books, { strict: false }).titles(),
      add: async (title: string) => booted.app.get(prisma.Books, { strict: false }).add(title),
    },
    TypeORM: {
      table: 'create table book (id serial primary key, title text unique not null)',
      imports: [
        TypeOrmModule.forRootAsync({
          useFactory: () => ({
            type: 'postgres',
            url: postgres.url,
            autoLoadEntities: true,
            poolErrorHandler: () => {},
          }),
        }),
        typeorm.BooksModule,
      ],
      titles: async () =>
        (await booted.app.get(typeorm.Books, { strict: false }).all()).map(({ title }) => title),
      add: async (title: string) => booted.app.get(typeorm.Books, { strict: false }).add(title),
    },
  };

  describe.each(Object.entries(kinds))('%s', (_, { table, imports, titles, add }) => {
    beforeAll(() => sql(table));

    beforeEach(async () => {
      booted = await boot({ resilience, imports });
    });

    it('reads and writes through one breaker, and repeats what reads', async () => {
      await add('One');
      await expect(add('One')).rejects.toThrow();
      expect(await titles()).toEqual(['One']);
      expect(booted.registry.get('books-database').counts).toMatchObject({
        requests: 3,
        failures: 0,
      });
      await postgres.stop();
      await expect(titles()).rejects.toThrow();
      expect(booted.registry.get('books-database').counts.failures).toBe(3);
      await expect(add('Two')).rejects.toThrow();
      expect(booted.registry.get('books-database').counts.failures).toBe(4);
      await postgres.start();
      booted.registry.get('books-database').reset();
      expect(await titles()).toEqual(['One']);
      booted.registry.get('books-database').forceOpen();
      await expect(titles()).rejects.toBeInstanceOf(CircuitOpenError);
    }, 20_000);
  });
});
