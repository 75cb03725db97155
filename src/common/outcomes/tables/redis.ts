import { look, lookForText } from '../look.js';
import type { ErrorKey, OutcomeTable } from '../table.js';

/** `name` is `ReplyError` in ioredis and node-redis 3; in node-redis 4 and 5 only the class has a name. */
const CLASSES: ReadonlySet<unknown> = new Set([
  'ReplyError',
  'ErrorReply',
  'SimpleError',
  'BlobError',
]);

const TOO_MANY_CLIENTS = 'ERR max number of clients reached';

function keysOf(error: unknown): readonly ErrorKey[] {
  const names = [lookForText(error, 'name'), lookForText(look(error, 'constructor'), 'name')];
  if (!names.some((name) => CLASSES.has(name))) return [];
  const message = lookForText(error, 'message');
  const word = message?.match(/^[A-Z]+\b/)?.[0] ?? '';
  return message?.startsWith(TOO_MANY_CLIENTS) ? [TOO_MANY_CLIENTS, word] : [word];
}

export const redis: OutcomeTable = {
  client: 'Redis',
  recognized: 'the first word of the reply: `ReplyError` (ioredis), `ErrorReply` (node-redis)',
  source: 'https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors',
  keysOf,
  rows: [
    { keys: [TOO_MANY_CLIENTS], outcome: 'failure', meaning: 'no free connection' },
    {
      keys: ['LOADING', 'BUSY', 'OOM', 'MISCONF'],
      outcome: 'failure',
      meaning: 'loading, busy with a script, out of memory, cannot persist',
    },
    {
      keys: ['READONLY', 'MASTERDOWN', 'NOREPLICAS'],
      outcome: 'failure',
      meaning: 'a replica, without its master; too few replicas',
    },
    {
      keys: ['CLUSTERDOWN', 'TRYAGAIN', 'MOVED', 'ASK'],
      outcome: 'failure',
      meaning: 'the cluster is down or is being changed',
    },
    {
      keys: ['ERR', 'WRONGTYPE', 'EXECABORT', 'CROSSSLOT', 'NOPROTO'],
      outcome: 'success',
      meaning: 'a wrong command',
    },
    {
      keys: ['NOAUTH', 'WRONGPASS', 'NOPERM'],
      outcome: 'success',
      meaning: 'not authenticated or not allowed',
    },
    {
      keys: ['NOSCRIPT', 'BUSYGROUP', 'NOGROUP', 'BUSYKEY', 'NOTBUSY', 'UNBLOCKED', 'INPROG'],
      outcome: 'success',
      meaning: 'does not exist, exists already',
    },
  ],
};
