export { protectAxios } from './protect-axios.js';
export {
  type ResilienceHttpAsyncOptions,
  ResilienceHttpModule,
  type ResilienceHttpOptions,
  type ResilienceHttpOptionsFactory,
} from './resilience-http.module.js';
