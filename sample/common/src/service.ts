import type { Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { JsonLogger } from './json-logger.js';
import { exitWith, stopWithParent } from './process.js';

/** Starts a service of Nest; its settings are read first, so that wrong ones are reported before anything starts. */
export function startService(
  name: string,
  AppModule: Type,
  readConfig: () => { readonly host: string; readonly port: number },
): void {
  const logger = new JsonLogger(name);

  async function bootstrap(): Promise<void> {
    const { host, port } = readConfig();
    const app = await NestFactory.create(AppModule, { logger, abortOnError: false });
    app.enableShutdownHooks();
    await app.listen(port, host);
    logger.event('info', 'listening', { host, port });
  }

  stopWithParent();
  bootstrap().catch((error: unknown) => exitWith(error, logger));
}
