import { isResilienceError } from '../../errors.js';
import { lookForText } from '../look.js';
import type { OutcomeTable } from '../table.js';

export const own: OutcomeTable = {
  client: 'nest-resilience',
  recognized: 'our own rejections, by their brand',
  source: 'errors.md',
  keysOf: (error) =>
    isResilienceError(error) ? [lookForText(error, 'code') ?? '', 'any other'] : [],
  rows: [
    { keys: ['TIMEOUT'], outcome: 'failure', meaning: 'the dependency was too slow' },
    { keys: ['any other'], outcome: 'ignored', meaning: 'the dependency was not asked' },
  ],
};
