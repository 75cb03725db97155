import { PGlite } from '@electric-sql/pglite';
import { JsonLogger } from '#common/json-logger.js';
import { exitWith, stopWithParent } from '#common/process.js';
import { readConfig } from './config.js';
import { WireServer } from './wire-server.js';

const logger = new JsonLogger('database');

async function bootstrap(): Promise<void> {
  const { host, port } = readConfig(process.env);
  // In memory: after a restart the database is empty, and storagesvc has to handle that.
  const database = await PGlite.create();
  const server = new WireServer(database, (error) =>
    logger.event('warn', 'session-error', { message: error.message }),
  );
  await server.listen(port, host);
  logger.event('info', 'listening', { host, port });

  const stop = (signal: NodeJS.Signals): void => {
    logger.event('info', 'stopping', { signal });
    void server.close().finally(() => process.exit(0));
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}

stopWithParent();
bootstrap().catch((error: unknown) => exitWith(error, logger));
