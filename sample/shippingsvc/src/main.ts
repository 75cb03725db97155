import { JsonLogger } from '#common/json-logger.js';
import { serve } from '#common/serve.js';
import { AppModule } from './app.module.js';
import { readConfig } from './config.js';

await serve(new JsonLogger('shippingsvc'), readConfig, () => ({ module: AppModule }));
