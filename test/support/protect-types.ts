// Methods of real packages that the compiler must accept or reject: part of the type check, never run.
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Cluster, Redis } from 'ioredis';
import type { Collection } from 'mongodb';
import type { Pool as MysqlPool } from 'mysql2/promise';
import type OpenAI from 'openai';
import type { Pool } from 'pg';
import type { createClient as createClient4 } from 'redis';
import type { createClient as createClient6 } from 'redis-next';
import type { DataSource, Repository } from 'typeorm';
import type { ResilienceService } from '../../src/index.js';

interface Book {
  id: number;
}

interface Clients {
  readonly redis4: ReturnType<typeof createClient4>;
  readonly redis6: ReturnType<typeof createClient6>;
  readonly ioredis: Redis;
  readonly cluster: Cluster;
  readonly pg: Pool;
  readonly mysql: MysqlPool;
  readonly mongodb: Collection<Book>;
  readonly dynamo: DynamoDBClient;
  readonly books: Repository<Book>;
  readonly database: DataSource;
  readonly openai: OpenAI;
}

const p = { retry: {} };

export function accepted(service: ResilienceService, of: Clients): unknown[] {
  const redis = { get: p, set: p, hGetAll: p, subscribe: p, connect: p };
  const ioredis = { get: p, set: p, zadd: p, xread: p, eval: p, subscribe: p };
  return [
    service.protect(of.redis4, { name: 'redis', methods: redis }).get('a'),
    service.protect(of.redis6, { name: 'redis', methods: redis }).get('a'),
    service.protect(of.ioredis, { name: 'redis', methods: ioredis }).get('a'),
    service.protect(of.cluster, { name: 'redis', methods: ioredis }).get('a'),
    service.protect(of.pg, { name: 'pg', methods: { query: p, connect: p } }).query('select 1'),
    service.protect(of.mysql, { name: 'mysql', methods: { query: p, execute: p } }),
    service.protect(of.mongodb, { name: 'books', methods: { findOne: p, find: p, insertOne: p } }),
    service.protect(of.dynamo, { name: 'dynamo', methods: { send: p } }),
    service.protect(of.books, { name: 'books', methods: { find: p, query: p, save: p } }),
    service.protect(of.database, { name: 'database', methods: { query: p, transaction: p } }),
    service.protect(of.openai, { name: 'openai', methods: { 'chat.completions.create': p } }),
  ];
}

export function rejected(service: ResilienceService, of: Clients): void {
  // @ts-expect-error synchronous
  service.protect(of.ioredis, { name: 'redis', methods: { pipeline: p } });
  // @ts-expect-error synchronous
  service.protect(of.redis4, { name: 'redis', methods: { duplicate: p } });
  // @ts-expect-error no such method
  service.protect(of.redis4, { name: 'redis', methods: { gte: p } });
  // @ts-expect-error synchronous
  service.protect(of.dynamo, { name: 'dynamo', methods: { destroy: p } });
  // @ts-expect-error synchronous
  service.protect(of.books, { name: 'books', methods: { create: p } });
  // @ts-expect-error a getter
  service.protect(of.pg, { name: 'pg', methods: { totalCount: p } });
}
