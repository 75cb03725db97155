import { look, lookAtItems, lookForText } from '../look.js';
import type { ErrorKey, OutcomeTable } from '../table.js';

/** class-validator rejects with a list of errors that have no `name`, only that of their class. */
function keysOf(error: unknown): readonly ErrorKey[] {
  const [first = error] = lookAtItems(error, 1);
  const names = [lookForText(first, 'name'), lookForText(look(first, 'constructor'), 'name')];
  return names.filter((name) => name !== undefined);
}

export const validation: OutcomeTable = {
  client: 'Validation',
  recognized: 'the name of the error or its class, also of the first in a list (class-validator)',
  source: 'https://docs.nestjs.com/techniques/validation',
  keysOf,
  rows: [
    {
      keys: [
        'ValidationError',
        'ZodError',
        '$ZodError',
        'ZodRealError',
        'ValiError',
        'SequelizeValidationError',
        'PrismaClientValidationError',
      ],
      outcome: 'ignored',
      meaning: 'input that was wrong before the dependency was asked',
    },
  ],
};
