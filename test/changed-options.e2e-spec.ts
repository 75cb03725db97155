import { Injectable, Module } from '@nestjs/common';
import { CircuitBreaker, ResilienceModule, Retry, UsePipeline } from '../src/index.js';
import { boot, closeAll } from './support/boot.js';

afterEach(closeAll);

/** An object of options that is changed after it was given. */
function given<T extends object>(options: T): { options: T; change: (to: Partial<T>) => void } {
  return { options, change: (to) => void Object.assign(options, to) };
}

it('options that are changed after they were given have no effect, also on later changes', async () => {
  const decorated = given({ maxRetries: 1 });
  const half = given({ maxCalls: 1 });
  const root = given({ maxElapsedTime: '1m' });
  const feature = given({ maxRetries: 3 });
  const command = given({ maxRetries: 4 });
  const patch = given({ maxCalls: 2 });

  @Injectable()
  class Books {
    @Retry(decorated.options)
    @CircuitBreaker({ halfOpen: half.options })
    async all(): Promise<void> {}

    @UsePipeline('mail')
    async mail(): Promise<void> {}
  }
  @Module({
    imports: [ResilienceModule.forFeature({ pipelines: { mail: { retry: feature.options } } })],
  })
  class Feature {}

  const { service } = await boot({
    imports: [Feature],
    providers: [Books],
    resilience: { overrides: { 'Books.all': { retry: root.options as never } } },
  });
  const find = service.command('find', { run: () => 1, retry: command.options });
  service.configure('Books.all', { circuitBreaker: { halfOpen: patch.options } });
  for (const each of [decorated, half, feature, command, patch]) {
    each.change({ maxRetries: -1, maxCalls: -1 });
  }
  root.change({ maxElapsedTime: 'soon' });

  service.configure('*', { retry: { respectRetryAfter: false } });
  const retry = { respectRetryAfter: false };
  expect(service.describe(Books, 'all').policies).toEqual([
    { kind: 'circuitBreaker', options: { halfOpen: { maxCalls: 2 } } },
    { kind: 'retry', options: { ...retry, maxRetries: 1, maxElapsedTime: '1m' } },
  ]);
  expect(service.describe(Books, 'mail').policies[0]!.options).toEqual({ ...retry, maxRetries: 3 });
  expect(find.describe().policies[0]!.options).toEqual({ ...retry, maxRetries: 4 });
});

it('an undefined configuration in a patch changes nothing', async () => {
  const { service } = await boot();
  service.pipeline('mail', { retry: {} });
  service.configure('mail', { retry: { config: undefined, maxRetries: 2 } });
  expect(service.pipeline('mail').describe().policies).toEqual([
    { kind: 'retry', options: { maxRetries: 2 } },
  ]);
});
