import { JsonLogger } from '../../common/src/json-logger.js';
import { serve } from '../../common/src/serve.js';
import { AppModule } from './app.module.js';
import { readConfig } from './config.js';

const logger = new JsonLogger('booksvc');

await serve(logger, readConfig, (config) => AppModule.register(config, { logger }));
