import { look, lookForInteger, lookForText } from '../look.js';
import { payloadOf } from '../payload.js';
import type { OutcomeTable } from '../table.js';

export const grpc: OutcomeTable = {
  client: 'gRPC',
  recognized: '`code` from 1 to 16, beside `details` or `metadata`, or inside `RpcException`',
  source: 'https://grpc.io/docs/guides/status-codes/',
  keysOf: (error) => {
    const inside = lookForInteger(payloadOf(error), 'code');
    if (inside !== undefined) return [inside];
    const code = lookForInteger(error, 'code');
    if (code === undefined) return [];
    if (lookForText(error, 'details') !== undefined) return [code];
    const metadata = look(error, 'metadata');
    return typeof metadata === 'object' && metadata !== null ? [code] : [];
  },
  rows: [
    {
      keys: [1],
      outcome: 'failure',
      meaning:
        'CANCELLED: if the caller asked for it, the call is ignored already; otherwise the other side ended it',
    },
    { keys: [2], outcome: 'failure', meaning: 'UNKNOWN' },
    { keys: [3], outcome: 'success', meaning: 'INVALID_ARGUMENT' },
    { keys: [4], outcome: 'failure', meaning: 'DEADLINE_EXCEEDED' },
    { keys: [5], outcome: 'success', meaning: 'NOT_FOUND' },
    { keys: [6], outcome: 'success', meaning: 'ALREADY_EXISTS' },
    { keys: [7], outcome: 'success', meaning: 'PERMISSION_DENIED' },
    { keys: [8], outcome: 'failure', meaning: 'RESOURCE_EXHAUSTED' },
    { keys: [9], outcome: 'success', meaning: 'FAILED_PRECONDITION' },
    { keys: [10], outcome: 'failure', meaning: 'ABORTED: a conflict with another transaction' },
    { keys: [11], outcome: 'success', meaning: 'OUT_OF_RANGE' },
    { keys: [12], outcome: 'success', meaning: 'UNIMPLEMENTED' },
    { keys: [13], outcome: 'failure', meaning: 'INTERNAL' },
    { keys: [14], outcome: 'failure', meaning: 'UNAVAILABLE' },
    { keys: [15], outcome: 'failure', meaning: 'DATA_LOSS' },
    { keys: [16], outcome: 'success', meaning: 'UNAUTHENTICATED' },
  ],
};
