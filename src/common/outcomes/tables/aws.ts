import { look, lookForText } from '../look.js';
import type { ErrorKey, OutcomeTable } from '../table.js';

/** Properties of errors of v3 (`$metadata`, `$fault`, `$retryable`), v2 (`requestId`, `retryable`) and both (a status). */
const MARKS = ['$metadata', '$fault', '$retryable', 'requestId', 'retryable', 'statusCode'];

const THROTTLING = '$retryable.throttling';

function keysOf(error: unknown): readonly ErrorKey[] {
  if (look(look(error, '$retryable'), 'throttling') === true) return [THROTTLING];
  const key = [lookForText(error, 'name'), lookForText(error, 'code')].find((name) =>
    TRANSIENT.has(name),
  );
  if (key === undefined) return [];
  return MARKS.some((mark) => look(error, mark) !== undefined) ? [key] : [];
}

export const aws: OutcomeTable = {
  client: 'AWS SDK',
  recognized: '`name` or `code`, beside `$metadata`, `$fault`, `requestId` or a status',
  source:
    'https://github.com/smithy-lang/smithy-typescript/blob/main/packages/service-error-classification/src/constants.ts',
  keysOf,
  rows: [
    {
      keys: [
        'BandwidthLimitExceeded',
        'EC2ThrottledException',
        'LimitExceededException',
        'PriorRequestNotComplete',
        'ProvisionedThroughputExceededException',
        'RequestLimitExceeded',
        'RequestThrottled',
        'RequestThrottledException',
        'SlowDown',
        'ThrottledException',
        'Throttling',
        'ThrottlingException',
        'TooManyRequestsException',
        'TransactionInProgressException',
        THROTTLING,
      ],
      outcome: 'failure',
      meaning: 'throttled, whatever the status',
    },
    {
      keys: ['RequestTimeout', 'RequestTimeoutException', 'TimeoutError'],
      outcome: 'failure',
      meaning: 'transient, whatever the status',
    },
  ],
};

const TRANSIENT: ReadonlySet<unknown> = new Set(aws.rows.flatMap(({ keys }) => keys));
