import { startService } from '#common/service.js';
import { AppModule } from './app.module.js';
import { shippingsvcConfig } from './config.js';

startService('shippingsvc', AppModule, shippingsvcConfig);
