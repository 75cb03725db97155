import { look, lookForText } from '../look.js';
import type { OutcomeTable } from '../table.js';

export const graphql: OutcomeTable = {
  client: 'GraphQL',
  recognized: '`extensions.code` (`GraphQLError`)',
  source: 'https://www.apollographql.com/docs/apollo-server/data/errors',
  keysOf: (error) => {
    const code = lookForText(look(error, 'extensions'), 'code');
    return code === undefined ? [] : [code];
  },
  rows: [
    {
      keys: [
        'BAD_REQUEST',
        'BAD_USER_INPUT',
        'GRAPHQL_PARSE_FAILED',
        'GRAPHQL_VALIDATION_FAILED',
        'OPERATION_RESOLUTION_FAILURE',
        'PERSISTED_QUERY_NOT_FOUND',
        'PERSISTED_QUERY_NOT_SUPPORTED',
      ],
      outcome: 'success',
      meaning: 'a wrong operation or a wrong argument, as status 400',
    },
    {
      keys: ['UNAUTHENTICATED', 'FORBIDDEN', 'NOT_FOUND', 'CONFLICT', 'GONE'],
      outcome: 'success',
      meaning: 'as statuses 401, 403, 404, 409, 410',
    },
    { keys: ['INTERNAL_SERVER_ERROR'], outcome: 'failure', meaning: 'as status 500' },
  ],
};
