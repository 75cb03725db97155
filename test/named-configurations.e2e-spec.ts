import { Injectable } from '@nestjs/common';
import { CircuitBreaker, Retry, type ResilienceModuleOptions, Timeout } from '../src/index.js';
import { boot, closeAll } from './support/boot.js';
import { problemsOf } from './support/commands.js';

afterEach(closeAll);

@Injectable()
class Shelf {
  @Retry({ config: 'slow' })
  @Timeout({ config: 'slow' })
  async slow(): Promise<void> {}

  @CircuitBreaker({ name: 'storage', openFor: '9s' })
  async broken(): Promise<void> {}
}

async function optionsOf(
  method: string,
  configs: ResilienceModuleOptions['configs'],
  defaults: ResilienceModuleOptions['defaults'] = {},
): Promise<readonly object[]> {
  const { service } = await boot({
    providers: [Shelf],
    resilience: { defaults, configs: { slow: { timeout: '1s' }, ...configs } },
  });
  return service.describe(Shelf, method).policies.map(({ options }) => options);
}

describe('a named configuration that extends another one', () => {
  it('inherits missing options, and missing policies', async () => {
    const configs: ResilienceModuleOptions['configs'] = {
      base: { retry: { maxRetries: 1, maxElapsedTime: '1m' }, timeout: { attempt: '1s' } },
      slow: { extends: 'base', retry: { maxRetries: 7 } },
    };
    const options = await optionsOf('slow', configs, { retry: { maxRetries: 2 } });
    expect(options).toContainEqual({ maxRetries: 7, maxElapsedTime: '1m' });
    expect(options).toContainEqual({ attempt: '1s' });
  });

  it('extends transitively, and merges halfOpen option by option', async () => {
    await expect(
      optionsOf('broken', {
        storage: { extends: 'careful', circuitBreaker: { halfOpen: { maxCalls: 3 }, openFor: 1 } },
        careful: { extends: 'base', circuitBreaker: { failureRate: 0.2 } },
        base: {
          circuitBreaker: { failureRate: 0.9, halfOpen: { maxCalls: 1, successThreshold: 2 } },
        },
      }),
    ).resolves.toEqual([
      {
        name: 'storage',
        failureRate: 0.2,
        halfOpen: { maxCalls: 3, successThreshold: 2 },
        openFor: '9s',
      },
    ]);
  });

  it('says where a wrong option comes from', async () => {
    const problems = await problemsOf({
      providers: [Shelf],
      resilience: {
        configs: { base: { retry: { maxRetries: -1 } }, slow: { extends: 'base', timeout: 1 } },
      },
    });
    expect(problems).toEqual([
      "Shelf.slow @Retry: maxRetries (from configs['base']) is -1; use a whole number of at least 0",
    ]);
  });

  it.each<[string, NonNullable<ResilienceModuleOptions['configs']>, string[]]>([
    [
      'one that is not there',
      { slow: { extends: 'bose', timeout: 1 }, base: {} },
      ["configs['slow'].extends is 'bose'; use the name of another configuration: 'base'"],
    ],
    [
      'what every object has',
      { slow: { extends: 'constructor', timeout: 1 } },
      [
        "configs['slow'].extends is 'constructor'; use the name of another configuration: none: there is no other configuration",
      ],
    ],
    [
      'no name',
      { slow: { extends: ['base'] as never, timeout: 1 }, base: {} },
      ["configs['slow'].extends is [ 'base' ]; use the name of another configuration: 'base'"],
    ],
    [
      'itself',
      { slow: { extends: 'slow', timeout: 1 } },
      ["configs['slow'].extends is 'slow', which leads back to it: 'slow' > 'slow'"],
    ],
    [
      'one that extends it',
      {
        slow: { extends: 'a', timeout: 1 },
        a: { extends: 'b' },
        b: { extends: 'a' },
      },
      [
        "configs['a'].extends is 'b', which leads back to it: 'a' > 'b' > 'a'",
        "configs['b'].extends is 'a', which leads back to it: 'b' > 'a' > 'b'",
      ],
    ],
  ])('cannot extend %s', async (_, configs, told) => {
    const problems = await problemsOf({ providers: [Shelf], resilience: { configs } });
    expect(problems).toEqual(told.map((each) => `ResilienceModule.forRoot(): ${each}`));
  });
});
