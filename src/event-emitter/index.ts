export {
  type ResilienceEventEmitterOptions,
  ResilienceEventEmitterModule,
} from './event-emitter.module.js';
