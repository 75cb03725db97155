import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { accepts, freePort, HOST, until } from '../../sample/launcher/src/net.js';

/** A redis-server on a free port of the loopback interface, with a temporary folder. */
export class RedisServer {
  private constructor(
    readonly port: number,
    private readonly args: readonly string[],
    private readonly folder: string,
  ) {}

  private child: ChildProcess | undefined;

  static start(...args: string[]): Promise<RedisServer> {
    return onFreePorts(async () => {
      const folder = mkdtempSync(join(tmpdir(), 'nest-resilience-redis-'));
      const server = new RedisServer(await freePort(), args, folder);
      await server.restart();
      return server;
    });
  }

  /** A Sentinel is the same program with a configuration that it rewrites. */
  static async startSentinel(primary: RedisServer, quorum: number): Promise<RedisServer> {
    const folder = mkdtempSync(join(tmpdir(), 'nest-resilience-sentinel-'));
    const port = await freePort();
    const file = join(folder, 'sentinel.conf');
    writeFileSync(
      file,
      [
        `port ${port}`,
        `bind ${HOST}`,
        `dir ${folder}`,
        `sentinel monitor primary ${HOST} ${primary.port} ${quorum}`,
        'sentinel down-after-milliseconds primary 500',
        'sentinel failover-timeout primary 3000',
        '',
      ].join('\n'),
    );
    const server = new RedisServer(port, [file, '--sentinel'], folder);
    await server.launch([...server.args]);
    return server;
  }

  get url(): string {
    return `redis://${HOST}:${this.port}`;
  }

  /** Starts it again, empty. */
  async restart(): Promise<void> {
    const own = ['--port', String(this.port), '--bind', HOST, '--dir', this.folder];
    await this.launch([...own, '--save', '', '--appendonly', 'no', ...this.args]);
  }

  async kill(): Promise<void> {
    const { child } = this;
    this.child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  }

  freeze(): void {
    this.child!.kill('SIGSTOP');
  }

  thaw(): void {
    this.child!.kill('SIGCONT');
  }

  /** Sends commands over a connection of its own, one after the other. */
  async tell<T = unknown>(...commands: string[][]): Promise<T> {
    const client = new Redis(this.port, HOST, { maxRetriesPerRequest: 0, retryStrategy: null });
    client.on('error', () => {});
    try {
      let reply: unknown;
      for (const [name, ...args] of commands) reply = await client.call(name!, ...args);
      return reply as T;
    } finally {
      client.disconnect();
    }
  }

  async end(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async launch(args: readonly string[]): Promise<void> {
    const child = spawn('redis-server', args, { stdio: 'ignore' });
    this.child = child;
    const listens = async (): Promise<boolean> => child.exitCode !== null || accepts(this.port);
    await until('redis-server listens', listens);
    if (child.exitCode !== null) throw new Error('redis-server has ended: is its port in use?');
  }
}

/** Another process may take a free port before the server does. */
async function onFreePorts<T>(start: () => Promise<T>, times = 3): Promise<T> {
  try {
    return await start();
  } catch (error) {
    if (times === 1) throw error;
    return onFreePorts(start, times - 1);
  }
}

/** Three nodes without replicas, each with a third of the slots. */
export async function startCluster(): Promise<RedisServer[]> {
  const startNode = async () => {
    const bus = await freePort();
    const node = await RedisServer.start(
      ...['--cluster-enabled', 'yes', '--cluster-port', String(bus)],
      ...['--cluster-node-timeout', '2000'],
    );
    return { bus, node };
  };
  const started = [];
  // One after the other: each takes its ports before the next one looks for free ones.
  for (let i = 0; i < 3; i++) started.push(await onFreePorts(startNode));
  const nodes = started.map(({ node }) => node);
  const bounds = [0, 5_461, 10_923, 16_384];
  await Promise.all(
    nodes.map((node, i) =>
      node.tell(
        ['cluster', 'addslotsrange', String(bounds[i]), String(bounds[i + 1]! - 1)],
        ['cluster', 'set-config-epoch', String(i + 1)],
      ),
    ),
  );
  for (const [i, node] of nodes.entries()) {
    if (i > 0) {
      await nodes[0]!.tell(['cluster', 'meet', HOST, String(node.port), String(started[i]!.bus)]);
    }
  }
  for (const node of nodes) {
    await until('the nodes know each other', async () => {
      const info = await node.tell<string>(['cluster', 'info']);
      return /cluster_state:ok/.test(info) && /cluster_known_nodes:3/.test(info);
    });
  }
  return nodes;
}

/** A primary, a replica, and three Sentinels that know each other. */
export async function startSentinels(): Promise<{
  primary: RedisServer;
  replica: RedisServer;
  sentinels: RedisServer[];
}> {
  const primary = await RedisServer.start('--repl-diskless-sync-delay', '0');
  const replica = await RedisServer.start('--replicaof', HOST, String(primary.port));
  await until('the replica has caught up', async () =>
    /master_link_status:up/.test(await replica.tell<string>(['info', 'replication'])),
  );
  const sentinels = await Promise.all([1, 2, 3].map(() => RedisServer.startSentinel(primary, 2)));
  for (const sentinel of sentinels) {
    await until('the Sentinels know each other and the replica', async () => {
      const facts = await sentinel.tell<string[]>(['sentinel', 'master', 'primary']);
      const fact = (name: string): string | undefined => facts[facts.indexOf(name) + 1];
      return fact('num-other-sentinels') === '2' && fact('num-slaves') === '1';
    });
  }
  return { primary, replica, sentinels };
}
