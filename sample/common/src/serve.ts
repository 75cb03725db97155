import { type DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { JsonLogger } from './json-logger.js';
import { start } from './process.js';

export interface Listen {
  readonly host: string;
  readonly port: number;
}

/** Starts a Nest app with JSON logs and graceful shutdown. */
export async function serve<Config extends Listen>(
  logger: JsonLogger,
  readConfig: (env: NodeJS.ProcessEnv) => Config,
  createModule: (config: Config) => DynamicModule,
): Promise<void> {
  await start(logger, async () => {
    const config = readConfig(process.env);
    const app = await NestFactory.create(createModule(config), { logger, abortOnError: false });
    app.enableShutdownHooks();
    await app.listen(config.port, config.host);
    logger.event('info', 'listening', { host: config.host, port: config.port });
  });
}
