import { resultOutcomes } from '../../common/outcomes/shape.js';
import {
  BOOLEAN,
  CODE,
  COUNT,
  type Shape,
  TEXT,
  TIME,
  either,
  objectShape,
} from '../../common/shape.js';
import { backoffShape } from '../backoff/shape.js';
import type { PolicyShape } from '../policy.js';
import type { CircuitBreakerOptions, HalfOpenOptions } from './options.js';
import type { QuorumOptions, QuorumScope } from './scope.js';
import type { WindowOptions } from './window-options.js';

type TimeWindow = Omit<Extract<WindowOptions, { readonly duration: unknown }>, 'calls'>;
type CountWindow = Pick<Extract<WindowOptions, { readonly calls: unknown }>, 'calls'>;

const rate: Shape = { is: 'number', above: 0, max: 1 };

const windowShape = either(
  TIME,
  objectShape<CountWindow>('WindowOptions', { calls: { is: 'integer', min: 1, max: 1_000_000 } }, [
    'calls',
  ]),
  objectShape<TimeWindow>(
    'WindowOptions',
    {
      duration: TIME,
      buckets: { is: 'integer', min: 1, max: 10_000 },
      countAt: { is: 'word', words: ['start', 'end'] },
    },
    ['duration'],
  ),
);

const halfOpenShape = objectShape<HalfOpenOptions>('HalfOpenOptions', {
  maxCalls: COUNT,
  successThreshold: COUNT,
  maxDuration: TIME,
});

const scopeShape = either(
  { is: 'word', words: ['local', 'shared'] },
  objectShape<QuorumScope>(
    'QuorumScope',
    {
      quorum: either(
        COUNT,
        objectShape<QuorumOptions>(
          'QuorumOptions',
          { share: rate, minVotes: COUNT, within: TIME },
          ['share'],
        ),
      ),
    },
    ['quorum'],
  ),
);

export const circuitBreakerShape: PolicyShape = {
  short: TEXT,
  options: objectShape<CircuitBreakerOptions>('CircuitBreakerOptions', {
    enabled: BOOLEAN,
    name: TEXT,
    failureRate: rate,
    slowCallRate: rate,
    slowCallDuration: TIME,
    consecutiveFailures: COUNT,
    readyToTrip: CODE,
    window: windowShape,
    minimumCalls: COUNT,
    resetInterval: { is: 'duration', above: 0, infinite: true },
    openFor: either(TIME, backoffShape(TIME)),
    halfOpen: halfOpenShape,
    maxCallDuration: { is: 'duration', above: 0, infinite: true },
    respectRetryAfter: either(BOOLEAN, { is: 'duration' }),
    ...resultOutcomes,
    classify: CODE,
    critical: BOOLEAN,
    scope: scopeShape,
    onStateChange: CODE,
    key: TEXT,
    maxKeys: COUNT,
    config: TEXT,
  }),
};
