import { DataSource, EntitySchema, Repository } from 'typeorm';
import { getRepositoryToken } from '@nestjs/typeorm';
import { CircuitOpenError, constant, isFailure, protectProvider } from '../../src/index.js';
import { systemClock } from '../../src/common/clock.js';
import { errorOf } from '../outcomes/support.js';
import { type Booted, boot, closeAll } from '../support/boot.js';
import { OwnPostgres, describeWithPostgres } from '../support/postgres.js';

interface Book {
  id: number;
  title: string;
}

const Books = new EntitySchema<Book>({
  name: 'Book',
  columns: {
    id: { type: Number, primary: true, generated: true },
    title: { type: String, unique: true },
  },
});

const breaker = { circuitBreaker: { consecutiveFailures: 2, openFor: '5s' } } as const;

describeWithPostgres('TypeORM under protect()', () => {
  let postgres: OwnPostgres;
  let source: DataSource;
  let books: Repository<Book>;
  let booted: Booted;

  beforeAll(async () => {
    postgres = await OwnPostgres.create();
    await postgres.start();
    source = new DataSource({
      type: 'postgres',
      url: postgres.url,
      entities: [Books],
      synchronize: true,
      logging: false,
      poolErrorHandler: () => {}, // idle connections that are cut
    });
    await source.initialize();
    books = source.getRepository(Books);
  }, 30_000);

  beforeEach(async () => {
    booted = await boot();
    await books.clear();
  });

  afterEach(closeAll);

  afterAll(async () => {
    await source.destroy();
    await postgres.remove();
  });

  describe('a Repository', () => {
    it('is still a repository, which reads and writes', async () => {
      const p = booted.service.protect(books, { name: 'books', '*': breaker });
      expect(p).toBeInstanceOf(Repository);
      expect([p.target, p.metadata.tableName]).toEqual([Books, 'book']);
      expect(p.manager).toBe(source.manager);
      const book = p.create({ title: 'One' });
      expect(book).toMatchObject({ title: 'One' });
      expect((await p.save(book)).id).toBeGreaterThan(0);
      expect(await p.findOneByOrFail({ title: 'One' })).toMatchObject({ title: 'One' });
      expect(await p.count()).toBe(1);
      expect(await p.createQueryBuilder('book').where({ title: 'One' }).getMany()).toHaveLength(1);
      expect(booted.registry.get('books').counts).toMatchObject({ successes: 3, failures: 0 });
    });

    it('creates entities and queries even while the circuit is open', async () => {
      const p = booted.service.protect(books, { name: 'books', '*': breaker });
      booted.registry.get('books').forceOpen();
      expect(p.create({ title: 'Two' })).toMatchObject({ title: 'Two' });
      expect(p.createQueryBuilder('book').getSql()).toContain('"title"');
      const query = jest.spyOn(source.manager, 'find');
      await expect(p.find()).rejects.toBeInstanceOf(CircuitOpenError);
      expect(query).not.toHaveBeenCalled();
      query.mockRestore();
    });

    it('takes a violated constraint for an answer', async () => {
      const p = booted.service.protect(books, { name: 'books', methods: { insert: breaker } });
      await p.insert({ title: 'One' });
      await expect(p.insert({ title: 'One' })).rejects.toMatchObject({ name: 'QueryFailedError' });
      expect(booted.registry.get('books.insert').counts).toMatchObject({ failures: 0 });
    });

    it('retries if so configured', async () => {
      await closeAll();
      booted = await boot({ resilience: { clock: systemClock } });
      // More than two, since a connection that has been cut may be found dead once more.
      const often = { retry: { maxRetries: 9, backoff: constant(0) } };
      const p = booted.service.protect(books, {
        name: 'books',
        methods: { query: often },
      });
      await source.query('create sequence tries');
      await p.query(
        "select case when nextval('tries') < 3 then pg_terminate_backend(pg_backend_pid()) end",
      );
      expect(await source.query('select last_value::int as n from tries')).toEqual([{ n: 3 }]);
    });

    it('keeps custom methods, which call each other as before', async () => {
      const titled = books.extend({
        async titles(this: Repository<Book>): Promise<string[]> {
          return (await this.find()).map(({ title }) => title);
        },
      });
      const p = booted.service.protect(titled, { name: 'books', methods: { titles: breaker } });
      await p.insert({ title: 'One' });
      expect(await p.titles()).toEqual(['One']);
      expect(booted.registry.get('books.titles').counts.requests).toBe(1);
    });

    it('is injected instead of the repository by protectProvider()', async () => {
      await closeAll();
      const token = getRepositoryToken(Books);
      booted = await boot({
        providers: [
          { provide: token, useValue: books },
          protectProvider<Repository<Book>>(token, { name: 'books', methods: { find: breaker } }),
        ],
      });
      const injected = booted.app.get<Repository<Book>>(token);
      expect(injected).toBeInstanceOf(Repository);
      await injected.find();
      expect(booted.registry.get('books.find').counts.successes).toBe(1);
    });
  });

  describe('a DataSource', () => {
    it('is still a data source, whose queries and transactions have policies', async () => {
      const p = booted.service.protect(source, {
        name: 'database',
        methods: { transaction: breaker, query: breaker },
      });
      expect(p).toBeInstanceOf(DataSource);
      expect([p.isInitialized, p.options.type]).toEqual([true, 'postgres']);
      expect(p.getRepository(Books)).toBe(books);
      await p.transaction(async (manager) => manager.insert(Books, { title: 'One' }));
      expect(await p.query('select title from book')).toEqual([{ title: 'One' }]);
      booted.registry.get('database.transaction').forceOpen();
      const work = jest.fn();
      await expect(p.transaction(work)).rejects.toBeInstanceOf(CircuitOpenError);
      expect(work).not.toHaveBeenCalled();
      const runner = p.createQueryRunner();
      expect(runner.isReleased).toBe(false);
      await runner.release();
    });

    it('is rejected while the server is gone, and recovers with it', async () => {
      const p = booted.service.protect(source, { name: 'database', '*': breaker });
      await p.query('select 1');
      await postgres.stop();
      for (let failed = 0; failed < 2; failed++) {
        expect(isFailure(await errorOf(() => p.query('select 1')))).toBe(true);
      }
      await expect(p.query('select 1')).rejects.toBeInstanceOf(CircuitOpenError);
      await postgres.start();
      await booted.clock.advance(5_000);
      expect(await p.query('select 1 as n')).toEqual([{ n: 1 }]);
      expect(booted.registry.get('database').state).toBe('closed');
    }, 20_000);

    it('returns itself in its protected form when it is initialized', async () => {
      const other = new DataSource({ type: 'postgres', url: postgres.url });
      const p = booted.service.protect(other, { name: 'other', '*': breaker });
      expect(await p.initialize()).toBe(p);
      await p.destroy();
      expect(p.isInitialized).toBe(false);
    });
  });
});
