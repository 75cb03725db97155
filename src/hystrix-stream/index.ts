export type { HystrixCommandEvent, HystrixLatency } from './hystrix-command-event.js';
export { HystrixStreamModule } from './hystrix-stream.module.js';
export type { HystrixStreamOptions } from './options.js';
