import { type Shape, type TaggedShape, TIME, either, objectShape } from '../../common/shape.js';
import type {
  ConstantOptions,
  DecorrelatedOptions,
  ExponentialOptions,
  FibonacciOptions,
  LinearOptions,
} from './backoff.js';

const jitter = either({ is: 'number', max: 1 }, { is: 'word', words: ['full', 'equal', 'none'] });
const bounds = { initialDelay: TIME, maxDelay: TIME };

/** @param delay the delay of `constant()` */
export function backoffShape(delay: Shape): TaggedShape {
  return {
    is: 'tagged',
    type: 'BackoffSpec',
    kinds: {
      exponential: objectShape<ExponentialOptions>('ExponentialOptions', {
        ...bounds,
        multiplier: { is: 'number', min: 1 },
        jitter,
      }),
      constant: objectShape<ConstantOptions & { delay: unknown }>(
        'ConstantOptions',
        { delay, jitter },
        ['delay'],
      ),
      linear: objectShape<LinearOptions>('LinearOptions', {
        ...bounds,
        increment: { is: 'duration' },
        jitter,
      }),
      fibonacci: objectShape<FibonacciOptions>('FibonacciOptions', { ...bounds, jitter }),
      decorrelated: objectShape<DecorrelatedOptions>('DecorrelatedOptions', bounds),
    },
  };
}
