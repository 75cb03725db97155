import { boot, closeAll } from '../../test/support/boot.js';
import { problemsOf } from '../../test/support/commands.js';
import { CircuitBreaker, Fallback, type ResilienceModuleOptions } from '../index.js';

afterEach(closeAll);

describe('a fallback that leads to another method', () => {
  class Circle {
    @Fallback('second')
    async first(): Promise<void> {}
    @Fallback('first')
    async second(): Promise<void> {}
  }
  class Line {
    @Fallback('second')
    async first(): Promise<void> {}
    @CircuitBreaker()
    async second(): Promise<void> {}
  }

  it('must not lead back by what is in force for that one', async () => {
    await expect(problemsOf({ providers: [Circle] })).resolves.toHaveLength(2);
  });

  it.each<[string, new () => object, ResilienceModuleOptions]>([
    ['has none', Line, {}],
    [
      'has none, whatever the default is',
      Line,
      { defaults: { fallback: { handler: 'first' as never } } },
    ],
    [
      'has lost its own',
      Circle,
      { overrides: { 'Circle.second': { fallback: { enabled: false } } } },
    ],
    ['has another one', Circle, { overrides: { 'Circle.second': { fallback: () => 1 } } }],
  ])('may lead to one that %s', async (_, type, resilience) => {
    await expect(boot({ providers: [type], resilience })).resolves.toBeDefined();
  });
});
