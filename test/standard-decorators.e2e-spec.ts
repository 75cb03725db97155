import {
  Bulkhead,
  CircuitBreaker,
  Fallback,
  RateLimit,
  Retry,
  Timeout,
  UsePipeline,
  composePolicies,
} from '../src/index.js';
import { DelayWhenRejected } from '../src/bullmq/index.js';
import { boot, closeAll } from './support/boot.js';

afterEach(closeAll);

/** As compilers call decorators without `experimentalDecorators`. */
type Standard = (target: unknown, context: object) => unknown;

const decorators: readonly [string, unknown][] = [
  ['@Retry', Retry()],
  ['@CircuitBreaker', CircuitBreaker()],
  ['@Timeout', Timeout('1s')],
  ['@Bulkhead', Bulkhead(1)],
  ['@RateLimit', RateLimit(1)],
  ['@Fallback', Fallback(() => 1)],
  ['@UsePipeline', UsePipeline('mail')],
  ['@DelayWhenRejected', DelayWhenRejected()],
  ['composePolicies()', composePolicies(Retry())],
];

describe.each(decorators)('%s as a standard decorator', (label, decorator) => {
  it.each([
    ['method', async () => 1],
    ['field', undefined],
    ['class', class {}],
  ])('says at once which setting is missing, on a %s', (kind, target) => {
    expect(() => (decorator as Standard)(target, { kind, name: 'all' })).toThrow(
      `${label} is used as a standard decorator; set "experimentalDecorators": true`,
    );
  });
});

it('a decorator of methods that stands on a parameter says so at bootstrap', async () => {
  class Books {
    async one(id: number): Promise<number> {
      return id;
    }
  }
  (Retry() as unknown as ParameterDecorator)(Books.prototype, 'one', 0);
  await expect(boot({ providers: [Books] })).rejects.toThrow(
    'Books.one @Retry: decorates a parameter; only methods can be protected',
  );
});
