// Another instance of the application: says when its circuit changes.
import { redisStore } from '../../dist/esm/redis/index.js';
import { startApplication } from './application.mjs';
import { now } from './monotonic.mjs';

const { breaker, stop } = await startApplication(redisStore({ url: process.argv[2] }));
breaker.onStateChange(({ to }) => process.send({ state: to, at: now() }));
process.once('disconnect', () => void stop());
