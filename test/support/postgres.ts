import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { Client } from 'pg';
import { HOST, freePort, until } from '../../sample/launcher/src/net.js';
import { describeWith } from './redis.js';

/** Where Debian keeps the programs of its versions. */
const VERSIONS = '/usr/lib/postgresql';

/** The folder that has Postgres' programs. */
const bin = [
  ...(process.env.PATH ?? '').split(delimiter),
  ...(existsSync(VERSIONS) ? readdirSync(VERSIONS).map((name) => join(VERSIONS, name, 'bin')) : []),
].find((folder) => ['initdb', 'postgres'].every((name) => existsSync(join(folder, name))));

/** `describe` for tests that start a Postgres of their own. */
export const describeWithPostgres = describeWith(
  bin !== undefined,
  'there is no postgres in PATH; install PostgreSQL to run these tests',
);

interface Owner {
  readonly uid?: number;
  readonly gid?: number;
}

/** A Postgres of the test's own, with a new and empty database, that can be taken away and brought back. */
export class OwnPostgres {
  private child: ChildProcess | undefined;

  private constructor(
    private readonly folder: string,
    private readonly data: string,
    private readonly owner: Owner,
    readonly port: number,
  ) {}

  static async create(): Promise<OwnPostgres> {
    if (bin === undefined) throw new Error('there is no postgres in PATH');
    const folder = mkdtempSync(join(tmpdir(), 'nest-resilience-postgres-'));
    const data = join(folder, 'data');
    const owner = postgresOwner();
    if (owner.uid !== undefined) chownSync(folder, owner.uid, owner.gid!);
    const made = spawnSync(
      join(bin, 'initdb'),
      ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-sync'],
      { cwd: folder, encoding: 'utf8', ...owner },
    );
    if (made.status !== 0) throw new Error(`initdb: ${made.stderr}`);
    return new OwnPostgres(folder, data, owner, await freePort());
  }

  get url(): string {
    return `postgres://postgres@${HOST}:${this.port}/postgres`;
  }

  async start(): Promise<void> {
    const settings = ['fsync=off', 'unix_socket_directories=', `listen_addresses=${HOST}`];
    this.child = spawn(
      join(bin!, 'postgres'),
      ['-D', this.data, '-p', String(this.port), ...settings.flatMap((each) => ['-c', each])],
      { cwd: this.folder, stdio: 'ignore', ...this.owner },
    );
    await until('postgres is ready', async () => this.isReady(), { everyMs: 10 });
  }

  /** All connections are cut at once. */
  async stop(): Promise<void> {
    const { child } = this;
    this.child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const exit = once(child, 'exit');
    child.kill('SIGQUIT');
    await exit;
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** While it recovers from the last stop, it accepts connections, but no logins. */
  private async isReady(): Promise<boolean> {
    const client = new Client({ connectionString: this.url });
    client.on('error', () => {});
    try {
      await client.connect();
      await client.end();
      return true;
    } catch {
      return false;
    }
  }
}

/** Postgres refuses to run as root, so it then runs as the user `postgres` or `nobody`. */
function postgresOwner(): Owner {
  if (process.getuid?.() !== 0) return {};
  for (const user of ['postgres', 'nobody']) {
    const [uid, gid] = ['-u', '-g'].map((flag) =>
      Number.parseInt(spawnSync('id', [flag, user], { encoding: 'utf8' }).stdout, 10),
    );
    if (!Number.isNaN(uid)) return { uid: uid!, gid: gid! };
  }
  throw new Error('Postgres cannot run as root, and there is no user postgres or nobody');
}
