import { Collection, type FindCursor, MongoClient } from 'mongodb';
import { CircuitOpenError, isFailure } from '../../src/index.js';
import { closedPort, errorOf } from '../outcomes/support.js';
import { type Booted, boot, closeAll } from '../support/boot.js';

const breaker = { circuitBreaker: { consecutiveFailures: 2, openFor: '5s' } } as const;

interface Book {
  title: string;
}

describe('mongodb under protect(), without a server', () => {
  let booted: Booted;
  let client: MongoClient;
  let books: Collection<Book>;

  beforeEach(async () => {
    booted = await boot();
    const url = `mongodb://127.0.0.1:${await closedPort()}`;
    client = new MongoClient(url, { serverSelectionTimeoutMS: 5 });
    books = client.db('shop').collection<Book>('books');
  });

  afterEach(async () => {
    await client.close();
    await closeAll();
  });

  it('has collections, whose calls fail, and then are rejected', async () => {
    const p = booted.service.protect(books, { name: 'books', '*': breaker });
    expect(p).toBeInstanceOf(Collection);
    expect([p.collectionName, p.dbName, p.namespace]).toEqual(['books', 'shop', 'shop.books']);
    expect(isFailure(await errorOf(() => p.findOne({})))).toBe(true);
    expect(isFailure(await errorOf(() => p.insertOne({ title: 'One' })))).toBe(true);
    await expect(p.findOne({})).rejects.toBeInstanceOf(CircuitOpenError);
  });

  it('has cursors, which are made at once, and protected when they are read in a loop', async () => {
    const p = booted.service.protect(books, { name: 'books', methods: { find: breaker } });
    const read = async (cursor: FindCursor<unknown>): Promise<void> => {
      for await (const book of cursor) void book;
    };
    const cursor = p.find({}).sort({ title: 1 }).limit(5);
    expect(cursor.closed).toBe(false);
    expect(isFailure(await errorOf(() => read(cursor)))).toBe(true);
    expect(isFailure(await errorOf(() => read(p.find())))).toBe(true);
    expect(booted.registry.get('books.find').state).toBe('open');
    await expect(read(p.find())).rejects.toBeInstanceOf(CircuitOpenError);
    expect(isFailure(await errorOf(() => p.find().toArray()))).toBe(true); // the cursor's own
  });

  it('is a client whose databases are made at once', async () => {
    const p = booted.service.protect(client, { name: 'mongodb', methods: { connect: breaker } });
    expect(p).toBeInstanceOf(MongoClient);
    expect(p.db('shop').collection('books').collectionName).toBe('books');
    expect(isFailure(await errorOf(() => p.connect()))).toBe(true);
    expect(booted.registry.get('mongodb.connect').counts.failures).toBe(1);
  });
});
