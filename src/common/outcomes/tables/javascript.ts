import { isBuiltIn } from '../error-matcher.js';
import { hasNetworkCause } from '../network-cause.js';
import type { OutcomeTable } from '../table.js';

export const javascript: OutcomeTable = {
  client: 'JavaScript',
  recognized: 'built-in classes, of any realm',
  source:
    'https://developer.mozilla.org/en-US/docs/Web/JavaScript/Reference/Global_Objects/Error#error_types',
  keysOf: (error) => {
    if (isBuiltIn(error, ReferenceError)) return ['ReferenceError'];
    if (!isBuiltIn(error, TypeError)) return [];
    return [hasNetworkCause(error) ? 'TypeError because of the network' : 'TypeError'];
  },
  rows: [
    {
      keys: ['TypeError because of the network'],
      outcome: 'failure',
      meaning: '`fetch failed`: a `cause`, or one of its `errors`, has a code of the network',
    },
    { keys: ['ReferenceError', 'TypeError'], outcome: 'ignored', meaning: 'programmer errors' },
  ],
};
