import { outcomes } from '../../common/outcomes/shape.js';
import {
  BOOLEAN,
  CODE,
  COUNT,
  type Shape,
  type TaggedShape,
  TEXT,
  TIME,
  either,
  objectShape,
} from '../../common/shape.js';
import type { PolicyShape } from '../policy.js';
import type { FallbackChoice, ValueFallback } from './handler.js';
import type { FallbackOptions } from './options.js';
import type { StaleIfErrorOptions } from './stale-if-error.js';

const stale: TaggedShape = {
  is: 'tagged',
  type: 'StaleFallback',
  kinds: {
    staleIfError: objectShape<StaleIfErrorOptions>(
      'StaleIfErrorOptions',
      { ttl: TIME, key: TEXT, revive: CODE, readTimeout: TIME, writeTimeout: TIME },
      ['ttl'],
    ),
  },
};

const value: Shape = objectShape<ValueFallback>(
  'ValueFallback',
  { kind: { is: 'word', words: ['value'] }, value: { is: 'anything' } },
  ['kind', 'value'],
);

/** The name of a method, a stale result, or a value. */
const answer = either(TEXT, stale, value);

const handler = either(TEXT, stale, value, {
  is: 'list',
  of: objectShape<FallbackChoice>('FallbackChoice', { on: CODE, handler: answer }, ['handler']),
});

export const fallbackShape: PolicyShape = {
  short: handler,
  options: objectShape<FallbackOptions>('FallbackOptions', {
    enabled: BOOLEAN,
    handler,
    maxConcurrent: COUNT,
    ...outcomes,
  }),
};
