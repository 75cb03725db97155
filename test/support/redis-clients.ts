import { Cluster, Redis } from 'ioredis';
import * as nodeRedis4 from 'redis';
import * as nodeRedis6 from 'redis-next';
import type { RedisClient } from 'nest-resilience/redis';
import { HOST } from '../../sample/launcher/src/net.js';

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

/** Clients of one server, by package. */
export const SINGLE: Record<string, (port: number) => TestClient | Promise<TestClient>> = {
  'node-redis 4': (port) => connected(nodeRedis4.createClient({ socket: { host: HOST, port } })),
  'node-redis 6': (port) => connected(nodeRedis6.createClient({ socket: { host: HOST, port } })),
  ioredis: (port) => ofIoRedis(new Redis(port, HOST)),
};

/** Clients of a cluster, by package. */
export const CLUSTER: Record<string, (ports: number[]) => TestClient | Promise<TestClient>> = {
  'node-redis 4': (ports) =>
    connected(nodeRedis4.createCluster({ rootNodes: ports.map((port) => at(port)) })),
  'node-redis 6': (ports) =>
    connected(nodeRedis6.createCluster({ rootNodes: ports.map((port) => at(port)) })),
  ioredis: (ports) => ofIoRedis(new Cluster(ports.map((port) => ({ host: HOST, port })))),
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
