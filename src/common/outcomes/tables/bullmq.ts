import { lookForText } from '../look.js';
import type { OutcomeTable } from '../table.js';

/** Clients of HTTP APIs have errors of this name too. */
const LIMITED = 'RateLimitError';

export const bullmq: OutcomeTable = {
  client: 'BullMQ',
  recognized: 'the name; for `RateLimitError` the message of BullMQ too',
  source: 'https://docs.bullmq.io/patterns/process-step-jobs',
  keysOf: (error) => {
    const name = lookForText(error, 'name');
    if (name === undefined) return [];
    const others = name === LIMITED && !lookForText(error, 'message')?.startsWith('bullmq:');
    return others ? [] : [name];
  },
  rows: [
    {
      keys: ['DelayedError', 'WaitingError', 'WaitingChildrenError', LIMITED],
      outcome: 'ignored',
      meaning: 'the job has been put back: flow of control, not an error',
    },
    {
      keys: ['UnrecoverableError'],
      outcome: 'ignored',
      meaning: 'the job shall not be tried again',
    },
  ],
};
