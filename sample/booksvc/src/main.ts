import { NestFactory } from '@nestjs/core';
import { JsonLogger } from '#common/json-logger.js';
import { exitWith, stopWithParent } from '#common/process.js';
import { AppModule } from './app.module.js';
import { booksvcConfig } from './config.js';

const logger = new JsonLogger('booksvc');

async function bootstrap(): Promise<void> {
  // First, so that wrong settings are reported before anything starts.
  const { host, port } = booksvcConfig();
  const app = await NestFactory.create(AppModule, { logger, abortOnError: false });
  app.enableShutdownHooks();
  await app.listen(port, host);
  logger.event('info', 'listening', { host, port });
}

stopWithParent();
bootstrap().catch((error: unknown) => exitWith(error, logger));
