import { BOOLEAN, TEXT, TIME, objectShape } from '../../common/shape.js';
import type { PolicyShape } from '../policy.js';
import type { TimeoutOptions } from './options.js';

export const timeoutShape: PolicyShape = {
  short: TIME,
  options: objectShape<TimeoutOptions>('TimeoutOptions', {
    enabled: BOOLEAN,
    attempt: TIME,
    total: TIME,
    config: TEXT,
  }),
};
