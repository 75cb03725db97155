import { JsonLogger } from '#common/json-logger.js';
import { serve } from '#common/serve.js';
import { AppModule } from './app.module.js';
import { readConfig } from './config.js';

const logger = new JsonLogger('booksvc');

await serve(logger, readConfig, (config) => AppModule.register(config, { logger }));
