import { startService } from '#common/service.js';
import { AppModule } from './app.module.js';
import { booksvcConfig } from './config.js';

startService('booksvc', AppModule, booksvcConfig);
