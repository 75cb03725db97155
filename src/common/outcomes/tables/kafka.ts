import { look, lookForText } from '../look.js';
import type { ErrorKey, OutcomeTable } from '../table.js';

const RETRIABLE = 'retriable';

/** How many levels of kafkajs errors wrapped in each other are unwrapped. */
const MOST_WRAPPERS = 4;

const NON_RETRIABLE = 'KafkaJSNonRetriableError';

/** The innermost error is the original one; those around it only say that kafkajs has stopped retrying. */
function keysOf(error: unknown): readonly ErrorKey[] {
  let innermost = error;
  let name = nameOf(error);
  if (name === undefined) return [];
  let cause = look(error, 'cause');
  for (let depth = 0; depth < MOST_WRAPPERS; depth++) {
    const inner = nameOf(cause);
    if (inner === undefined) break;
    [innermost, name, cause] = [cause, inner, look(cause, 'cause')];
  }
  const type = lookForText(innermost, 'type');
  const keys = type === undefined ? [name] : [type, name];
  if (look(innermost, 'retriable') === true) keys.push(RETRIABLE);
  // With a cause, it does not mean a wrong argument; its meaning is unknown.
  return cause === undefined ? keys : keys.filter((key) => key !== NON_RETRIABLE);
}

function nameOf(error: unknown): string | undefined {
  const name = lookForText(error, 'name');
  return name?.startsWith('KafkaJS') ? name : undefined;
}

export const kafka: OutcomeTable = {
  client: 'kafkajs',
  recognized:
    '`KafkaJS…Error`: by `type`, then name, then `retriable`; the innermost `cause` first',
  source: 'https://kafka.apache.org/protocol#protocol_error_codes',
  keysOf,
  rows: [
    {
      keys: [
        'OFFSET_OUT_OF_RANGE',
        'INVALID_FETCH_SIZE',
        'MESSAGE_TOO_LARGE',
        'RECORD_LIST_TOO_LARGE',
        'OFFSET_METADATA_TOO_LARGE',
        'INVALID_COMMIT_OFFSET_SIZE',
        'INVALID_RECORD',
        'INVALID_TIMESTAMP',
        'INVALID_REQUEST',
        'INVALID_REQUIRED_ACKS',
        'UNSUPPORTED_COMPRESSION_TYPE',
        'UNSUPPORTED_FOR_MESSAGE_FORMAT',
        'UNSUPPORTED_VERSION',
        'POLICY_VIOLATION',
        'KafkaJSOffsetOutOfRange',
      ],
      outcome: 'success',
      meaning: 'the broker refuses the message, offset or request',
    },
    {
      keys: [
        'INVALID_TOPIC_EXCEPTION',
        'TOPIC_ALREADY_EXISTS',
        'TOPIC_DELETION_DISABLED',
        'INVALID_PARTITIONS',
        'INVALID_REPLICATION_FACTOR',
        'INVALID_REPLICA_ASSIGNMENT',
        'INVALID_CONFIG',
        'NO_REASSIGNMENT_IN_PROGRESS',
      ],
      outcome: 'success',
      meaning: 'wrong settings of a topic, or it exists already',
    },
    {
      keys: [
        'TOPIC_AUTHORIZATION_FAILED',
        'GROUP_AUTHORIZATION_FAILED',
        'CLUSTER_AUTHORIZATION_FAILED',
        'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
        'DELEGATION_TOKEN_AUTHORIZATION_FAILED',
        'SASL_AUTHENTICATION_FAILED',
        'UNSUPPORTED_SASL_MECHANISM',
        'ILLEGAL_SASL_STATE',
        'SECURITY_DISABLED',
        'KafkaJSSASLAuthenticationError',
      ],
      outcome: 'success',
      meaning: 'not authenticated or not allowed',
    },
    {
      keys: [
        'ILLEGAL_GENERATION',
        'INCONSISTENT_GROUP_PROTOCOL',
        'INVALID_GROUP_ID',
        'UNKNOWN_MEMBER_ID',
        'INVALID_SESSION_TIMEOUT',
        'MEMBER_ID_REQUIRED',
        'GROUP_ID_NOT_FOUND',
        'GROUP_MAX_SIZE_REACHED',
        'NON_EMPTY_GROUP',
        'FENCED_INSTANCE_ID',
        'GROUP_SUBSCRIBED_TO_TOPIC',
        'KafkaJSMemberIdRequired',
      ],
      outcome: 'success',
      meaning: 'the state of the consumer group does not allow it',
    },
    {
      keys: [
        'OUT_OF_ORDER_SEQUENCE_NUMBER',
        'DUPLICATE_SEQUENCE_NUMBER',
        'INVALID_PRODUCER_EPOCH',
        'INVALID_PRODUCER_ID_MAPPING',
        'INVALID_TXN_STATE',
        'INVALID_TRANSACTION_TIMEOUT',
        'UNKNOWN_PRODUCER_ID',
      ],
      outcome: 'success',
      meaning: 'the state of the producer or transaction does not allow it',
    },
    {
      keys: [
        'REBALANCE_IN_PROGRESS',
        'BROKER_NOT_AVAILABLE',
        'STALE_CONTROLLER_EPOCH',
        'STALE_BROKER_EPOCH',
        'UNKNOWN',
      ],
      outcome: 'failure',
      meaning: 'the cluster or the group is being changed; a server error',
    },
    { keys: [RETRIABLE], outcome: 'failure', meaning: 'anything that kafkajs calls retriable' },
    { keys: [NON_RETRIABLE], outcome: 'ignored', meaning: 'without a cause: a wrong argument' },
  ],
};
