export { ResilienceAdminModule } from './admin.module.js';
export type * from './contract.js';
export type {
  Identify,
  ResilienceAdminAsyncOptions,
  ResilienceAdminOptions,
  ResilienceAdminSettings,
} from './options.js';
