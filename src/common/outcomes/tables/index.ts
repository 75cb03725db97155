import type { OutcomeTable } from '../table.js';
import { amqp } from './amqp.js';
import { aws } from './aws.js';
import { bullmq } from './bullmq.js';
import { graphql } from './graphql.js';
import { grpc } from './grpc.js';
import { http } from './http.js';
import { javascript } from './javascript.js';
import { kafka } from './kafka.js';
import { mongodb } from './mongodb.js';
import { mysql } from './mysql.js';
import { networkTables } from './network.js';
import { own } from './own.js';
import { prisma } from './prisma.js';
import { programmer } from './programmer.js';
import { redis } from './redis.js';
import { remote } from './remote.js';
import { sql } from './sql.js';
import { validation } from './validation.js';

/** In the order of precedence: the first table that recognizes an error decides. */
export const tables: readonly OutcomeTable[] = [
  own,
  aws,
  http,
  grpc,
  graphql,
  remote,
  mysql,
  sql,
  prisma,
  mongodb,
  redis,
  kafka,
  amqp,
  bullmq,
  validation,
  programmer,
  ...networkTables,
  javascript,
];
