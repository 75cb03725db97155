// npm run check:postgres: the sample's storagesvc on a real Postgres server (the other checks use the embedded one).
//
// Starts a Postgres of its own in a temporary folder on a free loopback port, and storagesvc with a DATABASE_URL
// to it; takes the server away and brings it back. Needs Postgres' programs: without them it says so and skips,
// but fails under CI=true.
import { spawn, spawnSync } from 'node:child_process';
import assert from 'node:assert/strict';
import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fromRoot, run } from './tools.mjs';

const BOOKS = ['One book', 'Second book'];

const bin = postgresFolder();
if (!bin) {
  console.log('check:postgres skipped: Postgres is not installed');
  process.exit(process.env.CI === 'true' ? 1 : 0);
}
if (run('npm', ['run', 'sample:build'], { shell: process.platform === 'win32' }) !== 0) {
  process.exit(1);
}

const work = mkdtempSync(join(tmpdir(), 'nest-resilience-postgres-'));
const data = join(work, 'data');
const owner = postgresOwner();
const children = new Set();
let log = '';

try {
  mkdirSync(data);
  if (owner.uid !== undefined)
    [work, data].forEach((path) => chownSync(path, owner.uid, owner.gid));
  const initdb = spawnSync(
    join(bin, 'initdb'),
    ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-sync'],
    { cwd: work, encoding: 'utf8', ...owner },
  );
  assert.equal(initdb.status, 0, initdb.stderr);

  const [postgresPort, port] = [await freePort(), await freePort()];
  const service = `http://127.0.0.1:${port}`;
  let postgres = startPostgres(postgresPort);
  const env = {
    ...process.env,
    DATABASE_URL: `postgres://postgres@127.0.0.1:${postgresPort}/postgres`,
    STORAGESVC_PORT: String(port),
  };

  for (const round of ['first start', 'second start, on the seeded table']) {
    const storagesvc = start(
      process.execPath,
      [fromRoot('dist', 'sample', 'storagesvc', 'src', 'main.js')],
      { env },
    );
    await answer(`${service}/books`, 200, round);
    const books = await (await fetch(`${service}/books`)).json();
    assert.deepEqual(
      books.map(({ title }) => title),
      BOOKS,
    );
    if (round !== 'first start') {
      await stop(postgres, 'SIGQUIT');
      const down = await answer(`${service}/books`, 500, 'Postgres stopped');
      assert.deepEqual(await down.json(), { error: 'ops, I cant process you request' });
      postgres = startPostgres(postgresPort);
      await answer(`${service}/books`, 200, 'Postgres back');
    }
    await stop(storagesvc, 'SIGTERM');
  }
  console.log('storagesvc serves from a real Postgres');
} catch (error) {
  console.error(error, `\n${log}`);
  process.exitCode = 1;
} finally {
  await Promise.all([...children].map((child) => stop(child, 'SIGKILL')));
  rmSync(work, { recursive: true, force: true });
}

function startPostgres(port) {
  const settings = ['fsync=off', 'unix_socket_directories=', 'listen_addresses=127.0.0.1'];
  return start(
    join(bin, 'postgres'),
    ['-D', data, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])],
    { cwd: work, ...owner },
  );
}

function start(command, args, options) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  child.ended = new Promise((resolve) => child.once('close', resolve));
  children.add(child);
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (log += text));
  return child;
}

async function stop(child, signal) {
  child.kill(signal);
  await child.ended;
  children.delete(child);
}

/** Waits until the address answers with this status. */
async function answer(url, status, situation) {
  let last = 'nothing';
  for (const end = Date.now() + 20_000; Date.now() < end; await sleep(50)) {
    const response = await fetch(url).catch((error) => (last = error.message));
    if (response.status === status) {
      console.log(`ok   ${situation}: ${status}`);
      return response;
    }
    last = response.status ?? last;
  }
  throw new Error(`${situation}: expected ${status} from ${url}, the last answer was ${last}`);
}

function postgresFolder() {
  const versions = '/usr/lib/postgresql';
  const folders = [
    ...(process.env.PATH ?? '').split(delimiter),
    ...(existsSync(versions)
      ? readdirSync(versions).map((name) => join(versions, name, 'bin'))
      : []),
  ];
  return folders.find((folder) =>
    ['initdb', 'postgres'].every((name) => existsSync(join(folder, name))),
  );
}

/** Postgres refuses to run as root, so it then runs as the user `postgres` or `nobody`. */
function postgresOwner() {
  if (process.getuid?.() !== 0) return {};
  for (const user of ['postgres', 'nobody']) {
    const [uid, gid] = ['-u', '-g'].map((flag) =>
      Number.parseInt(spawnSync('id', [flag, user], { encoding: 'utf8' }).stdout, 10),
    );
    if (!Number.isNaN(uid)) return { uid, gid };
  }
  throw new Error('Postgres cannot run as root, and there is no user postgres or nobody');
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
