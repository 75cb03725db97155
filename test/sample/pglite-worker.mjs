// PGlite loads itself by dynamic imports, which Jest's contexts have not; a worker is outside of them.
import { parentPort } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';

const database = await PGlite.create();

parentPort.on('message', async ({ id, message }) => {
  parentPort.postMessage({ id, answer: await database.execProtocolRaw(message) });
});
parentPort.postMessage({ id: 0 });
