import { BOOLEAN, COUNT, TEXT, TIME, objectShape } from '../../common/shape.js';
import type { PolicyShape } from '../policy.js';
import { SCOPE } from '../scope.js';
import type { BulkheadOptions } from './options.js';

export const bulkheadShape: PolicyShape = {
  short: COUNT,
  options: objectShape<BulkheadOptions>('BulkheadOptions', {
    enabled: BOOLEAN,
    name: TEXT,
    maxConcurrent: COUNT,
    maxQueue: { is: 'integer' },
    maxWait: TIME,
    reentrant: BOOLEAN,
    key: TEXT,
    maxKeys: COUNT,
    scope: SCOPE,
    config: TEXT,
  }),
};
