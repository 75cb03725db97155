import { lookForInteger, lookForText } from '../look.js';
import type { ErrorKey, OutcomeTable } from '../table.js';

/** A reply code as amqplib shows it: `404 (NOT-FOUND)`. */
const SHOWN = /\b(\d{3}) \([A-Z-]+\)/;

function keysOf(error: unknown): readonly ErrorKey[] {
  const code = lookForInteger(error, 'code');
  if (code === undefined) return [];
  if (lookForInteger(error, 'classId') !== undefined) return [code];
  return lookForText(error, 'message')?.match(SHOWN)?.[1] === String(code) ? [code] : [];
}

export const amqp: OutcomeTable = {
  client: 'AMQP',
  recognized: '`code` beside `classId`, or with its name in the message (amqplib)',
  source: 'https://www.rabbitmq.com/amqp-0-9-1-reference#constants',
  keysOf,
  rows: [
    {
      keys: [311, 312, 313],
      outcome: 'success',
      meaning: 'content too large, no route, no consumers',
    },
    { keys: [320], outcome: 'failure', meaning: 'connection forced: closed by an operator' },
    {
      keys: [402, 403, 404, 405, 406],
      outcome: 'success',
      meaning: 'invalid path, access refused, not found, resource locked, precondition failed',
    },
    {
      keys: [501, 502, 503, 504, 505],
      outcome: 'failure',
      meaning: 'the connection broke: frame, syntax or channel errors',
    },
    { keys: [506, 541], outcome: 'failure', meaning: 'resource error, internal error' },
    { keys: [530, 540], outcome: 'success', meaning: 'not allowed, not implemented' },
  ],
};
