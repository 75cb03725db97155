// PGlite loads itself by dynamic imports, which Jest's contexts have not; a worker is outside of them.
import { parentPort } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';

const databases = new Map();

/** An empty database; copying it takes a fraction of the time of making one. */
let empty;

async function create() {
  const database = await PGlite.create(empty && { loadDataDir: empty });
  empty ??= await database.dumpDataDir('none');
  return database;
}

const handlers = {
  create: async (name) => void databases.set(name, await create()),
  ask: (name, message) => databases.get(name).execProtocolRaw(message),
  close: (name) => databases.get(name).close(),
};

parentPort.on('message', async ({ id, what, name, message }) => {
  parentPort.postMessage({ id, answer: await handlers[what](name, message) });
});
