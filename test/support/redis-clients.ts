import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Cluster, Redis } from 'ioredis';
import * as nodeRedis4 from 'redis';
import * as nodeRedis6 from 'redis-next';
import type { RedisClient } from 'nest-resilience/redis';
import { HOST } from '../../sample/launcher/src/net.js';

/** The user that docs/redis.md describes, as arguments of `ACL SETUSER`. */
export function documentedUser(...more: string[]): string[] {
  const page = readFileSync(join(__dirname, '..', '..', 'docs', 'redis.md'), 'utf8');
  const [, line] = /^user (.*)$/m.exec(page)!;
  return [...line!.split(' '), ...more];
}

const USER = { username: 'resilience', password: 'password' };

/** A client that the test has made, and must end. */
export interface TestClient {
  readonly client: RedisClient;
  end(): void;
}

interface Connectable {
  connect(): Promise<unknown>;
  disconnect?(): unknown;
  destroy?(): unknown;
  on(event: 'error', listener: () => void): unknown;
}

async function connected<T extends Connectable>(client: T & RedisClient): Promise<TestClient> {
  client.on('error', () => {});
  await client.connect();
  return { client, end: () => void (client.destroy?.() ?? client.disconnect?.()) };
}

function ofIoRedis(client: Redis | Cluster): TestClient {
  client.on('error', () => {});
  return { client, end: () => client.disconnect() };
}

/** Clients of one server, by package, with the permissions of the {@link documentedUser}. */
export const SINGLE: Record<string, (port: number) => TestClient | Promise<TestClient>> = {
  'node-redis 4': (port) =>
    connected(nodeRedis4.createClient({ socket: { host: HOST, port }, ...USER })),
  'node-redis 6': (port) =>
    connected(nodeRedis6.createClient({ socket: { host: HOST, port }, ...USER })),
  ioredis: (port) => ofIoRedis(new Redis(port, HOST, USER)),
};

/** Clients of a cluster, by package, with the permissions of the {@link documentedUser}. */
export const CLUSTER: Record<string, (ports: number[]) => TestClient | Promise<TestClient>> = {
  'node-redis 4': (ports) =>
    connected(nodeRedis4.createCluster({ rootNodes: ports.map(at), defaults: USER })),
  'node-redis 6': (ports) =>
    connected(nodeRedis6.createCluster({ rootNodes: ports.map(at), defaults: USER })),
  ioredis: (ports) =>
    ofIoRedis(
      new Cluster(
        ports.map((port) => ({ host: HOST, port })),
        { redisOptions: USER },
      ),
    ),
};

/** Clients of Sentinels, by package; node-redis has them from version 5. */
export const SENTINEL: Record<string, (ports: number[]) => TestClient | Promise<TestClient>> = {
  'node-redis 6': (ports) =>
    connected(
      nodeRedis6.createSentinel({
        name: 'primary',
        sentinelRootNodes: ports.map((port) => ({ host: HOST, port })),
      }),
    ),
  ioredis: (ports) =>
    ofIoRedis(
      new Redis({ name: 'primary', sentinels: ports.map((port) => ({ host: HOST, port })) }),
    ),
};

function at(port: number): { url: string } {
  return { url: `redis://${HOST}:${port}` };
}
