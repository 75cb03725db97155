import { JsonLogger } from '../../common/src/json-logger.js';
import { serve } from '../../common/src/serve.js';
import { AppModule } from './app.module.js';
import { readConfig } from './config.js';

await serve(new JsonLogger('shippingsvc'), readConfig, () => ({ module: AppModule }));
