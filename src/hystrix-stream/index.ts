export type { HystrixCommandEvent, HystrixLatency } from './hystrix-command.js';
export { HystrixStreamModule } from './hystrix-stream.module.js';
export type { HystrixStreamOptions } from './options.js';
