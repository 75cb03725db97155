import { NestFactory } from '@nestjs/core';
import { JsonLogger } from '#common/json-logger.js';
import { exitWith, stopWithParent } from '#common/process.js';
import { AppModule } from './app.module.js';
import { readConfig } from './config.js';

const logger = new JsonLogger('booksvc');

async function bootstrap(): Promise<void> {
  const config = readConfig(process.env);
  const app = await NestFactory.create(AppModule.register(config, { logger }), {
    logger,
    abortOnError: false,
  });
  app.enableShutdownHooks();
  await app.listen(config.port, config.host);
  logger.event('info', 'listening', { host: config.host, port: config.port });
}

stopWithParent();
bootstrap().catch((error: unknown) => exitWith(error, logger));
