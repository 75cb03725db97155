import { sql } from './sql.js';
import type { OutcomeTable } from '../table.js';

/** Takes precedence over {@link sql}: MySQL's own names are more precise than its states, HY000 above all. */
export const mysql: OutcomeTable = {
  client: 'MySQL, MariaDB',
  recognized: '`code` beside `sqlState` (mysql2, mariadb)',
  source: 'https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html',
  keysOf: sql.keysOf,
  rows: [
    {
      keys: ['ER_TOO_MANY_USER_CONNECTIONS', 'ER_USER_LIMIT_REACHED'],
      outcome: 'failure',
      meaning: 'limits of the account, though their state is 42000',
    },
    {
      keys: ['ER_LOCK_WAIT_TIMEOUT', 'ER_LOCK_NOWAIT', 'ER_QUERY_TIMEOUT'],
      outcome: 'failure',
      meaning: 'waited too long',
    },
    {
      keys: ['ER_OPTION_PREVENTS_STATEMENT', 'ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION'],
      outcome: 'failure',
      meaning: 'read-only: a write has reached a replica, as after a failover',
    },
    {
      keys: [
        'ER_CHECK_CONSTRAINT_VIOLATED',
        'ER_NO_DEFAULT_FOR_FIELD',
        'ER_TRUNCATED_WRONG_VALUE',
        'ER_TRUNCATED_WRONG_VALUE_FOR_FIELD',
        'ER_WRONG_VALUE_FOR_TYPE',
      ],
      outcome: 'success',
      meaning: 'wrong values, though their state is HY000',
    },
    { keys: ['45xxx'], outcome: 'success', meaning: 'raised by a procedure (SIGNAL)' },
    {
      keys: ['70xxx', 'HYxxx', 'XAxxx'],
      outcome: 'failure',
      meaning: 'interrupted; general errors; rolled back',
    },
  ],
};
