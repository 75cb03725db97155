import { startService } from '#common/service.js';
import { AppModule } from './app.module.js';
import { storagesvcConfig } from './config.js';

startService('storagesvc', AppModule, storagesvcConfig);
